//go:build linux

package main

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// scenario is a mix of requests, in percent.
type scenario struct {
	name  string
	title string
	nothing, served,
	actions int
	highest int // requests/s that popupd stays below: what actions are collected for
}

var scenarios = []scenario{
	{name: "nothing", title: "nothing to show (204)", nothing: 100},
	{name: "served", title: "served (200, each request another user)", served: 100},
	{name: "actions", title: "actions (202, each request another impression)", actions: 100, highest: 100_000},
	{name: "mix", title: "the mix (90 % nothing, 8 % served, 2 % actions)", nothing: 90, served: 8, actions: 2, highest: 200_000},
}

// parseScenarios reads the flag -scenario.
func parseScenarios(list string) ([]scenario, error) {
	if list == "" {
		return scenarios, nil
	}
	var chosen []scenario
	for name := range strings.SplitSeq(list, ",") {
		i := slices.IndexFunc(scenarios, func(s scenario) bool { return s.name == name })
		if i < 0 {
			return nil, fmt.Errorf("-scenario: unknown scenario %q", name)
		}
		chosen = append(chosen, scenarios[i])
	}
	return chosen, nil
}

// mode is how requests use connections.
type mode struct {
	title   string
	header  string // line that each request has besides
	highest int    // as of a scenario
}

var modes = []mode{
	{title: "keep-alive", highest: 200_000},
	{title: "one connection per request", header: "Connection: close\r\n", highest: 40_000},
}

// actionsFor returns how many bodies of actions a trial may use up, its warm-up
// included.
func (s scenario) actionsFor(m mode, connections int, duration time.Duration) int {
	if s.actions == 0 {
		return 0
	}
	seconds := (warmUp + duration).Seconds()
	return int(seconds*float64(min(s.highest, m.highest)*s.actions)/100) + 4*connections
}

// used returns how many requests of a kind wrk may have sent, given its share
// and the requests that were answered: some more were under way at the end, and
// one was made up to see what the script returns.
func used(share int, answered int64, connections int) int {
	if share == 0 {
		return 0
	}
	return int(answered)*share/100 + connections + 2
}
