package testbed

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"time"
)

// Redis is a private redis-server without persistence: what it holds is gone
// after a restart.
type Redis struct {
	*Process
	Addr     string // host:port
	Password string // of its default user, see SetPassword; "" is none
}

// Redis starts a redis-server. The error is a [*MissingError] where there is
// none.
func (b *Testbed) Redis(o StoreOptions) (*Redis, error) {
	if err := Need("redis-server", "redis-server"); err != nil {
		return nil, err
	}
	if o.Dir == "" {
		o.Dir = b.newDir("redis")
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, err
	}
	s := new(Redis)
	var err error
	s.Process, s.Addr, err = b.startOnFreePort(func(addr string, port int) Program {
		args := []string{
			"redis-server", "--bind", "127.0.0.1", "--port", strconv.Itoa(port), "--dir", o.Dir,
			"--save", "", "--appendonly", "no", "--maxmemory-policy", "noeviction",
		}
		return Program{Name: "redis-server", Args: append(args, o.Args...), Dir: o.Dir, Cores: o.Cores, Probe: func() error { return pongs(addr) }}
	})
	if err != nil {
		return nil, err
	}
	return s, nil
}

// pongs reports whether redis-server answers.
func pongs(addr string) error {
	reply, err := command(addr, "", "PING")
	if err == nil && reply != "+PONG" {
		err = fmt.Errorf("redis answers %q", reply)
	}
	return err
}

// SetPassword changes the password of the default user; "" is none. Connections
// that are open stay so.
func (s *Redis) SetPassword(password string) error {
	rule := ">" + password
	if password == "" {
		rule = "nopass"
	}
	reply, err := s.Command("ACL SETUSER default resetpass " + rule)
	if err == nil && reply != "+OK" {
		err = fmt.Errorf("set the password of redis: %s", reply)
	}
	if err == nil {
		s.Password = password
	}
	return err
}

// Command sends one inline command to redis-server and returns the first line of
// the reply, or its text if it is a long one. It spares the package a Redis client.
func (s *Redis) Command(text string) (string, error) { return command(s.Addr, s.Password, text) }

func command(addr, password, text string) (string, error) {
	conn, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		return "", err
	}
	replies := bufio.NewReader(conn)
	if password != "" {
		if reply, err := exchange(conn, replies, "AUTH "+password); err != nil || reply != "+OK" {
			return reply, err
		}
	}
	return exchange(conn, replies, text)
}

func exchange(conn io.Writer, replies *bufio.Reader, text string) (string, error) {
	if _, err := fmt.Fprintf(conn, "%s\r\n", text); err != nil {
		return "", err
	}
	line, err := replies.ReadString('\n')
	line = strings.TrimSpace(line)
	if length, ok := strings.CutPrefix(line, "$"); ok && err == nil {
		n, err := strconv.Atoi(length)
		if err != nil || n < 0 {
			return line, err
		}
		long := make([]byte, n)
		_, err = io.ReadFull(replies, long)
		return string(long), err
	}
	return line, err
}

// URL returns what popupd's -redis flag takes.
func (s *Redis) URL() string {
	if s.Password != "" {
		return "redis://:" + s.Password + "@" + s.Addr + "/0"
	}
	return "redis://" + s.Addr + "/0"
}
