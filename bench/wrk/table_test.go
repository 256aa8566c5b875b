//go:build linux

package main

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// turnOf returns a turn of a server that had all of its core.
func turnOf(perSecond, cpu float64) turn {
	return turn{perSecond: perSecond, cpu: cpu, p50: time.Millisecond, p99: 2 * time.Millisecond, server: 1, wrk: 0.5}
}

func TestTable(t *testing.T) {
	names := []string{"popupd", "bare", "nginx"}
	all := []round{
		{turns: map[string]turn{"popupd": turnOf(90, 12), "bare": turnOf(100, 10), "nginx": turnOf(200, 5)}},
		{turns: map[string]turn{"popupd": turnOf(120, 9), "bare": turnOf(100, 10)}, void: map[string]error{"nginx": errors.New("wrk:\nbroken")}},
		{turns: map[string]turn{"popupd": turnOf(50, 22), "bare": turnOf(50, 20), "nginx": turnOf(150, 5)}},
	}
	for i := range all {
		nginx := all[i].turns["nginx"]
		nginx.server = 0.6
		if nginx.perSecond > 0 {
			all[i].turns["nginx"] = nginx
		}
		popupd := all[i].turns["popupd"]
		popupd.stored, popupd.late = counts{90, 10}, 25
		all[i].turns["popupd"] = popupd
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
	idle := turnOf(100, 5)
	idle.server = 0.5
	all := []round{{turns: map[string]turn{"popupd": idle, "nginx": idle, "bare": turnOf(1, 1)}}}
	for _, c := range []struct{ name, yardstick, want string }{
		{"popupd", "nginx", "?"}, {"popupd", "bare", "≥"}, {"bare", "nginx", "≤"}, {"nginx", "nginx", ""},
	} {
		if got := bound(all, c.name, c.yardstick); got != c.want {
			t.Errorf("%s to %s: %q, want %q", c.name, c.yardstick, got, c.want)
		}
	}
}

func TestVoidCells(t *testing.T) {
	got := table(scenarios[0], modes[0], []string{"popupd", "nginx"}, []round{{void: map[string]error{"nginx": errors.New("x")}, turns: map[string]turn{"popupd": turnOf(1, 1)}}})
	if want := "| nginx | void | void |"; !strings.Contains(got, want) {
		t.Errorf("no %q in\n%s", want, got)
	}
}
