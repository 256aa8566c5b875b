package persist

import (
	"bytes"
	"io"
	"net"
	"sync"
	"testing"
)

// proxy stands between a client and MySQL and understands just enough of what
// passes to fail at a chosen moment.
type proxy struct {
	addr     string
	listener net.Listener

	mu        sync.Mutex
	conns     []net.Conn
	haunted   bool   // the server is not told when a client goes
	dropBreak string // the statement whose answer is withheld, once
	dropEarly bool   // withhold the statement too
}

func startProxy(t testing.TB, server string) *proxy {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{addr: ln.Addr().String(), listener: ln}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			client, err := ln.Accept()
			if err != nil {
				return
			}
			upstream, err := net.Dial("tcp", server)
			if err != nil {
				_ = client.Close()
				continue
			}
			p.mu.Lock()
			p.conns = append(p.conns, client, upstream)
			p.mu.Unlock()
			running.Go(func() { p.forward(client, upstream) })
			running.Go(func() { _, _ = io.Copy(client, upstream); _ = client.Close() })
		}
	})
	t.Cleanup(func() { p.kill(); running.Wait() })
	return p
}

// kill ends all connections and takes no more.
func (p *proxy) kill() {
	_ = p.listener.Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.conns {
		_ = c.Close()
	}
}

// connections is how many connections there have been.
func (p *proxy) connections() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.conns) / 2
}

// listenSilently returns an address that takes connections and never says a word.
func listenSilently(t testing.TB) (addr string) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0") // the kernel accepts them
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	return ln.Addr().String()
}

// forward carries what the client says.
func (p *proxy) forward(client, upstream net.Conn) {
	buf := make([]byte, 64<<10)
	for {
		n, err := client.Read(buf)
		if err != nil {
			break
		}
		p.mu.Lock()
		cut := p.dropBreak != "" && bytes.HasSuffix(buf[:n], []byte(p.dropBreak))
		early := p.dropEarly
		if cut {
			p.dropBreak = ""
		}
		p.mu.Unlock()
		if cut {
			_ = client.Close()
			if early {
				break
			}
		}
		if _, err := upstream.Write(buf[:n]); err != nil {
			break
		}
	}
	_ = client.Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.haunted {
		_ = upstream.Close()
	}
}

func (p *proxy) set(change func(*proxy)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change(p)
}
