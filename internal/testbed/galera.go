package testbed

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// transferMethod is how a node gets what the others have. Those that come with MariaDB
// copy all files, and not as root. Here every node starts with a copy of the same files,
// or with its own, so it needs the writes since, which Galera sends itself once both
// nodes say that they are ready: they meet at a FIFO, whose path follows the joining
// node's address.
const transferMethod = "meet"

const transferScript = `#!/bin/sh
while [ $# -gt 0 ]; do
  case $1 in
    --role) role=$2; shift ;;
    --address) address=$2; shift ;;
    --datadir) fifo=${2}meet; shift ;;
    --gtid) gtid=$2; shift ;;
    --bypass) bypass=1 ;;
  esac
  shift
done
case $role in
  joiner) rm -f "$fifo" && mkfifo "$fifo" && echo "ready 127.0.0.1:1$fifo" && cat "$fifo" && rm "$fifo" ;;
  donor) [ -n "$bypass" ] && echo "$gtid" >"/${address#*/}" && echo "done $gtid" ;;
esac
`

// galera is a cluster to be.
type galera struct {
	bed      *Testbed
	provider string   // the library of Galera
	scripts  string   // directory of the transfer script
	members  []string // where its nodes listen for one another
	extra    []string // further arguments of each node
}

// Galera starts a Galera cluster of MariaDB nodes and returns when all take statements.
// A node that has ended joins the others again when it is started, if they still have
// the writes that it lacks; where all have ended, none can be the first. extra are
// further arguments of each node. The error is a [*MissingError] where there is no Galera.
func (b *Testbed) Galera(nodes int, extra ...string) ([]*MySQL, error) {
	g := &galera{bed: b, scripts: b.newDir("galera"), extra: extra}
	for _, path := range []string{"/usr/lib/galera/libgalera_smm.so", "/usr/lib64/galera-4/libgalera_smm.so", "/usr/lib/libgalera_smm.so"} {
		if _, err := os.Stat(path); err == nil {
			g.provider = path
			break
		}
	}
	if g.provider == "" {
		return nil, &MissingError{Binary: "libgalera_smm.so", Package: "galera-4"}
	}
	if err := os.MkdirAll(g.scripts, 0o700); err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(g.scripts, "wsrep_sst_"+transferMethod), []byte(transferScript), 0o700); err != nil {
		return nil, err
	}
	files, err := g.seed()
	if err != nil {
		return nil, fmt.Errorf("make the files of a Galera cluster: %w", err)
	}
	var cluster []*MySQL
	for len(cluster) < nodes {
		node, err := g.join(files)
		if err != nil {
			return nil, fmt.Errorf("start node %d of a Galera cluster: %w", len(cluster)+1, err)
		}
		cluster = append(cluster, node)
	}
	return cluster, nil
}

// seed returns the data directory that all nodes begin with: that of a node which was a
// cluster alone, since Galera knows no files that it has not written.
func (g *galera) seed() (files string, err error) {
	template, err := dataTemplate("mariadbd")
	if err != nil {
		return "", err
	}
	node, err := g.join(template)
	if err != nil {
		return "", err
	}
	g.members = nil
	return node.DataDir(), node.Stop()
}

// join starts a new node and returns when it has joined the others.
func (g *galera) join(files string) (*MySQL, error) {
	addr, _, err := freeAddr()
	if err != nil {
		return nil, err
	}
	writes, _, err := freeAddr()
	if err != nil {
		return nil, err
	}
	e := mariadb(files)
	e.env = []string{"PATH=" + os.Getenv("PATH") + ":" + g.scripts}
	node, err := g.bed.mysqlOf(e, StoreOptions{
		Args: append([]string{
			"--wsrep-on=ON", "--wsrep-provider=" + g.provider, "--wsrep-cluster-name=popupd",
			"--wsrep-node-address=" + addr, "--wsrep-sst-method=" + transferMethod,
			"--binlog-format=ROW", "--innodb-autoinc-lock-mode=2",
			"--wsrep-provider-options=" + "gmcast.listen_addr=tcp://" + addr + ";ist.recv_addr=" + writes + ";gcache.size=128M" +
				";evs.suspect_timeout=PT3S;evs.inactive_timeout=PT10S",
			"--wsrep-cluster-address=gcomm://" + strings.Join(g.members, ","),
		}, g.extra...),
	})
	if err != nil {
		return nil, err
	}
	g.members = append(g.members, addr)
	if err := g.wait(node, len(g.members)); err != nil {
		return nil, err
	}
	first := slices.Clone(node.program.Args)
	node.program.Probe = func() error { return isSynced(node, "%") }
	node.prepare = func(p *Program) error {
		position, err := g.recover(node, first)
		p.Args = append(slices.Clone(first), "--wsrep-cluster-address=gcomm://"+strings.Join(g.members, ","), "--wsrep-start-position="+position)
		return err
	}
	return node, nil
}

var recovered = regexp.MustCompile(`Recovered position: ([-0-9a-f]+:\d+)`)

// recover returns up to which write a node that has ended has all, as galera_recovery
// finds it for systemd: a node that was killed has not noted it.
func (g *galera) recover(node *MySQL, args []string) (position string, err error) {
	binary, err := LookPath(args[0])
	if err != nil {
		return "", err
	}
	log, err := exec.CommandContext(g.bed.ctx, binary, append(slices.Clone(args[1:]), "--wsrep-recover")...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("recover the position of a node: %w\n%s", err, log)
	}
	found := recovered.FindSubmatch(log)
	if found == nil {
		return "", fmt.Errorf("recover the position of a node: it says none\n%s", log)
	}
	return string(found[1]), nil
}

var errNotSynced = errors.New("the node does not take statements as one of its cluster")

// isSynced returns an error unless a node takes statements as one of so many, which is a
// pattern of LIKE.
func isSynced(node *MySQL, number string) error {
	if err := node.greets(); err != nil {
		return err
	}
	status, err := node.Query("SELECT GROUP_CONCAT(VARIABLE_VALUE ORDER BY VARIABLE_NAME) LIKE '" + number + ",Synced,ON' FROM information_schema.GLOBAL_STATUS" +
		" WHERE VARIABLE_NAME IN ('wsrep_cluster_size', 'wsrep_local_state_comment', 'wsrep_ready')")
	if err == nil && status != "1" {
		err = errNotSynced
	}
	return err
}

// wait returns when a node takes statements as one of so many.
func (g *galera) wait(node *MySQL, number int) error {
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		err := isSynced(node, fmt.Sprint(number))
		if err == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-deadline.C:
			return fmt.Errorf("after %v: %w\n%s", patience, err, node.Log())
		case <-g.bed.ctx.Done():
			return g.bed.ctx.Err()
		}
	}
}
