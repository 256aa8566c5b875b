package storetest

import (
	"bufio"
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// StartRedis starts a redis-server without persistence: what it holds is gone
// after a restart. extra are further arguments, for example "--maxmemory",
// "64mb". The server is killed when the test ends.
func StartRedis(t testing.TB, extra ...string) *Server {
	t.Helper()
	s := startRedis(t, t.TempDir(), extra...)
	t.Cleanup(s.Kill)
	return s
}

func startRedis(t testing.TB, dir string, extra ...string) *Server {
	t.Helper()
	binary, err := exec.LookPath("redis-server")
	if err != nil {
		missing(t, "redis-server", "sudo apt-get install -y redis-server")
	}
	return launch(t, func(addr string, port int) *Server {
		args := []string{
			binary, "--bind", "127.0.0.1", "--port", strconv.Itoa(port), "--dir", dir,
			"--save", "", "--appendonly", "no", "--maxmemory-policy", "noeviction",
		}
		return &Server{
			name: "redis-server", Addr: addr, dir: dir, args: append(args, extra...),
			ready: func(s *Server) error {
				reply, err := s.inline("PING")
				if err == nil && reply != "+PONG" {
					err = fmt.Errorf("redis answers %q", reply)
				}
				return err
			},
		}
	})
}

// inline sends one command and returns the first line of the reply. It spares
// the package a Redis client.
func (s *Server) inline(command string) (string, error) {
	conn, err := net.DialTimeout("tcp", s.Addr, time.Second)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		return "", err
	}
	if _, err := fmt.Fprintf(conn, "%s\r\n", command); err != nil {
		return "", err
	}
	line, err := bufio.NewReader(conn).ReadString('\n')
	return strings.TrimSpace(line), err
}

// URL returns what popupd's -redis flag takes.
func (s *Server) URL() string { return "redis://" + s.Addr + "/0" }

// socket is where mariadbd listens besides its port.
func (s *Server) socket() string { return filepath.Join(s.dir, "s") }
