package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/popupd/popupd/internal/testbed"
)

// Goals of overload.
const (
	goalOverload = 3               // times the unloaded p99, of what is answered
	goalRecovery = 5 * time.Second // after the end of it
)

// pressed is what a crowd did to popupd.
type pressed struct {
	calm, during        seen
	taken, shed, failed float64 // of the crowd, a second
	asked               float64 // what it would have asked for, a second, had each been answered at once
	busy                float64 // share of its core that popupd took
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
	fmt.Fprintf(&b, "# More than can be answered\n\n%s- load average before: %s\n\n", testbed.Environment(t.command), loadAverage())
	b.WriteString(overloadHead)
	b.WriteString("| crowd | -shed-after | asked for | taken | shed | failed | popupd busy | watch: p50, p99 calm | p50, p99 in the crowd | times the p99 | shed, p99 | memory: peak, after | recovered in |\n|---|---|---|---|---|---|---|---|---|---|---|---|---|\n")
	missed := ""
	for i := range crowds {
		for _, after := range []string{"50ms", "0s"} {
			p, err := t.press(ctx, &crowds[i], after)
			if err != nil {
				return err
			}
			times := p.during.p99.Seconds() / p.calm.p99.Seconds()
			recovered := "not in 5 s"
			if p.recovered {
				recovered = fmt.Sprintf("%.1f s", p.recovery.Seconds())
			}
			fmt.Fprintf(&b, "| %d %s | %s | %s/s, %.1f times what it can | %s/s | %s/s | %s/s | %.0f %% | %s | %s | %.1f | %d of %d, %s | %d, %d MB | %s |\n",
				crowds[i].N, crowds[i].Name, after, thousands(p.asked), p.asked/p.capacity, thousands(p.taken), thousands(p.shed), thousands(p.failed), 100*p.busy,
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
the limit and not the clients. Each client of it asks twenty times a second, or comes for three requests ten times: that is what is asked for; what
popupd can is what 16 clients without a pause get, over connections like the crowd's. A watch polls up to 800 times a second meanwhile, from threads
that go before the crowd's; beside a crowd that connects anew it does so for each request, and its latency counts from connect(). Recovered: from the
end of the crowd until half a second in which all is answered, p99 within the goal.

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
	r, err := testbed.New(ctx)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	cores, others := "", "0-"+strconv.Itoa(runtime.NumCPU()-1)
	if t.pin && runtime.NumCPU() > 1 {
		cores, others = "0", "1"
	}
	server, err := r.Popupd(testbed.PopupdOptions{Cores: cores, Flags: []string{"-shed-after", after}})
	if err != nil {
		return nil, err
	}
	if err := c.prepare(ctx, server); err != nil {
		return nil, err
	}
	p := new(pressed)
	w := &watch{address: netip.MustParseAddrPort(server.Address), close: c.Visit > 0}
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
	measure := crowd{N: 16, Visit: c.Visit, Address: c.Address, Request: c.Request, Settle: time.Second, Duration: 2 * time.Second}
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
	end := begin.Add(c.Duration)
	busy := make(chan float64, 1)
	go func() { busy <- busyBetween(ctx, server, begin, end) }()
	if counted, err = c.start(ctx, others); err != nil {
		return nil, err
	}
	for counting := true; counting; {
		select {
		case n = <-counted:
			counting = false
		case <-time.After(50 * time.Millisecond):
			if rss, err := testbed.RSS(server.Pid()); err == nil {
				p.rss = max(p.rss, rss)
			}
		}
	}
	p.busy = <-busy
	if n.Seconds == 0 && ctx.Err() == nil {
		return nil, errors.New("the crowd failed")
	}
	p.taken, p.shed, p.failed = float64(n.Taken)/n.Seconds, float64(n.Shed)/n.Seconds, float64(n.Failed)/n.Seconds
	p.asked = float64(c.N*max(1, c.Visit)) / c.Pause.Seconds()
	p.during = w.between(begin, end)
	sleep(ctx, goalRecovery+time.Second)
	p.recovery, p.recovered = w.recovery(end, goalOverload*p.calm.p99)
	p.rssAfter, err = testbed.RSS(server.Pid())
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return p, err
}

// busyBetween returns the share of a core that popupd takes between two times.
func busyBetween(ctx context.Context, server *testbed.Popupd, from, to time.Time) float64 {
	sleep(ctx, time.Until(from))
	before, _ := server.CPU()
	sleep(ctx, time.Until(to))
	after, _ := server.CPU() // of a process that is gone, all of it
	return (after - before).Seconds() / to.Sub(from).Seconds()
}
