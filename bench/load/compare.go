//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/popupd/popupd/bench/openloop"
	"github.com/popupd/popupd/internal/testbed"
)

// goalRatio is what popupd's p99 may be of a bare handler's at half of the peak.
const goalRatio = 1.2

// rates of compare: half of the peak that popupd is built for, and the peak.
var rates = []float64{peak / 2, peak}

// servedPath is how a rival knows that it shall answer with a popup: as long as
// the path of polls.
const servedPath = "/v1/show"

// trials are the results of one server at one rate.
type trials struct {
	results []*openloop.Result
	cpu     []float64 // % of a core
}

func (a *trials) of(pick func(*openloop.Result) float64) []float64 {
	var all []float64
	for _, r := range a.results {
		all = append(all, pick(r))
	}
	return all
}

func p50(r *openloop.Result) float64  { return r.Latency.P50 }
func p99(r *openloop.Result) float64  { return r.Latency.P99 }
func p999(r *openloop.Result) float64 { return r.Latency.P999 }

// runCompare gives popupd and a bare fasthttp handler the same requests on the
// same core in turn. The handler answers with popupd's bytes; popupd decides,
// journals, ships and flushes besides, to MariaDB and Redis on the other core.
func (t *task) runCompare(ctx context.Context) error {
	popupd, bare := make([]trials, len(rates)), make([]trials, len(rates))
	for round := range t.rounds {
		// Both are started anew: where a process lies in memory makes a
		// difference that lasts as long as it does.
		if err := t.compareOnce(ctx, round, popupd, bare); err != nil {
			return err
		}
	}
	text, missed := t.compareTable(popupd, bare)
	if t.out != "" {
		if err := t.plotCompare(popupd, bare); err != nil {
			return err
		}
		text += "\n![latency by percentile](compare.svg)\n"
	}
	if err := t.writeOut("compare.md", text); err != nil {
		return err
	}
	for _, all := range append(popupd, bare...) {
		for _, r := range all.results {
			if err := verdict(r); err != nil {
				return err
			}
		}
	}
	if missed != "" {
		return fmt.Errorf("%w: %s", errGoal, missed)
	}
	return nil
}

// compareTable is the report, and the goal that was missed, "" if none was.
func (t *task) compareTable(popupd, bare []trials) (text, missed string) {
	var b strings.Builder
	fmt.Fprintf(&b, "# popupd and a bare fasthttp handler at half of the peak and at the peak\n\n%s\n", testbed.Environment(t.command))
	fmt.Fprintf(&b, "Open loop, mix %v; the server on one core, the generator and popupd's stores on the other; %d rounds, medians. popupd records every popup and click, and flushes them to MariaDB; the handler sends the same bytes.\n\n",
		t.offer.Mix, t.rounds)
	b.WriteString("| requests/s | server | p50 ms | p99 ms | p99.9 ms | CPU of the server | p99 / bare's, a round |\n|---|---|---|---|---|---|---|\n")
	for i, rate := range rates {
		var ratios []float64
		for round := range t.rounds {
			ratios = append(ratios, popupd[i].results[round].Latency.P99/bare[i].results[round].Latency.P99)
		}
		row := func(name string, a trials, last string) {
			fmt.Fprintf(&b, "| %s | %s | %.2f | %.2f | %.2f | %.0f %% of a core | %s |\n", thousands(rate), name, median(a.of(p50)), median(a.of(p99)), median(a.of(p999)), median(a.cpu), last)
		}
		row("bare fasthttp", bare[i], "1")
		row("popupd", popupd[i], fmt.Sprintf("%.2f (%s)", median(ratios), list(ratios)))
		if m := median(ratios); i == 0 && m > goalRatio {
			missed = fmt.Sprintf("p99 is %.2f times bare fasthttp's, goal: at most %.1f", m, goalRatio)
		}
	}
	return b.String(), missed
}

// plotCompare draws the rounds of the median p99.
func (t *task) plotCompare(popupd, bare []trials) error {
	pick := func(all trials) *openloop.Result {
		want := median(all.of(p99))
		for _, r := range all.results {
			if r.Latency.P99 == want {
				return r
			}
		}
		return all.results[0]
	}
	series := map[string]*openloop.Result{}
	for i, rate := range rates {
		series[fmt.Sprintf("popupd, %s/s", thousands(rate))] = pick(popupd[i])
		series[fmt.Sprintf("bare fasthttp, %s/s", thousands(rate))] = pick(bare[i])
	}
	return writePlot(filepath.Join(t.out, "compare.svg"), "Latency of popupd and of a bare fasthttp handler on one core", t.command, series)
}

func list(values []float64) string {
	var all []string
	for _, v := range values {
		all = append(all, fmt.Sprintf("%.2f", v))
	}
	return strings.Join(all, ", ")
}

// compareOnce is a round: a trial of each server at each rate.
func (t *task) compareOnce(ctx context.Context, round int, popupd, bare []trials) error {
	s, err := newDeployment(ctx, t.pin, t.offer.Users)
	if err != nil {
		return err
	}
	defer s.Close()
	rival, address, err := s.startBare(ctx)
	if err != nil {
		return err
	}
	c := t.offer
	c.Duration, c.Seed = t.duration(10*time.Second), c.Seed+uint64(round)
	for i, rate := range rates {
		c.Rate = rate
		trial := func(into *trials, name string, p *testbed.Process, to netip.AddrPort, served string) error {
			c.Address, c.Served = to, served
			before, err := p.CPU()
			if err != nil {
				return err
			}
			start := time.Now()
			r, err := openloop.Run(ctx, c)
			if err != nil {
				return err
			}
			elapsed := time.Since(start)
			after, err := p.CPU()
			if err != nil {
				return err
			}
			into.results, into.cpu = append(into.results, r), append(into.cpu, percent(after-before, elapsed))
			fmt.Fprintf(os.Stderr, "round %d, %s requests/s: %s p50 %.2f, p99 %.2f, p99.9 %.2f ms, %d errors\n",
				round+1, thousands(rate), name, r.Latency.P50, r.Latency.P99, r.Latency.P999, r.Errors)
			return s.popupd.Drained(ctx)
		}
		first := func() error { return trial(&popupd[i], "popupd", s.popupd.Process, s.address(), "") }
		second := func() error { return trial(&bare[i], "bare fasthttp", rival, address, servedPath) }
		if round%2 == 1 {
			first, second = second, first
		}
		if err := first(); err != nil {
			return err
		}
		if err := second(); err != nil {
			return err
		}
	}
	return nil
}

// reply is an answer of popupd in the form in which rivals take it.
type reply struct {
	Path    string      `json:"path"`
	Status  int         `json:"status"`
	Headers [][2]string `json:"headers"`
	Body    string      `json:"body"`
}

// startBare starts a bare fasthttp handler on the core of popupd, with popupd's
// answers to a poll with nothing to show, to one with a popup, and to a click.
func (s *deployment) startBare(ctx context.Context) (*testbed.Process, netip.AddrPort, error) {
	base := "http://" + s.popupd.Address
	const query = "&placement=home&platform=ios&app_version=3.2.1&locale=zh-CN&country=CN"
	nothing, err := ask(ctx, "GET", base+"/v1/poll?uid=user-0000000"+query, "", "/v1/poll", http.StatusNoContent)
	if err != nil {
		return nil, netip.AddrPort{}, err
	}
	served, err := ask(ctx, "GET", base+"/v1/poll?uid=sample"+query, "", servedPath, http.StatusOK)
	if err != nil {
		return nil, netip.AddrPort{}, err
	}
	var shown struct {
		Token string `json:"token"`
	}
	if err := json.Unmarshal([]byte(served.Body), &shown); err != nil {
		return nil, netip.AddrPort{}, err
	}
	clicked, err := ask(ctx, "POST", base+"/v1/actions", fmt.Sprintf(`{"token":%q,"action":"click"}`, shown.Token), "/v1/actions", http.StatusAccepted)
	if err != nil {
		return nil, netip.AddrPort{}, err
	}
	replies, err := json.Marshal([]reply{nothing, served, clicked})
	if err != nil {
		return nil, netip.AddrPort{}, err
	}
	binary, err := s.Build("bench/rivals", "./bare")
	if err != nil {
		return nil, netip.AddrPort{}, err
	}
	var address netip.AddrPort
	p, err := s.Start(testbed.Program{Name: "bare", Args: []string{binary, string(replies)}, Cores: s.server, Ready: func(line string) bool {
		address, err = netip.ParseAddrPort(strings.TrimSpace(line))
		return err == nil
	}})
	return p, address, err
}

// ask sends one request to popupd and returns its answer under the path by which
// a rival shall know it.
func ask(ctx context.Context, method, url, body, path string, want int) (reply, error) {
	req, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return reply{}, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return reply{}, err
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	if err != nil {
		return reply{}, err
	}
	if resp.StatusCode != want {
		return reply{}, fmt.Errorf("%s %s: %s, want %d: %s", method, url, resp.Status, want, bytes.TrimSpace(got))
	}
	r := reply{Path: path, Status: want, Body: string(got)}
	for name, values := range resp.Header {
		if name != "Date" && name != "Content-Length" { // which every server sets
			r.Headers = append(r.Headers, [2]string{name, values[0]})
		}
	}
	return r, nil
}
