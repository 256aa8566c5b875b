//go:build linux

package e2e

import (
	"bytes"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// proxy stands between popupd and a store. What happens to the bytes that pass
// are its conditions. It is our own, and not toxiproxy, because it has to know
// commands from bytes, to keep the store's side of a connection open when the
// client's is gone, and to end with the test, down to its goroutines.
type proxy struct {
	addr   string
	server string
	scan   scan // nil: bytes pass as they come

	listener net.Listener
	running  sync.WaitGroup

	mu          sync.Mutex
	conditions  conditions
	changed     chan struct{} // closed when the conditions change
	links       map[*link]bool
	dials       int // connections accepted
	commandsHit int // commands that were lost
	chunksHit   int // chunks that met other bad conditions
}

// conditions are what happens to the bytes that pass. The zero value changes nothing.
type conditions struct {
	latency     time.Duration // each way
	rate        int           // bytes/s of each connection each way; 0: as fast as it goes
	slice       int           // bytes of a packet, about; 0: as they come
	limit       int           // bytes that the store may send on a connection before it is closed; 0: any
	reset       bool          // a connection is reset when anything comes
	blackHole   bool          // nothing passes; it is held back, as by TCP, until the conditions change
	down        bool          // there is no connection
	commandLoss commandLoss
	mangle      func([]byte) []byte // what the store's bytes become
}

// commandLoss is the loss of a command or of its reply, the first n times.
type commandLoss struct {
	command string // its first word
	n       int
	lost    bool // the store does not get it; else it does, and its reply is lost
	held    bool // the store is not told that its client is gone, until the proxy closes
}

func (w *conditions) none() bool {
	return w.latency == 0 && w.rate == 0 && w.slice == 0 && w.limit == 0 && !w.reset && !w.blackHole && w.mangle == nil
}

// startProxy makes a proxy before the server's address. It ends with the test.
func startProxy(t testing.TB, server string, scan scan) *proxy {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{
		addr: ln.Addr().String(), server: server, scan: scan, listener: ln,
		changed: make(chan struct{}), links: make(map[*link]bool),
	}
	p.running.Go(p.accept)
	t.Cleanup(func() {
		_ = ln.Close()
		p.cut()
		p.running.Wait()
	})
	return p
}

// set changes the conditions. What earlier ones held back comes now.
func (p *proxy) set(w conditions) {
	p.mu.Lock()
	p.conditions = w
	close(p.changed)
	p.changed = make(chan struct{})
	p.mu.Unlock()
	if w.down {
		p.cut()
	}
}

// look returns the conditions, and what is closed when they change.
func (p *proxy) look() (conditions, <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.conditions, p.changed
}

// forget makes the connections that there are lead nowhere, as when a firewall
// has lost its table: neither side is told. New ones are as the conditions are.
func (p *proxy) forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for l := range p.links {
		l.forgotten.Store(true)
	}
}

// cut ends the connections that there are.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for l := range p.links {
		l.end()
	}
}

// counts returns how many connections were accepted, how many commands were
// lost, and how many chunks met other bad conditions.
func (p *proxy) counts() (dials, struck, hit int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.dials, p.commandsHit, p.chunksHit
}

func (p *proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.mu.Lock()
		p.dials++
		down := p.conditions.down
		p.mu.Unlock()
		var server net.Conn
		if !down {
			server, err = net.Dial("tcp", p.server)
		}
		if down || err != nil {
			reset(client.(*net.TCPConn))
			continue
		}
		l := &link{proxy: p, client: client.(*net.TCPConn), server: server.(*net.TCPConn), ended: make(chan struct{})}
		p.mu.Lock()
		p.links[l] = true
		p.mu.Unlock()
		p.running.Go(l.run)
	}
}

// hits reports whether a command is to be lost.
func (p *proxy) hits(command string) (commandLoss, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := &p.conditions.commandLoss
	if s.n == 0 || s.command != command {
		return commandLoss{}, false
	}
	s.n--
	p.commandsHit++
	return *s, true
}

// reset ends a connection with RST.
func reset(c *net.TCPConn) {
	_ = c.SetLinger(0)
	_ = c.Close()
}

// link is a connection of popupd and the proxy's to the store.
type link struct {
	proxy          *proxy
	client, server *net.TCPConn
	forgotten      atomic.Bool // nothing passes any more
	deaf           atomic.Bool // the client is reset at the next byte of the store
	held           atomic.Bool // the client is gone, and the store is not told
	once           sync.Once
	ended          chan struct{}
}

func (l *link) end() {
	l.once.Do(func() {
		close(l.ended)
		_ = l.client.Close()
		_ = l.server.Close()
	})
}

func (l *link) run() {
	up := flow{link: l, from: l.client, to: l.server, up: true, chunks: make(chan chunk, 64)}
	down := flow{link: l, from: l.server, to: l.client, chunks: make(chan chunk, 64)}
	var flows sync.WaitGroup
	for _, f := range []*flow{&up, &down} {
		flows.Go(f.read)
		flows.Go(f.write)
	}
	flows.Wait()
	l.end()
	l.proxy.mu.Lock()
	defer l.proxy.mu.Unlock()
	delete(l.proxy.links, l)
}

// flow is one direction of a link. What is read waits in chunks to be written.
type flow struct {
	link     *link
	from, to *net.TCPConn
	up       bool // to the store
	chunks   chan chunk
	sent     int // bytes
}

type chunk struct {
	bytes []byte
	came  time.Time
}

func (f *flow) read() {
	defer close(f.chunks)
	buf := make([]byte, 32<<10)
	var begun []byte // of a command
	for {
		n, err := f.from.Read(buf)
		switch {
		case n == 0:
		case f.up && f.link.proxy.scan != nil:
			begun = append(begun, buf[:n]...)
			for {
				size, name := f.link.proxy.scan(begun)
				if size == 0 {
					break
				}
				if !f.command(name, begun[:size]) {
					return
				}
				begun = begun[size:]
			}
		case !f.up && f.link.deaf.Load():
			reset(f.to)
		default:
			f.put(buf[:n])
		}
		if err != nil {
			if !f.up && f.link.held.Load() { // the store has ended it: there is nobody to tell
				f.link.end()
			}
			return
		}
	}
}

func (f *flow) put(b []byte) {
	select {
	case f.chunks <- chunk{bytes.Clone(b), time.Now()}:
	case <-f.link.ended:
	}
}

// command passes a command on, unless it is to be lost: then the link is at its end.
func (f *flow) command(name string, b []byte) bool {
	s, ok := f.link.proxy.hits(name)
	if !ok {
		f.put(b)
		return true
	}
	if s.lost {
		reset(f.from)
	} else {
		f.link.deaf.Store(true)
		f.put(b)
	}
	if s.held {
		f.link.held.Store(true)
		<-f.link.ended
	}
	return false
}

func (f *flow) write() {
	for c := range f.chunks {
		if !f.pass(c) {
			f.link.end()
			break
		}
	}
	for range f.chunks { // its reader may wait
	}
	_ = f.to.CloseWrite()
}

// pass writes a chunk as the conditions have it. It returns false at the link's end.
func (f *flow) pass(c chunk) bool {
	p := f.link.proxy
	met := false
	for len(c.bytes) > 0 {
		w, changed := p.look()
		if !met && !w.none() {
			met = true
			p.mu.Lock()
			p.chunksHit++
			p.mu.Unlock()
		}
		n, at := w.next(c)
		if f.link.forgotten.Load() {
			at = time.Now().Add(time.Hour)
		}
		switch f.waitUntil(at, changed) {
		case conditionsChanged:
			continue
		case linkEnded:
			return false
		}
		if w.reset {
			reset(f.link.client)
			return false
		}
		if !f.up && w.limit > 0 {
			if n = min(n, w.limit-f.sent); n <= 0 {
				return false
			}
		}
		b := c.bytes[:n]
		if !f.up && w.mangle != nil {
			b, n = w.mangle(c.bytes), len(c.bytes)
		}
		if _, err := f.to.Write(b); err != nil {
			return false
		}
		f.sent += n
		c.bytes = c.bytes[n:]
	}
	return true
}

// next returns how many bytes of a chunk pass next, and when.
func (w *conditions) next(c chunk) (n int, at time.Time) {
	n, at = len(c.bytes), c.came.Add(w.latency)
	if w.slice > 0 {
		n = min(n, 1+rand.IntN(2*w.slice))
		at = latest(at, time.Now().Add(time.Millisecond))
	}
	if w.rate > 0 {
		n = min(n, max(w.rate/10, 1))
		at = latest(at, time.Now().Add(time.Duration(n)*time.Second/time.Duration(w.rate)))
	}
	if w.blackHole {
		at = time.Now().Add(time.Hour)
	}
	return n, at
}

// Why waitUntil returns.
type wakeup int

const (
	timeCame wakeup = iota
	conditionsChanged
	linkEnded
)

// waitUntil waits until a time, unless the conditions change or the link ends before.
func (f *flow) waitUntil(at time.Time, changed <-chan struct{}) wakeup {
	d := time.Until(at)
	if d <= 0 {
		return timeCame
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return timeCame
	case <-changed:
		return conditionsChanged
	case <-f.link.ended:
		return linkEnded
	}
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
