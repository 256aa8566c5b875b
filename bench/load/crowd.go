package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/popupd/popupd/internal/testbed"
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
	Pause  time.Duration // between an answer and the next request, or visit
	Visit  int           // requests to a connection; 0: all
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
	{Name: "clients that heed Retry-After", N: 14000, Pause: 50 * time.Millisecond, Polite: true},
	{Name: "clients that come back at once", N: 14000, Pause: 50 * time.Millisecond},
	{Name: "clients that connect for three requests, back at once", N: 6000, Pause: 100 * time.Millisecond, Visit: 3},
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
	for asked := 1; ; asked++ {
		if _, err := conn.Write(c.Request); err != nil {
			break
		}
		resp, err := http.ReadResponse(in, nil)
		if err != nil {
			break
		}
		io.Copy(io.Discard, resp.Body)
		pause = c.Pause
		done := asked == c.Visit || resp.Close
		switch resp.StatusCode {
		case http.StatusAccepted:
			c.taken.Add(1)
		case http.StatusServiceUnavailable:
			c.shed.Add(1)
			if seconds, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil && c.Polite {
				// Spread over the second that the whole number stands for.
				pause = time.Duration(seconds)*time.Second + time.Duration(rand.Int64N(int64(time.Second)))
			}
			done = done || c.Visit > 0
		default:
			c.failed.Add(1)
		}
		if done {
			return pause
		}
		if c.Visit == 0 && !sleep(ctx, pause) {
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

// prepare makes the request of the crowd: fifty times a click that has been counted.
func (c *crowd) prepare(ctx context.Context, server *testbed.Popupd) error {
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
	c.Request = fmt.Appendf(nil, "POST /v1/actions HTTP/1.1\r\nHost: popupd\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
	c.Address = server.Address
	return nil
}
