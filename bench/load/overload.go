//go:build linux

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
	goalAnswered    = 0.9                    // of the answers a second without shedding
	goalAnsweredP99 = 70 * time.Millisecond  // of every client
	goalRejectedP99 = 300 * time.Millisecond // of clients that heed Retry-After
	goalMemory      = 64 << 10               // bytes for each client, at the peak
	goalRecovery    = 5 * time.Second        // after the end of it
)

// overloads are kinds of clients, each of which ask for ten times and more of
// what popupd can answer.
var overloads = []clients{
	{Name: "heed Retry-After", N: 14000, Pause: 50 * time.Millisecond, Heed: true, Actions: true},
	{Name: "come back at once", N: 14000, Pause: 50 * time.Millisecond, Actions: true},
	{Name: "connect for three requests, and come back at once", N: 6000, Pause: 100 * time.Millisecond, PerConnection: 3, Actions: true},
	{Name: "poll without a pause", N: 9000},
}

// overloadRun is what clients did to popupd.
type overloadRun struct {
	clientResult
	probe     seen
	busy      float64 // share of its core that popupd took
	rss       int64   // peak
	recovery  time.Duration
	recovered bool
}

// runOverload has more clients than popupd can answer, with and without shedding.
func (t *task) runOverload(ctx context.Context) error {
	if t.pin && runtime.NumCPU() > 1 {
		if err := pinSelf(1); err != nil {
			return err
		}
	}
	bed, err := testbed.New(ctx)
	if err != nil {
		return err
	}
	defer bed.Close()
	var b strings.Builder
	fmt.Fprintf(&b, "# Overload\n\n%s- load average before: %s\n\n", testbed.Environment(t.command), loadAverage())
	b.WriteString(overloadHead)
	b.WriteString("| clients | popupd | answers | of those without shedding | their p50, p99 | the probe's p99 | rejections | their p50, p99 | the probe's p99 | failed | popupd busy | memory | over in |\n|---|---|---|---|---|---|---|---|---|---|---|---|---|\n")
	var missed []string
	for i := range overloads {
		c := &overloads[i]
		unshed, err := t.overload(ctx, bed, c, "", "0s")
		if err != nil {
			return err
		}
		row := func(name string, r *overloadRun) {
			over := "not in 5 s"
			if r.recovered {
				over = fmt.Sprintf("%.1f s", r.recovery.Seconds())
			}
			fmt.Fprintf(&b, "| %d that %s | %s | %s/s | %.2f | %s, %s | %s | %s/s | %s, %s | %s | %d | %.0f %% | %d MB | %s |\n",
				c.N, c.Name, name, thousands(r.AnsweredRate), r.AnsweredRate/unshed.AnsweredRate, ms(r.Answered.P50), ms(r.Answered.P99), ms(r.probe.p99),
				thousands(r.RejectRate), ms(r.Rejected.P50), ms(r.Rejected.P99), ms(r.probe.shedP99), r.Failed, 100*r.busy, r.rss>>20, over)
		}
		row("`-shed-after 0`", unshed)
		if t.before != "" {
			r, err := t.overload(ctx, bed, c, t.before, "50ms")
			if err != nil {
				return err
			}
			row("before", r)
		}
		r, err := t.overload(ctx, bed, c, "", "50ms")
		if err != nil {
			return err
		}
		row("now", r)
		for _, miss := range r.missed(c, unshed) {
			missed = append(missed, fmt.Sprintf("%d that %s: %s", c.N, c.Name, miss))
		}
	}
	if err := t.writeOut("overload.md", b.String()); err != nil {
		return err
	}
	if len(missed) > 0 {
		return fmt.Errorf("%w: %s", errGoal, strings.Join(missed, "; "))
	}
	return nil
}

// missed returns the goals that a run has missed.
func (r *overloadRun) missed(c *clients, unshed *overloadRun) (goals []string) {
	miss := func(is bool, format string, args ...any) {
		if is {
			goals = append(goals, fmt.Sprintf(format, args...))
		}
	}
	rejectedP99 := r.probe.shedP99
	if c.Heed {
		rejectedP99 = max(rejectedP99, r.Rejected.P99)
	}
	answers := r.AnsweredRate / unshed.AnsweredRate
	miss(answers < goalAnswered, "%.2f of the answers", answers)
	miss(max(r.Answered.P99, r.probe.p99) > goalAnsweredP99, "p99 of answers %s, of the probe's %s", ms(r.Answered.P99), ms(r.probe.p99))
	miss(rejectedP99 > goalRejectedP99, "p99 of rejections %s", ms(rejectedP99))
	miss(r.rss > int64(c.N)*goalMemory, "%d MB", r.rss>>20)
	miss(!r.recovered || r.recovery > goalRecovery, "over in %v", r.recovery)
	return goals
}

const overloadHead = `popupd is on one core with embedded stores, the clients are on the other. Each of them waits for a response before it sends the next request; three kinds
report 50 actions with forged tokens a request, which takes popupd longer than the clients. A probe polls up to 800 times a second meanwhile, over 32 connections
and from threads that go before the clients'; it heeds Retry-After. Latency is from the first byte that is sent, or from connect(), to the last one read.
Over: from the end of the load until half a second in which the probe gets all its answers, with a p99 of at most 70 ms.

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

// ms returns a duration in ms, - for none.
func ms(d time.Duration) string {
	if d == 0 {
		return "-"
	}
	return fmt.Sprintf("%.1f ms", d.Seconds()*1000)
}

// overload measures one popupd, "" for this tree's, under the load of clients.
func (t *task) overload(ctx context.Context, bed *testbed.Testbed, c *clients, binary, shedAfter string) (*overloadRun, error) {
	fmt.Fprintf(os.Stderr, "%d that %s, popupd %s -shed-after %s\n", c.N, c.Name, binary, shedAfter)
	cores, others := "", "0-"+strconv.Itoa(runtime.NumCPU()-1)
	if t.pin && runtime.NumCPU() > 1 {
		cores, others = "0", "1"
	}
	server, err := bed.Popupd(testbed.PopupdOptions{Binary: binary, Cores: cores, Flags: []string{"-shed-after", shedAfter}})
	if err != nil {
		return nil, err
	}
	defer server.Stop()
	if err := c.prepare(ctx, server); err != nil {
		return nil, err
	}
	r := new(overloadRun)
	w := &probe{address: netip.MustParseAddrPort(server.Address), close: c.PerConnection > 0}
	probing, stopProbe := context.WithCancel(ctx)
	var done sync.WaitGroup
	defer done.Wait()
	defer stopProbe()
	done.Go(func() { w.run(probing) })

	c.Settle, c.Duration = 5*time.Second, t.duration(10*time.Second)
	begin := time.Now().Add(c.Settle)
	end := begin.Add(c.Duration)
	busy := make(chan float64, 1)
	go func() { busy <- busyBetween(ctx, server, begin, end) }()
	results, err := c.begin(ctx, others)
	if err != nil {
		return nil, err
	}
	for counting := true; counting; {
		select {
		case r.clientResult = <-results:
			counting = false
		case <-time.After(50 * time.Millisecond):
			if rss, err := testbed.RSS(server.Pid()); err == nil {
				r.rss = max(r.rss, rss)
			}
		}
	}
	if r.busy = <-busy; r.AnsweredRate == 0 && ctx.Err() == nil {
		return nil, errors.New("the clients got no answers")
	}
	r.probe = w.between(begin, end)
	for !r.recovered && time.Since(end) < goalRecovery+time.Second && sleep(ctx, 100*time.Millisecond) {
		r.recovery, r.recovered = w.recovery(end, goalAnsweredP99)
	}
	return r, ctx.Err()
}

// busyBetween returns the share of a core that popupd takes between two times.
func busyBetween(ctx context.Context, server *testbed.Popupd, from, to time.Time) float64 {
	sleep(ctx, time.Until(from))
	before, _ := server.CPU()
	sleep(ctx, time.Until(to))
	after, _ := server.CPU() // of a process that is gone, all of it
	return (after - before).Seconds() / to.Sub(from).Seconds()
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
