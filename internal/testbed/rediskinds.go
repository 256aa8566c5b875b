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

// RedisCluster starts a Redis Cluster of three primaries and returns when it takes
// commands. The error is a [*MissingError] where there is no redis-server.
func (b *Testbed) RedisCluster() ([]*RedisNode, error) {
	dir := b.newDir("redis-cluster")
	certFile, keyFile, err := makeCertificate(dir)
	if err != nil {
		return nil, err
	}
	var nodes []*RedisNode
	var busPorts []int
	for range 3 {
		tlsAddr, tlsPort, err := freeAddr()
		if err != nil {
			return nil, err
		}
		_, busPort, err := freeAddr()
		if err != nil {
			return nil, err
		}
		redis, err := b.Redis(StoreOptions{Args: []string{
			"--cluster-enabled", "yes", "--cluster-port", strconv.Itoa(busPort), "--tls-cluster", "yes", "--tls-port", strconv.Itoa(tlsPort),
			"--tls-cert-file", certFile, "--tls-key-file", keyFile, "--tls-ca-cert-file", certFile, "--tls-auth-clients", "no",
		}})
		if err != nil {
			return nil, err
		}
		nodes, busPorts = append(nodes, &RedisNode{redis, tlsAddr, certFile}), append(busPorts, busPort)
	}
	return nodes, b.joinCluster(nodes, busPorts)
}

// joinCluster makes the nodes known to each other, and gives each a third of the slots.
func (b *Testbed) joinCluster(nodes []*RedisNode, busPorts []int) error {
	const slots = 16384
	for i, node := range nodes {
		commands := []string{fmt.Sprintf("CLUSTER ADDSLOTSRANGE %d %d", i*slots/len(nodes), (i+1)*slots/len(nodes)-1)}
		if i > 0 {
			host, port, _ := net.SplitHostPort(nodes[0].TLSAddr)
			commands = append(commands, fmt.Sprintf("CLUSTER MEET %s %s %d", host, port, busPorts[0]))
		}
		for _, command := range commands {
			if reply, err := node.Command(command); err != nil || reply != "+OK" {
				return fmt.Errorf("%s: %s, %w", command, reply, err)
			}
		}
	}
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for _, node := range nodes {
		for !node.hasCluster(len(nodes)) {
			select {
			case <-tick.C:
			case <-deadline.C:
				return fmt.Errorf("no Redis Cluster after %v", patience)
			case <-b.ctx.Done():
				return b.ctx.Err()
			}
		}
	}
	return nil
}

func (n *RedisNode) hasCluster(nodes int) bool {
	info, err := n.Command("CLUSTER INFO")
	return err == nil && strings.Contains(info, "cluster_state:ok") && strings.Contains(info, fmt.Sprintf("cluster_known_nodes:%d", nodes))
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
