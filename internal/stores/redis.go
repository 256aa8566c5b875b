package stores

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"time"
)

// StartRedis starts a redis-server without persistence: what it holds is gone
// after a restart. Its files are in dir, which it makes. extra are further
// arguments, for example "--maxmemory", "64mb". The error is a [*MissingError]
// where there is no Redis.
func StartRedis(dir string, extra ...string) (*Server, error) {
	binary, err := LookPath("redis-server")
	if err != nil {
		return nil, &MissingError{"redis-server", "redis-server"}
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	return launch(func(addr string, port int) *Server {
		args := []string{
			binary, "--bind", "127.0.0.1", "--port", strconv.Itoa(port), "--dir", dir,
			"--save", "", "--appendonly", "no", "--maxmemory-policy", "noeviction",
		}
		return &Server{name: "redis-server", Addr: addr, dir: dir, args: append(args, extra...), ready: pongs}
	})
}

// pongs reports whether redis-server answers.
func pongs(s *Server) error {
	reply, err := s.Command("PING")
	if err == nil && reply != "+PONG" {
		err = fmt.Errorf("redis answers %q", reply)
	}
	return err
}

// Command sends one inline command to redis-server and returns the first line of
// the reply. It spares the package a Redis client.
func (s *Server) Command(command string) (string, error) {
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
