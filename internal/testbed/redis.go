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

// Apply sends inline commands to redis-server at once. The error is that of the first that
// is answered anything but OK.
func (s *Redis) Apply(commands ...string) error {
	conn, replies, err := dial(s.Addr, s.Password)
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, strings.Join(commands, "\r\n")+"\r\n"); err != nil {
		return err
	}
	for _, command := range commands {
		if reply, err := readReply(replies); err != nil || reply != "+OK" {
			return fmt.Errorf("%s: %q, %v", command, reply, err)
		}
	}
	return nil
}

// SetPassword changes the password of the default user; "" is none. Connections
// that are open stay so.
func (s *Redis) SetPassword(password string) error {
	rule := ">" + password
	if password == "" {
		rule = "nopass"
	}
	if err := s.Apply("ACL SETUSER default resetpass " + rule); err != nil {
		return fmt.Errorf("set the password of redis: %w", err)
	}
	s.Password = password
	return nil
}

// Command sends one inline command to redis-server and returns the first line of
// the reply, or its text if it is a long one. It spares the package a Redis client.
func (s *Redis) Command(text string) (string, error) { return command(s.Addr, s.Password, text) }

func command(addr, password, text string) (string, error) {
	conn, replies, err := dial(addr, password)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	if _, err := fmt.Fprintf(conn, "%s\r\n", text); err != nil {
		return "", err
	}
	return readReply(replies)
}

// dial connects and logs in.
func dial(addr, password string) (net.Conn, *bufio.Reader, error) {
	conn, err := net.DialTimeout("tcp", addr, 5*time.Second)
	if err != nil {
		return nil, nil, err
	}
	replies := bufio.NewReader(conn)
	err = conn.SetDeadline(time.Now().Add(30 * time.Second))
	if err == nil && password != "" {
		var reply string
		if _, err = fmt.Fprintf(conn, "AUTH %s\r\n", password); err == nil {
			reply, err = readReply(replies)
		}
		if err == nil && reply != "+OK" {
			err = fmt.Errorf("log in to redis: %s", reply)
		}
	}
	if err != nil {
		conn.Close()
		return nil, nil, err
	}
	return conn, replies, nil
}

func readReply(replies *bufio.Reader) (string, error) {
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
