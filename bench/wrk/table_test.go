//go:build linux

package main

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// trialOf returns a trial of a server that had all of its core.
func trialOf(perSecond, cpu float64) trial {
	return trial{perSecond: perSecond, cpu: cpu, p50: time.Millisecond, p99: 2 * time.Millisecond, server: 1, wrk: 0.5}
}

func TestTable(t *testing.T) {
	names := []string{"popupd", "bare", "nginx"}
	all := []round{
		{trials: map[string]trial{"popupd": trialOf(90, 12), "bare": trialOf(100, 10), "nginx": trialOf(200, 5)}},
		{trials: map[string]trial{"popupd": trialOf(120, 9), "bare": trialOf(100, 10)}, void: map[string]error{"nginx": errors.New("wrk:\nbroken")}},
		{trials: map[string]trial{"popupd": trialOf(50, 22), "bare": trialOf(50, 20), "nginx": trialOf(150, 5)}},
	}
	for i := range all {
		nginx := all[i].trials["nginx"]
		nginx.server = 0.6
		if nginx.perSecond > 0 {
			all[i].trials["nginx"] = nginx
		}
		popupd := all[i].trials["popupd"]
		popupd.stored, popupd.late = counts{90, 10}, 25
		all[i].trials["popupd"] = popupd
	}
	got := table(scenarios[1], modes[0], names, all)
	for _, want := range []string{
		"## served (200, each request another user), keep-alive\n",
		"| popupd | 90 | 1.00 | 2.00 | 12.0 | 100 % | 50 % | 1.00 | ≤0.39 | 1.10 | 3.40 |\n",
		"| bare fasthttp | 100 | 1.00 | 2.00 | 10.0 | 100 % | 50 % | 1.00 | ≤0.42 | 1.00 | 3.00 |\n",
		"| nginx | 175 | 1.00 | 2.00 | 5.0 | 60 % | 50 % | ≥2.50 | 1.00 | 0.38 | 1.00 |\n",
		"- popupd to bare fasthttp: requests/s 1.00 (0.90 to 1.20), CPU 1.10 (0.90 to 1.20); medians of 3 rounds and extremes\n",
		"- nginx left some of its core idle",
		"- popupd answered 200 270 times and 202 30 times; MariaDB has 300 events of that: all of them. 75 % were in it when wrk ended; with what is due afterwards, a core of popupd keeps up with 83333 requests/s\n",
		"- round 2 of nginx is void: wrk:; broken\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
}

func TestBoundOfTwoIdleServersIsNone(t *testing.T) {
	idle := trialOf(100, 5)
	idle.server = 0.5
	all := []round{{trials: map[string]trial{"popupd": idle, "nginx": idle, "bare": trialOf(1, 1)}}}
	for _, c := range []struct{ name, yardstick, want string }{
		{"popupd", "nginx", "?"}, {"popupd", "bare", "≥"}, {"bare", "nginx", "≤"}, {"nginx", "nginx", ""},
	} {
		if got := bound(all, c.name, c.yardstick); got != c.want {
			t.Errorf("%s to %s: %q, want %q", c.name, c.yardstick, got, c.want)
		}
	}
}

func TestVoidCells(t *testing.T) {
	got := table(scenarios[0], modes[0], []string{"popupd", "nginx"}, []round{{void: map[string]error{"nginx": errors.New("x")}, trials: map[string]trial{"popupd": trialOf(1, 1)}}})
	if want := "| nginx | void | void |"; !strings.Contains(got, want) {
		t.Errorf("no %q in\n%s", want, got)
	}
}
