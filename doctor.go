package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/redis/rueidis"
	"golang.org/x/sys/unix"

	"github.com/popupd/popupd/persist"
	"github.com/popupd/popupd/tuning"
)

// doctorConfig is what the flags of the doctor and their variables say.
type doctorConfig struct {
	mysql, redis         string
	data                 string
	journalMax, stateMax int64 // bytes
	servers              int
	json, sysctl         bool
}

// doctorFlags returns the flags of the doctor. Those that serve has too mean
// the same, so that both can run with the same variables.
func doctorFlags(c *doctorConfig) *flag.FlagSet {
	fs := flag.NewFlagSet("popupd doctor", flag.ContinueOnError)
	fs.StringVar(&c.mysql, "mysql", "", "go-sql-driver `DSN` of a server to look at too")
	fs.StringVar(&c.redis, "redis", "", "redis:// or rediss:// `URL`, or host:port,host:port of a cluster, to look at too")
	fs.StringVar(&c.data, "data", defaultData, "`directory` that popupd will have or has its data in")
	fs.TextVar((*size)(&c.journalMax), "journal-max", size(defaultJournalMax), "quota of the journal in bytes, as 1GiB")
	fs.TextVar((*size)(&c.stateMax), "state-max", size(defaultStateMax), "memory budget of the users' state, as 1GiB")
	fs.IntVar(&c.servers, "servers", 1, "how many popupd share MySQL and Redis")
	fs.BoolVar(&c.json, "json", false, "print JSON")
	fs.BoolVar(&c.sysctl, "sysctl", false, "print a sysctl.d file with what this host lacks")
	addFileFlags(fs, "mysql", "redis")
	return fs
}

func parseDoctor(args, environ []string, help io.Writer) (doctorConfig, error) {
	var c doctorConfig
	if _, err := parseFlags(doctorFlags(&c), serveFlags(new(config)), args, environ, help); err != nil {
		return c, err
	}
	switch {
	case c.json && c.sysctl:
		return c, fmt.Errorf("-json and -sysctl exclude each other; %w", errUsage)
	case c.servers < 1:
		return c, fmt.Errorf("-servers %d: want 1 or more; %w", c.servers, errUsage)
	}
	return c, nil
}

// askTimeout is how long a store may take to answer the doctor.
const askTimeout = 10 * time.Second

// errCritical says that popupd should not run like this.
var errCritical = errors.New("something is critical")

// doctor prints what this host and the stores lack. It changes nothing, and
// returns errCritical if something of it is.
func doctor(c doctorConfig, environ []string, stdout io.Writer) error {
	site := tuning.Site{
		Host:    tuning.NewHost(os.DirFS("/")),
		Process: process(c, environ),
		Disk:    disk(c),
		Servers: c.servers,
	}
	var err error
	if site.MySQL, err = askMySQL(c.mysql); err != nil {
		return err
	}
	if site.Redis, err = askRedis(c.redis); err != nil {
		return err
	}
	report := tuning.Examine(site)
	switch {
	case c.json:
		err = report.WriteJSON(stdout)
	case c.sysctl:
		err = report.WriteSysctl(stdout)
	default:
		err = report.WriteTable(stdout, columns(stdout))
	}
	if err == nil && report.Critical() {
		return errCritical
	}
	return err
}

// process returns what the Go runtime made of this machine for the doctor, and
// so for a popupd that is started likewise.
func process(c doctorConfig, environ []string) tuning.Process {
	p := tuning.Process{
		CPUs: runtime.NumCPU(), MaxProcs: runtime.GOMAXPROCS(0), MaxProcsBy: variable(environ, "GOMAXPROCS"), StateMax: c.stateMax,
	}
	if limit := debug.SetMemoryLimit(-1); variable(environ, "GOMEMLIMIT") != "" && limit < math.MaxInt64 {
		p.MemLimit = limit
	}
	return p
}

func variable(environ []string, name string) string {
	for _, entry := range environ {
		if value, ok := strings.CutPrefix(entry, name+"="); ok {
			return value
		}
	}
	return ""
}

// disk looks at the data directory or, before there is one, at the place where
// it would be made.
func disk(c doctorConfig) tuning.Disk {
	d := tuning.Disk{Dir: c.data, JournalMax: c.journalMax, StateMax: c.stateMax}
	dir, err := filepath.Abs(c.data)
	if err != nil {
		d.Err = err
		return d
	}
	for d.Dir = dir; ; dir = filepath.Dir(dir) {
		if real, err := filepath.EvalSymlinks(dir); err == nil {
			d.Dir = real
			break
		}
		if dir == filepath.Dir(dir) {
			break
		}
	}
	var stat unix.Statfs_t
	if err := unix.Statfs(d.Dir, &stat); err != nil {
		d.Err = fmt.Errorf("statfs %s: %w", d.Dir, err)
		return d
	}
	d.Free = int64(min(stat.Bavail*uint64(stat.Bsize), math.MaxInt64))
	d.Used = used(filepath.Join(c.data, "journal"))
	for _, name := range []string{"state", "state.1"} {
		d.Used += used(filepath.Join(c.data, name))
	}
	return d
}

// used returns how many bytes there are in files below path, as far as they
// can be seen.
func used(path string) (bytes int64) {
	_ = filepath.WalkDir(path, func(_ string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() {
			if info, err := entry.Info(); err == nil {
				bytes += info.Size()
			}
		}
		return nil
	})
	return bytes
}

// askMySQL asks a server for its settings; nil without a DSN. Only a DSN that
// cannot be read is an error: a server that does not answer is a finding.
func askMySQL(dsn string) (*tuning.MySQL, error) {
	if dsn == "" {
		return nil, nil
	}
	db, err := persist.Open(persist.Config{DSN: dsn})
	if err != nil {
		return nil, fmt.Errorf("-mysql: %w; %w", err, errUsage)
	}
	defer db.Close()
	ctx, cancel := context.WithTimeout(context.Background(), askTimeout)
	defer cancel()
	m := &tuning.MySQL{Connections: persist.Connections}
	m.Global, m.Session, m.Err = persist.Variables(ctx, dsn)
	return m, nil
}

// askRedis asks each node that takes writes for its settings. Only a URL that
// cannot be read is an error.
func askRedis(url string) ([]tuning.Redis, error) {
	if url == "" {
		return nil, nil
	}
	option, err := redisOption(url)
	if err != nil {
		return nil, err
	}
	cluster := len(option.InitAddress) > 1
	client, closeAll, err := openRedis(url, slog.New(slog.DiscardHandler))
	if err != nil {
		return []tuning.Redis{{Address: strings.Join(option.InitAddress, ","), Cluster: cluster, Err: err}}, nil
	}
	defer closeAll()
	ctx, cancel := context.WithTimeout(context.Background(), askTimeout)
	defer cancel()
	var nodes []tuning.Redis
	known := client.Nodes()
	for _, address := range slices.Sorted(maps.Keys(known)) {
		node := askNode(ctx, known[address])
		if cluster && node.Info["role"] == "slave" {
			continue
		}
		node.Address, node.Cluster = address, cluster
		nodes = append(nodes, node)
	}
	return nodes, nil
}

func askNode(ctx context.Context, client rueidis.Client) (node tuning.Redis) {
	info, err := client.Do(ctx, client.B().Info().Build()).ToString()
	if err != nil {
		node.Err = err
		return node
	}
	node.Info = tuning.ParseInfo(info)
	// Providers may refuse it; then the report says what is not known.
	node.Config, _ = client.Do(ctx, client.B().ConfigGet().Parameter("save").Build()).AsStrMap()
	return node
}

// columns returns the width of the terminal that w is, or a usual one.
func columns(w io.Writer) int {
	const usual, most = 100, 140
	if f, ok := w.(*os.File); ok {
		if size, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ); err == nil && size.Col > 0 {
			return min(int(size.Col), most)
		}
	}
	return usual
}
