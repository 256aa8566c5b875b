package testbed

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// RedisNode is a node of a private Redis Cluster, which can be reached over TLS too.
type RedisNode struct {
	*Redis
	TLSAddr  string // host:port
	CertFile string // PEM, of its own and of who signed it
}

// clusterMasters is how many masters a private Redis Cluster has.
const clusterMasters = 3

// RedisCluster starts a Redis Cluster of three masters, each with so many replicas, and
// returns when it takes commands and the replicas have caught up: the masters first, then
// a replica of each. A master that is silent for two seconds is replaced. args are further
// arguments of each redis-server. The error is a [*MissingError] where there is none.
func (b *Testbed) RedisCluster(replicas int, args ...string) ([]*RedisNode, error) {
	dir := b.newDir("redis-cluster")
	certFile, keyFile, err := makeCertificate(dir)
	if err != nil {
		return nil, err
	}
	var nodes []*RedisNode
	var busPorts []int
	for range clusterMasters * (1 + replicas) {
		tlsAddr, tlsPort, err := freeAddr()
		if err != nil {
			return nil, err
		}
		_, busPort, err := freeAddr()
		if err != nil {
			return nil, err
		}
		redis, err := b.Redis(StoreOptions{Args: append([]string{
			"--cluster-enabled", "yes", "--cluster-port", strconv.Itoa(busPort), "--tls-cluster", "yes", "--tls-port", strconv.Itoa(tlsPort),
			"--tls-cert-file", certFile, "--tls-key-file", keyFile, "--tls-ca-cert-file", certFile, "--tls-auth-clients", "no",
			"--tls-replication", "yes", "--repl-diskless-sync-delay", "0", "--cluster-node-timeout", "2000",
		}, args...)})
		if err != nil {
			return nil, err
		}
		nodes, busPorts = append(nodes, &RedisNode{redis, tlsAddr, certFile}), append(busPorts, busPort)
	}
	return nodes, b.joinCluster(nodes, busPorts)
}

// joinCluster makes the nodes known to each other, gives each master a third of the slots
// and the others a master each.
func (b *Testbed) joinCluster(nodes []*RedisNode, busPorts []int) error {
	const slots = 16384
	for i, node := range nodes {
		var commands []string
		if i < clusterMasters {
			commands = append(commands, fmt.Sprintf("CLUSTER ADDSLOTSRANGE %d %d", i*slots/clusterMasters, (i+1)*slots/clusterMasters-1))
		}
		if i > 0 {
			host, port, _ := net.SplitHostPort(nodes[0].TLSAddr)
			commands = append(commands, fmt.Sprintf("CLUSTER MEET %s %s %d", host, port, busPorts[0]))
		}
		if err := node.Apply(commands...); err != nil {
			return err
		}
	}
	for _, node := range nodes {
		if err := b.waitFor("Redis Cluster", func() bool { return node.hasCluster(len(nodes)) }); err != nil {
			return err
		}
	}
	for i, node := range nodes[clusterMasters:] {
		master, err := nodes[i%clusterMasters].Command("CLUSTER MYID")
		if err != nil {
			return err
		}
		if err := node.Apply("CLUSTER REPLICATE " + master); err != nil {
			return err
		}
		if err := b.waitFor("replica that has caught up", func() bool { return node.Follows() }); err != nil {
			return err
		}
	}
	return nil
}

// waitFor waits until something is there.
func (b *Testbed) waitFor(what string, isThere func() bool) error {
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !isThere() {
		select {
		case <-tick.C:
		case <-deadline.C:
			return fmt.Errorf("no %s after %v", what, patience)
		case <-b.ctx.Done():
			return b.ctx.Err()
		}
	}
	return nil
}

func (n *RedisNode) hasCluster(nodes int) bool {
	info, err := n.Command("CLUSTER INFO")
	return err == nil && strings.Contains(info, "cluster_state:ok") && strings.Contains(info, fmt.Sprintf("cluster_known_nodes:%d", nodes))
}

// Follows reports whether it is a replica that has what its master has.
func (s *Redis) Follows() bool {
	info, err := s.Command("INFO replication")
	return err == nil && strings.Contains(info, "master_link_status:up")
}

// Sentinel starts a Redis Sentinel that watches a server under a name.
func (b *Testbed) Sentinel(master *Redis, name string) (*Redis, error) {
	dir := b.newDir("sentinel")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	s := new(Redis)
	var err error
	s.Process, s.Addr, err = b.startOnFreePort(func(addr string, port int) Program {
		// It writes into its file, so each attempt has a new one.
		path := filepath.Join(dir, strconv.Itoa(port)+".conf")
		host, masterPort, _ := net.SplitHostPort(master.Addr)
		text := fmt.Sprintf("bind 127.0.0.1\nport %d\ndir %s\nsentinel monitor %s %s %s 1\n", port, dir, name, host, masterPort)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			path = os.DevNull // redis-server says that it cannot be used
		}
		return Program{Name: "redis-sentinel", Args: []string{"redis-server", path, "--sentinel"}, Dir: dir, Probe: func() error { return pongs(addr) }}
	})
	if err != nil {
		return nil, err
	}
	return s, nil
}

// makeCertificate writes a key and a certificate of 127.0.0.1 that signs itself.
func makeCertificate(dir string) (certFile, keyFile string, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", "", err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return "", "", err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return "", "", err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return "", "", err
	}
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	if err := os.WriteFile(certFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert}), 0o600); err != nil {
		return "", "", err
	}
	return certFile, keyFile, os.WriteFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), 0o600)
}
