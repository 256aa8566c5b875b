//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/popupd/popupd/internal/testbed"
	"golang.org/x/sys/unix"
)

// clients are many clients of popupd, each of which waits for a response before
// it sends the next request. One thread with epoll serves them all, so that they
// take less of their core than popupd of its own.
//
// They are a process of their own, or the probe would wait for them within Go's
// scheduler: the mode clients, which reads this from stdin and writes a clientResult.
type clients struct {
	Name          string
	N             int
	Pause         time.Duration // between a response and the next request, or connection
	PerConnection int           // requests; 0: all
	Heed          bool          // come back when Retry-After says
	Actions       bool          // report 50 actions with forged tokens a request, which leave nothing to record, else poll

	Address  string
	Request  []byte
	Settle   time.Duration // until all are connected; what is before is not counted
	Duration time.Duration // from then on
}

// clientResult is what clients have seen.
type clientResult struct {
	Answered, Rejected       latencies
	AnsweredRate, RejectRate float64 // a second
	Failed                   int64
}

// latencies are quantiles.
type latencies struct{ P50, P99 time.Duration }

// client is one of them. It waits for its turn to send, for the connection, or
// for a response.
type client struct {
	fd         int // -1: not connected
	connecting bool
	waiting    bool // for a response
	sent       time.Duration
	requests   int // on this connection
}

// wheelSlots bounds a pause: each slot is a millisecond.
const wheelSlots = 1 << 13

// fleet runs clients.
type fleet struct {
	clients
	to    netip.AddrPort
	all   []client
	epoll int
	start time.Time
	now   time.Duration
	wheel [wheelSlots][]int32 // clients by when they send next
	tick  int64               // the slot that was emptied last, counted on
	in    [8 << 10]byte

	answered, rejected []time.Duration
	failed             int64
}

// runClients is the mode clients.
func runClients(in io.Reader, out io.Writer) error {
	var f fleet
	if err := json.NewDecoder(in).Decode(&f.clients); err != nil {
		return err
	}
	r, err := f.run()
	if err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(r)
}

// begin starts the clients. The result comes when they end.
func (c *clients) begin(ctx context.Context, cores string) (<-chan clientResult, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, "taskset", "-c", cores, self, "clients")
	cmd.Stdin, cmd.Stderr = bytes.NewReader(text), os.Stderr
	results := make(chan clientResult, 1)
	go func() {
		defer close(results)
		var r clientResult
		if out, err := cmd.Output(); err == nil && json.Unmarshal(out, &r) == nil {
			results <- r
		}
	}()
	return results, nil
}

func (f *fleet) run() (*clientResult, error) {
	runtime.LockOSThread()
	var err error
	if f.to, err = netip.ParseAddrPort(f.Address); err != nil {
		return nil, err
	}
	if f.epoll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	defer unix.Close(f.epoll)
	f.start = time.Now()
	f.all = make([]client, f.N)
	for i := range f.all {
		f.all[i].fd = -1
		f.sendIn(int32(i), rand.N(f.Pause+time.Second))
	}
	if err := f.until(f.Settle); err != nil {
		return nil, err
	}
	f.answered, f.rejected, f.failed = f.answered[:0], f.rejected[:0], 0
	if err := f.until(f.Settle + f.Duration); err != nil {
		return nil, err
	}
	r := &clientResult{
		Answered: latencies{quantile(f.answered, 0.5), quantile(f.answered, 0.99)}, AnsweredRate: float64(len(f.answered)) / f.Duration.Seconds(),
		Rejected: latencies{quantile(f.rejected, 0.5), quantile(f.rejected, 0.99)}, RejectRate: float64(len(f.rejected)) / f.Duration.Seconds(),
		Failed: f.failed,
	}
	for i := range f.all {
		f.close(&f.all[i])
	}
	return r, nil
}

// until serves the clients until a time.
func (f *fleet) until(end time.Duration) error {
	events := make([]unix.EpollEvent, 256)
	for f.now = time.Since(f.start); f.now < end; {
		n, err := unix.EpollWait(f.epoll, events, 1)
		if err != nil && err != unix.EINTR {
			return os.NewSyscallError("epoll_wait", err)
		}
		for _, e := range events[:max(n, 0)] {
			f.now = time.Since(f.start)
			f.ready(e.Fd, e.Events)
		}
		f.now = time.Since(f.start)
		for ; f.tick < f.now.Milliseconds(); f.tick++ {
			slot := &f.wheel[f.tick%wheelSlots]
			due := *slot
			*slot = nil
			for _, i := range due {
				f.send(i)
			}
			if *slot == nil {
				*slot = due[:0]
			}
		}
	}
	return nil
}

// sendIn has a client send its next request after a pause.
func (f *fleet) sendIn(i int32, pause time.Duration) {
	slot := &f.wheel[max((f.now+pause).Milliseconds(), f.tick)%wheelSlots]
	*slot = append(*slot, i)
}

// send sends a request, or connects to do so.
func (f *fleet) send(i int32) {
	c := &f.all[i]
	c.sent = f.now
	if c.fd >= 0 {
		f.write(i)
		return
	}
	if err := f.connect(i); err != nil {
		f.fail(i)
	}
}

func (f *fleet) connect(i int32) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	c := &f.all[i]
	*c = client{fd: fd, connecting: true, sent: c.sent}
	// A port each from several addresses: one has too few of them.
	if err := unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1); err != nil {
		return err
	}
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 1, byte(1 + i%64)}}); err != nil {
		return err
	}
	if err := unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1); err != nil {
		return err
	}
	const edges = unix.EPOLLIN | unix.EPOLLOUT | unix.EPOLLRDHUP | unix.EPOLLET&0xffffffff
	if err := unix.EpollCtl(f.epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: edges, Fd: i}); err != nil {
		return err
	}
	if err := unix.Connect(fd, &unix.SockaddrInet4{Addr: f.to.Addr().As4(), Port: int(f.to.Port())}); err != unix.EINPROGRESS {
		return err
	}
	return nil
}

func (f *fleet) write(i int32) {
	c := &f.all[i]
	c.waiting = true
	c.requests++
	if n, err := unix.Write(c.fd, f.Request); err != nil || n < len(f.Request) {
		f.fail(i)
	}
}

// ready takes an event of a connection.
func (f *fleet) ready(i int32, events uint32) {
	c := &f.all[i]
	switch {
	case c.fd < 0:
	case c.connecting:
		if events&(unix.EPOLLERR|unix.EPOLLHUP) != 0 {
			f.fail(i)
		} else if events&unix.EPOLLOUT != 0 {
			c.connecting = false
			f.write(i)
		}
	case events&(unix.EPOLLIN|unix.EPOLLERR|unix.EPOLLHUP) != 0:
		n, err := unix.Read(c.fd, f.in[:])
		if err == unix.EAGAIN {
			return
		}
		if err != nil || n <= 0 || !c.waiting {
			// The server may close a connection that is idle.
			if waited := c.waiting; waited {
				f.fail(i)
			} else {
				f.close(c)
			}
			return
		}
		f.received(i, f.in[:n])
	}
}

// received takes a response, which comes in one piece.
func (f *fleet) received(i int32, b []byte) {
	c := &f.all[i]
	c.waiting = false
	status, retryAfter, last := parseResponse(b)
	pause, last := f.Pause, last || c.requests == f.PerConnection
	switch status {
	case http.StatusOK, http.StatusNoContent, http.StatusAccepted:
		f.answered = append(f.answered, f.now-c.sent)
		if f.PerConnection > 0 && !last {
			pause = 0
		}
	case http.StatusServiceUnavailable:
		f.rejected = append(f.rejected, f.now-c.sent)
		if f.Heed {
			// Spread over the second that the whole number stands for.
			pause = retryAfter + rand.N(time.Second)
		}
		last = last || f.PerConnection > 0
	default:
		f.fail(i)
		return
	}
	if last {
		f.close(c)
	}
	if pause == 0 {
		f.send(i)
	} else {
		f.sendIn(i, pause)
	}
}

// parseResponse returns the status, 0 if it is not the whole of a response.
func parseResponse(b []byte) (status int, retryAfter time.Duration, last bool) {
	header, body, whole := bytes.Cut(b, []byte("\r\n\r\n"))
	if !whole || len(header) < 12 {
		return 0, 0, false
	}
	if n := field(header, "Content-Length: "); n != len(body) {
		return 0, 0, false
	}
	status, _ = strconv.Atoi(string(header[9:12]))
	return status, time.Duration(field(header, "Retry-After: ")) * time.Second, bytes.Contains(header, []byte("Connection: close"))
}

// field returns the number in a field, 0 if there is none.
func field(header []byte, name string) (n int) {
	_, rest, _ := bytes.Cut(header, []byte("\r\n"+name))
	for _, d := range rest {
		if d < '0' || d > '9' {
			break
		}
		n = 10*n + int(d-'0')
	}
	return n
}

// fail counts a request or connection that failed, and has the client try again.
func (f *fleet) fail(i int32) {
	f.failed++
	f.close(&f.all[i])
	f.sendIn(i, f.Pause+10*time.Millisecond)
}

func (f *fleet) close(c *client) {
	if c.fd >= 0 {
		unix.Close(c.fd)
		c.fd = -1
	}
}

// prepare makes a popup that everybody has seen, and the request.
func (c *clients) prepare(ctx context.Context, server *testbed.Popupd) error {
	if err := server.Create(ctx, `{"key":"hello","status":"active","variants":[{"key":"a","content":{"title":"Hello"}}]}`); err != nil {
		return err
	}
	var shown struct {
		Token string `json:"token"`
	}
	for _, uid := range []string{"probe", "clients"} { // the probe has seen all then
		answer, err := ask(ctx, "GET", "http://"+server.Address+"/v1/poll?uid="+uid, "", "", http.StatusOK)
		if err != nil {
			return err
		}
		if err := json.Unmarshal([]byte(answer.Body), &shown); err != nil {
			return err
		}
	}
	c.Address = server.Address
	if !c.Actions {
		c.Request = []byte("GET /v1/poll?uid=clients HTTP/1.1\r\nHost: popupd\r\n\r\n")
		return nil
	}
	click := fmt.Sprintf(`{"token":%q,"action":"click"}`, shown.Token[:len(shown.Token)-2]+"AA")
	body := "[" + strings.Repeat(click+",", 49) + click + "]"
	c.Request = fmt.Appendf(nil, "POST /v1/actions HTTP/1.1\r\nHost: popupd\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
	return nil
}
