//go:build linux

package main

import (
	"strings"
	"testing"
	"time"
)

func TestParseScenarios(t *testing.T) {
	for list, want := range map[string]string{"": "nothing served actions mix", "mix,nothing": "mix nothing", "nonsense": "error", "mix,": "error"} {
		got := "error"
		if chosen, err := parseScenarios(list); err == nil {
			var names []string
			for _, s := range chosen {
				names = append(names, s.name)
			}
			got = strings.Join(names, " ")
		}
		if got != want {
			t.Errorf("%q: got %s, want %s", list, got, want)
		}
	}
}

func TestParseRivals(t *testing.T) {
	for list, want := range map[string]string{"": "popupd", "nginx,bare": "popupd nginx bare", "apache": "error", "popupd": "error"} {
		got := "error"
		if names, err := parseRivals(list); err == nil {
			got = strings.Join(names, " ")
		}
		if got != want {
			t.Errorf("%q: got %s, want %s", list, got, want)
		}
	}
}

func TestActionsFor(t *testing.T) {
	for _, c := range []struct {
		s    scenario
		want int
	}{{scenarios[0], 0}, {scenarios[2], 500_040}, {scenarios[3], 20_040}} {
		if got := c.s.actionsFor(modes[0], 10, 4*time.Second); got != c.want {
			t.Errorf("%s: %d, want %d", c.s.name, got, c.want)
		}
	}
}
