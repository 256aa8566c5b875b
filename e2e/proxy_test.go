//go:build linux

package e2e

import (
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

// echo is a server that says again what it hears.
func echo(t *testing.T) (addr string) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() { _, _ = io.Copy(c, c); _ = c.Close() }()
		}
	}()
	t.Cleanup(func() { _ = ln.Close(); <-done })
	return ln.Addr().String()
}

// TestProxy: each of the conditions does what it is for, and the bytes that pass are those
// that came.
func TestProxy(t *testing.T) {
	const said = "some words of a client to its server"
	command := func(name string) string { return "*2\r\n$5\r\n" + name + "\r\n$1\r\nx\r\n" }
	for _, c := range []struct {
		name    string
		weather conditions
		says    string
		least   time.Duration // it takes
		hears   string
		err     error // what ends the connection; nil: nothing does
	}{
		{"fair", conditions{}, said, 0, said, nil},
		{"latency", conditions{latency: 50 * time.Millisecond}, said, 100 * time.Millisecond, said, nil},
		{"rate", conditions{rate: 200}, said, 180 * time.Millisecond, said, nil},
		{"slice", conditions{slice: 3}, said, 6 * time.Millisecond, said, nil},
		{"limit", conditions{limit: 10}, said, 0, said[:10], io.EOF},
		{"reset", conditions{reset: true}, said, 0, "", syscall.ECONNRESET},
		{"hole", conditions{blackHole: true}, said, 0, "", os.ErrDeadlineExceeded},
		{"down", conditions{down: true}, said, 0, "", syscall.ECONNRESET},
		{"mangle", conditions{mangle: func(b []byte) []byte { return b[:4] }}, said, 0, said[:4], os.ErrDeadlineExceeded},
		{"another command", conditions{commandLoss: commandLoss{command: "RPUSH", n: 1}}, command("LTRIM"), 0, command("LTRIM"), nil},
		{"lost reply", conditions{commandLoss: commandLoss{command: "RPUSH", n: 1}}, command("RPUSH"), 0, "", syscall.ECONNRESET},
		{"lost command", conditions{commandLoss: commandLoss{command: "RPUSH", n: 1, lost: true}}, command("RPUSH"), 0, "", syscall.ECONNRESET},
		{"held", conditions{commandLoss: commandLoss{command: "RPUSH", n: 1, lost: true, held: true}}, command("RPUSH"), 0, "", syscall.ECONNRESET},
	} {
		t.Run(c.name, func(t *testing.T) {
			var scans scan
			if strings.HasPrefix(c.says, "*") {
				scans = scanRedis
			}
			p := startProxy(t, echo(t), scans)
			p.set(c.weather)
			conn, err := net.Dial("tcp", p.addr)
			if c.weather.down && errors.Is(err, c.err) {
				return // it was that fast
			}
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			begin := time.Now()
			_, wrote := io.WriteString(conn, c.says)
			patience := 10 * time.Second
			if c.err == os.ErrDeadlineExceeded {
				patience = time.Second
			}
			_ = conn.SetReadDeadline(begin.Add(patience))
			got := make([]byte, len(c.says))
			n, err := io.ReadFull(conn, got)
			took := time.Since(begin)
			if errors.Is(err, io.ErrUnexpectedEOF) {
				err = io.EOF
			}
			if err == io.EOF && wrote != nil {
				err = wrote // a reset is told once, to whoever comes first
			}
			if string(got[:n]) != c.hears || !errors.Is(err, c.err) || took < c.least {
				t.Errorf("heard %q, %v after %v; want %q, %v after %v", got[:n], err, took, c.hears, c.err, c.least)
			}
		})
	}
}

// TestProxyHeals: what a hole held back comes when it closes, but not on a
// connection that was forgotten.
func TestProxyHeals(t *testing.T) {
	p := startProxy(t, echo(t), nil)
	for i, forgotten := range []bool{false, true} {
		p.set(conditions{blackHole: true})
		conn, err := net.Dial("tcp", p.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := io.WriteString(conn, "late"); err != nil {
			t.Fatal(err)
		}
		eventually(t, 5*time.Second, func() error {
			if _, _, hit := p.counts(); hit <= i {
				return errors.New("nothing has come to the hole")
			}
			return nil
		})
		if forgotten {
			p.forget()
		}
		p.set(conditions{})
		_ = conn.SetReadDeadline(time.Now().Add(time.Second))
		got := make([]byte, 4)
		if n, err := io.ReadFull(conn, got); (err != nil) != forgotten {
			t.Errorf("forgotten %v: heard %q, %v", forgotten, got[:n], err)
		}
	}
}

// TestScan: commands are found whole, wherever they are split.
func TestScan(t *testing.T) {
	packet := func(number byte, payload string) string {
		return string([]byte{byte(len(payload)), 0, 0, number}) + payload
	}
	for _, c := range []struct {
		name  string
		scan  scan
		bytes string
		want  string
	}{
		{"mysql", scanMySQL, packet(1, "\x03COMMIT") + packet(0, "\x03commit") + packet(0, "\x03UPDATE t SET a = 'COMMIT'") + packet(0, "\x01"), " COMMIT UPDATE "},
		{"redis", scanRedis, "*3\r\n$5\r\nRPUSH\r\n$3\r\nkey\r\n$8\r\n*1\r\n$4\r\n\r\n*1\r\n$4\r\nping\r\n", "RPUSH PING"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for split := range c.bytes {
				var names []string
				var b []byte
				for _, part := range []string{c.bytes[:split], c.bytes[split:]} {
					b = append(b, part...)
					for {
						size, name := c.scan(b)
						if size == 0 {
							break
						}
						names, b = append(names, name), b[size:]
					}
				}
				if got := strings.Join(names, " "); got != c.want || len(b) > 0 {
					t.Fatalf("split at %d: commands %q, %d bytes left; want %q", split, got, len(b), c.want)
				}
			}
		})
	}
}
