package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/popupd/popupd/bench/rig"
)

// Goals of overload.
const (
	goalOverload = 3               // times the unloaded p99, of what is answered
	goalRecovery = 5 * time.Second // after the end of it
)

// crowd is many clients that ask for more than popupd can answer. What they ask
// is dear, 50 actions that are known already, so that popupd on its core is the
// limit and the clients on theirs are not.
//
// It is a process of its own, or the watch would wait for it within Go's
// scheduler: the mode crowd, which reads this from stdin and writes a count.
type crowd struct {
	Name   string
	N      int
	Pause  time.Duration // between an answer and the next request
	Close  bool          // a connection per request
	Polite bool          // comes back when Retry-After says

	Address  string
	Request  []byte
	Settle   time.Duration // until they are all there; what is before is not counted
	Duration time.Duration // from then on

	taken, shed, failed atomic.Int64
}

// count is what became of the requests of a crowd.
type count struct {
	Taken, Shed, Failed int64
	Seconds             float64
}

// runCrowd is the mode crowd.
func runCrowd(ctx context.Context, in io.Reader, out io.Writer) error {
	var c crowd
	if err := json.NewDecoder(in).Decode(&c); err != nil {
		return err
	}
	pressing, stop := context.WithTimeout(ctx, c.Settle+c.Duration)
	defer stop()
	var all sync.WaitGroup
	all.Go(func() { c.run(pressing) })
	sleep(ctx, c.Settle)
	begin, before := time.Now(), count{Taken: c.taken.Load(), Shed: c.shed.Load(), Failed: c.failed.Load()}
	<-pressing.Done()
	n := count{
		Taken: c.taken.Load() - before.Taken, Shed: c.shed.Load() - before.Shed, Failed: c.failed.Load() - before.Failed,
		Seconds: time.Since(begin).Seconds(),
	}
	all.Wait()
	return json.NewEncoder(out).Encode(n)
}

// start lets the crowd loose. The count comes when it ends.
func (c *crowd) start(ctx context.Context, cores string) (<-chan count, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, "taskset", "-c", cores, self, "crowd")
	cmd.Stdin, cmd.Stderr = bytes.NewReader(text), os.Stderr
	counted := make(chan count, 1)
	go func() {
		defer close(counted)
		var n count
		if out, err := cmd.Output(); err == nil && json.Unmarshal(out, &n) == nil {
			counted <- n
		}
	}()
	return counted, nil
}

var crowds = []crowd{
	{Name: "clients that heed Retry-After", N: 14000, Pause: 100 * time.Millisecond, Polite: true},
	{Name: "clients that come back at once", N: 14000, Pause: 100 * time.Millisecond},
	{Name: "one connection per request, back at once", N: 6000, Pause: 100 * time.Millisecond, Close: true},
}

// run asks until ctx ends.
func (c *crowd) run(ctx context.Context) {
	var all sync.WaitGroup
	for i := range c.N {
		all.Go(func() {
			sleep(ctx, time.Duration(rand.Int64N(int64(c.Pause)+int64(time.Second))))
			dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 1, byte(1+i%64))}, Timeout: 10 * time.Second}
			for ctx.Err() == nil {
				sleep(ctx, c.session(ctx, &dialer))
			}
		})
	}
	all.Wait()
}

// session asks on one connection until it is closed, and returns when to try again.
func (c *crowd) session(ctx context.Context, dialer *net.Dialer) (pause time.Duration) {
	conn, err := dialer.DialContext(ctx, "tcp", c.Address)
	if err != nil {
		if ctx.Err() == nil {
			c.failed.Add(1)
		}
		return c.Pause
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.SetDeadline(time.Now()) })()
	in := bufio.NewReaderSize(conn, 4096)
	for {
		if _, err := conn.Write(c.Request); err != nil {
			break
		}
		resp, err := http.ReadResponse(in, nil)
		if err != nil {
			break
		}
		io.Copy(io.Discard, resp.Body)
		switch resp.StatusCode {
		case http.StatusAccepted:
			c.taken.Add(1)
		case http.StatusServiceUnavailable:
			c.shed.Add(1)
			if seconds, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil && c.Polite {
				// Spread over the second that the whole number stands for.
				return time.Duration(seconds)*time.Second + time.Duration(rand.Int64N(int64(time.Second)))
			}
			return c.Pause
		default:
			c.failed.Add(1)
		}
		if c.Close || resp.Close {
			return c.Pause
		}
		if !sleep(ctx, c.Pause) {
			return 0
		}
	}
	if ctx.Err() == nil {
		c.failed.Add(1)
	}
	return c.Pause
}

// sleep waits and reports whether ctx goes on.
func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// sample is one request of the watch.
type sample struct {
	at      time.Time
	latency time.Duration
	status  int // 0: none
}

// watch asks for a poll now and then, over keep-alive connections or with one
// for each, on a few threads that go before all others, so that what it sees is
// popupd and not the crowd on its own core. Latency is from the first byte that
// is sent, or from connect, to the last one read.
type watch struct {
	address netip.AddrPort
	close   bool

	mu      sync.Mutex
	samples []sample
}

const (
	watchers   = 8
	watchPause = 10 * time.Millisecond // 800 requests a second in all, at most
)

func (w *watch) run(ctx context.Context) {
	var all sync.WaitGroup
	for range watchers {
		all.Go(func() {
			runtime.LockOSThread() // and never unlocked: the thread ends with its priority
			// Real time, where it may: nice(2) counts only within a session.
			_ = unix.SchedSetAttr(0, &unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_RR, Priority: 1}, 0)
			_ = unix.Prctl(unix.PR_SET_TIMERSLACK, 1000, 0, 0, 0)
			fd := -1
			for ctx.Err() == nil {
				var s sample
				fd, s = w.ask(fd)
				w.mu.Lock()
				w.samples = append(w.samples, s)
				w.mu.Unlock()
				pause := unix.NsecToTimespec(rand.Int64N(2 * int64(watchPause)))
				_ = unix.Nanosleep(&pause, nil)
			}
			if fd >= 0 {
				unix.Close(fd)
			}
		})
	}
	all.Wait()
}

// ask asks once and returns the connection for the next time, -1 if there is none.
func (w *watch) ask(fd int) (int, sample) {
	s := sample{at: time.Now()}
	end := func() (int, sample) {
		s.latency = time.Since(s.at)
		if fd >= 0 {
			unix.Close(fd)
		}
		return -1, s
	}
	if fd < 0 {
		var err error
		if fd, err = unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0); err != nil {
			return end()
		}
		_ = unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: 10})
		_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
		if err := unix.Connect(fd, &unix.SockaddrInet4{Addr: w.address.Addr().As4(), Port: int(w.address.Port())}); err != nil {
			return end()
		}
		if !w.close {
			s.at = time.Now()
		}
	}
	if _, err := unix.Write(fd, []byte("GET /v1/poll?uid=watch HTTP/1.1\r\nHost: popupd\r\n\r\n")); err != nil {
		return end()
	}
	var b [4096]byte
	n, err := unix.Read(fd, b[:])
	if err != nil || n < 13 {
		return end()
	}
	s.status, _ = strconv.Atoi(string(b[9:12]))
	if w.close || s.status != http.StatusNoContent {
		return end()
	}
	s.latency = time.Since(s.at)
	return fd, s
}

// seen are the samples from a time on.
func (w *watch) seen(from time.Time) (s seen) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var answered, shed []time.Duration
	for _, one := range w.samples {
		switch {
		case one.at.Before(from):
		case one.status == http.StatusNoContent:
			answered = append(answered, one.latency)
		case one.status == http.StatusServiceUnavailable:
			shed = append(shed, one.latency)
		default:
			s.failed++
		}
	}
	s.answered, s.shed = len(answered), len(shed)
	s.p50, s.p99 = quantile(answered, 0.5), quantile(answered, 0.99)
	s.shedP99 = quantile(shed, 0.99)
	return s
}

type seen struct {
	answered, shed, failed int
	p50, p99, shedP99      time.Duration
}

func quantile(all []time.Duration, q float64) time.Duration {
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	return all[min(len(all)-1, int(q*float64(len(all))))]
}

// recovery is how long after a time the last second of samples was again as if
// there had never been a crowd: all answered, and p99 within the limit.
func (w *watch) recovery(from time.Time, limit time.Duration) (time.Duration, bool) {
	const window = 500 * time.Millisecond
	for at := from; time.Since(at) > window; at = at.Add(50 * time.Millisecond) {
		s := w.between(at, at.Add(window))
		if s.shed == 0 && s.failed == 0 && s.answered > 0 && s.p99 <= limit {
			return at.Sub(from), true
		}
	}
	return 0, false
}

func (w *watch) between(from, to time.Time) seen {
	w.mu.Lock()
	part := &watch{}
	for _, s := range w.samples {
		if !s.at.Before(from) && s.at.Before(to) {
			part.samples = append(part.samples, s)
		}
	}
	w.mu.Unlock()
	return part.seen(from)
}

// pressed is what a crowd did to popupd.
type pressed struct {
	calm, during        seen
	taken, shed, failed float64 // of the crowd, a second
	asked               float64 // what it would have asked for, a second, had each been answered at once
	capacity            float64 // of such requests, a second, by as many clients as keep popupd busy
	rss, rssAfter       int64
	recovery            time.Duration
	recovered           bool
}

// runOverload lets crowds loose on popupd, with and without shedding.
func (t *task) runOverload(ctx context.Context) error {
	if t.pin && runtime.NumCPU() > 1 {
		if err := pinSelf(1); err != nil {
			return err
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "# Ten times too much\n\n%s- load average before: %s\n\n", rig.Environment(t.command), loadAverage())
	b.WriteString(overloadHead)
	b.WriteString("| crowd | -shed-after | asked for | taken | shed | failed | watch: p50, p99 calm | p50, p99 in the crowd | times the p99 | shed, p99 | memory: peak, after | recovered in |\n|---|---|---|---|---|---|---|---|---|---|---|---|\n")
	missed := ""
	for i := range crowds {
		for _, after := range []string{"20ms", "5ms", "0s"} {
			p, err := t.press(ctx, &crowds[i], after)
			if err != nil {
				return err
			}
			times := p.during.p99.Seconds() / p.calm.p99.Seconds()
			recovered := "not in 5 s"
			if p.recovered {
				recovered = fmt.Sprintf("%.1f s", p.recovery.Seconds())
			}
			fmt.Fprintf(&b, "| %d %s | %s | %s/s, %.1f times what it can | %s/s | %s/s | %s/s | %s | %s | %.1f | %d of %d, %s | %d, %d MB | %s |\n",
				crowds[i].N, crowds[i].Name, after, thousands(p.asked), p.asked/p.capacity, thousands(p.taken), thousands(p.shed), thousands(p.failed),
				msPair(p.calm), msPair(p.during), times, p.during.shed, p.during.answered+p.during.shed, ms(p.during.shedP99), p.rss>>20, p.rssAfter>>20, recovered)
			if after != "0s" && (times > goalOverload || !p.recovered || p.recovery > goalRecovery) {
				missed = fmt.Sprintf("%s: %.1f times the calm p99, recovered: %s", crowds[i].Name, times, recovered)
			}
		}
	}
	if err := t.writeOut("overload.md", b.String()); err != nil {
		return err
	}
	if missed != "" {
		return fmt.Errorf("%w: %s", errGoal, missed)
	}
	return nil
}

const overloadHead = `popupd on one core with embedded stores; clients on the other. A crowd reports 50 repeated actions with each request, so that popupd is
the limit and not the clients. Each client of it asks ten times a second: that is what is asked for; what popupd can is what 16 clients without a
pause get, over connections like the crowd's. A watch polls up to 800 times a second meanwhile, from threads that go before the crowd's; with one
connection per request its latency counts from connect(). Recovered: from the end of the crowd until half a second in which all is answered, p99
within the goal.

`

// loadAverage is that of the last minute: what else works on this machine.
func loadAverage() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	last, _, _ := strings.Cut(string(text), " ")
	return last
}

func ms(d time.Duration) string { return fmt.Sprintf("%.2f ms", d.Seconds()*1000) }

func msPair(s seen) string {
	return fmt.Sprintf("%.2f, %.2f ms", s.p50.Seconds()*1000, s.p99.Seconds()*1000)
}

func (t *task) press(ctx context.Context, c *crowd, after string) (*pressed, error) {
	fmt.Fprintf(os.Stderr, "%s, -shed-after %s\n", c.Name, after)
	r, err := rig.New(ctx)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	cores, others := "", "0-"+strconv.Itoa(runtime.NumCPU()-1)
	if t.pin && runtime.NumCPU() > 1 {
		cores, others = "0", "1"
	}
	server, err := r.Popupd(rig.Options{Cores: cores, Flags: []string{"-shed-after", after}})
	if err != nil {
		return nil, err
	}
	if err := c.prepare(ctx, server); err != nil {
		return nil, err
	}
	p := new(pressed)
	w := &watch{address: netip.MustParseAddrPort(server.Address), close: c.Close}
	watching, stopWatch := context.WithCancel(ctx)
	defer stopWatch()
	var done sync.WaitGroup
	defer done.Wait()
	defer stopWatch()
	done.Go(func() { w.run(watching) })

	// Calm, then the crowd, then calm again.
	start := time.Now()
	sleep(ctx, 5*time.Second)
	p.calm = w.between(start.Add(500*time.Millisecond), time.Now())
	measure := crowd{N: 16, Close: c.Close, Address: c.Address, Request: c.Request, Settle: time.Second, Duration: 2 * time.Second}
	counted, err := measure.start(ctx, others)
	if err != nil {
		return nil, err
	}
	n := <-counted
	if n.Taken == 0 {
		return nil, fmt.Errorf("%w: nothing was taken", errGoal)
	}
	p.capacity = float64(n.Taken) / n.Seconds
	sleep(ctx, time.Second)

	c.Settle, c.Duration = 3*time.Second, t.duration(15*time.Second)
	begin := time.Now().Add(c.Settle)
	if counted, err = c.start(ctx, others); err != nil {
		return nil, err
	}
	for counting := true; counting; {
		select {
		case n = <-counted:
			counting = false
		case <-time.After(50 * time.Millisecond):
			if rss, err := rig.RSS(server.Pid()); err == nil {
				p.rss = max(p.rss, rss)
			}
		}
	}
	end := begin.Add(c.Duration)
	if n.Seconds == 0 && ctx.Err() == nil {
		return nil, errors.New("the crowd failed")
	}
	p.taken, p.shed, p.failed = float64(n.Taken)/n.Seconds, float64(n.Shed)/n.Seconds, float64(n.Failed)/n.Seconds
	p.asked = float64(c.N) / c.Pause.Seconds()
	p.during = w.between(begin, end)
	sleep(ctx, goalRecovery+time.Second)
	p.recovery, p.recovered = w.recovery(end, goalOverload*p.calm.p99)
	p.rssAfter, err = rig.RSS(server.Pid())
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return p, err
}

// prepare makes the request of the crowd: fifty times a click that has been counted.
func (c *crowd) prepare(ctx context.Context, server *rig.Popupd) error {
	if err := server.Create(ctx, `{"key":"hello","status":"active","variants":[{"key":"a","content":{"title":"Hello"}}]}`); err != nil {
		return err
	}
	var shown struct {
		Token string `json:"token"`
	}
	for _, uid := range []string{"watch", "crowd"} { // the watch has seen all then
		answer, err := ask(ctx, "GET", "http://"+server.Address+"/v1/poll?uid="+uid, "", "", http.StatusOK)
		if err != nil {
			return err
		}
		if err := json.Unmarshal([]byte(answer.Body), &shown); err != nil {
			return err
		}
	}
	click := fmt.Sprintf(`{"token":%q,"action":"click"}`, shown.Token)
	body := "[" + strings.Repeat(click+",", 49) + click + "]"
	end := ""
	if c.Close {
		end = "Connection: close\r\n"
	}
	c.Request = fmt.Appendf(nil, "POST /v1/actions HTTP/1.1\r\nHost: popupd\r\nContent-Type: text/plain\r\n%sContent-Length: %d\r\n\r\n%s", end, len(body), body)
	c.Address = server.Address
	return nil
}
