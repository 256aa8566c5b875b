package plan

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/popupd/popupd/internal/cli"
)

func planOf(t *testing.T, flags string) *plan {
	t.Helper()
	c, err := cli.ParsePlan(strings.Fields(flags), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	p, err := of(c)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestLoad(t *testing.T) {
	tests := []struct {
		name, flags                     string
		served, average, pairs, entries float64 // average 0: not looked at
	}{
		{"all that is asked for", "-polls 1000 -users 1e9 -serve 0.1 -average 0.5 -clicks 0", 100, 50, 10e9, 50 * 7 * day},
		{"no more than waits allow", "-polls 1000 -users 86400 -popups 1 -serve 1 -clicks 0", 1000, 1, 86400, 86400},
		{"waits of clicks and of all else", "-polls 1000 -users 86400 -popups 1 -serve 1 -clicks 0.5 -after-click 72h", 1000, 0.5, 86400, 86400},
		{"a wait is longer than actions are reported", "-polls 1000 -users 1e9 -serve 0.1 -average 1 -clicks 0.5 -after-click 720h", 100, 100, 10e9, 100 * (15 + 3.5) * day},
		{"a wait that does not end", "-polls 1000 -users 100 -popups 4 -after-click forever", 100, 400 / (0.1*year + 0.9*day), 400, 400},
		{"impressions are limited", "-polls 1 -users 100 -popups 4 -serve 0.0001 -capped", 0.0001, 0.00005, 400, 400},
		{"no wait at all", "-polls 1000 -users 10 -popups 1 -serve 1 -after-click 0s -after-dismiss 0s -after-impression 0s", 1000, 10, 10, 10},
		{"popups that a user is not shown", "-polls 10 -users 100 -popups 50 -seen 2.5", 1, 0, 250, 250},
	}
	for _, test := range tests {
		l := planOf(t, test.flags).Load
		if test.average == 0 {
			test.average = l.AverageServed
		}
		for _, v := range []struct {
			what      string
			got, want float64
		}{{"served", l.Served, test.served}, {"on average", l.AverageServed, test.average}, {"pairs", l.Pairs, test.pairs}, {"entries", l.Entries, test.entries}} {
			if math.Abs(v.got-v.want) > 1e-9*v.want {
				t.Errorf("%s: %s %v, want %v", test.name, v.what, v.got, v.want)
			}
		}
	}
}

func TestServers(t *testing.T) {
	tests := []struct {
		name, flags string
		needed      int
		scope       string
		stateMax    int64
		note        string
	}{
		{"the least there is", "-polls 1 -users 1", 1, scopeAll, 64 << 20, "ends at"},
		{"too many polls for one", "-polls 500000 -users 1000", 4, scopeAll, 64 << 20, "ends at 141,036"},
		{"too many events for one flusher", "-polls 100000 -users 1000 -serve 1 -cores 64", 5, scopeAll, 64 << 20, "not measured"},
		{"all users fit", "-polls 100 -users 16e6 -popups 10 -capped", 1, scopeAll, 86 * 64 << 20, "-state-scope all"},
		{"they do not", "-polls 100 -users 19e6 -popups 10 -capped", 1, scopeHashed, 64 << 20, "of 190 million entries"},
		{"as it is asked for", "-polls 100 -users 1000 -state-scope hashed", 1, scopeHashed, 64 << 20, "10 a second are looked up"},
		{"who comes takes two servers", "-polls 100000 -users 1e9 -popups 10 -capped", 2, scopeHashed, 77 * 64 << 20, "24 million users come in half an hour"},
	}
	for _, test := range tests {
		p := planOf(t, test.flags)
		if s := p.Servers; s.Needed != test.needed || s.Count != test.needed+1 || s.StateScope != test.scope || s.StateMax != test.stateMax {
			t.Errorf("%s: %d of %d servers with -state-scope %s -state-max %s, want %d, %s, %s", test.name, s.Needed, s.Count, s.StateScope, size(s.StateMax), test.needed, test.scope, size(test.stateMax))
		}
		if notes := strings.Join(p.Notes, "\n"); !strings.Contains(notes, test.note) {
			t.Errorf("%s: no %q in\n%s", test.name, test.note, notes)
		}
	}
}

func TestImpossible(t *testing.T) {
	for flags, want := range map[string]string{
		"-polls 1e9 -users 1 -cores 0.1":                             "servers of 0.1 cores",
		"-polls 100 -users 19e6 -popups 10 -capped -state-scope all": "190 million entries take 6.38GiB on each server, of which 8GiB has room for 183 million",
	} {
		c, err := cli.ParsePlan(strings.Fields(flags), nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := Run(c, &bytes.Buffer{}); !errors.Is(err, cli.ErrUsage) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", flags, err, want)
		}
	}
}

// TestTables: rows stay as long as they are said to.
func TestTables(t *testing.T) {
	const flags = "-polls 100 -users 1e9 -popups 3 -serve 0.1 -average 1 -clicks 0 -actions 1 -variants 2 -uid-bytes 20"
	want := map[string]float64{
		"event": 20 * 90 * day, "impression": 10 * impressionDays * day, "user_popup": 10 * year, "experiment_user": 10 * year,
		"popup_stats": 3 * 2 * 365 * 24, "popup_why_not": 3 * whyNotReasons * 90 * 24,
	}
	m := planOf(t, flags).MySQL
	var disk float64
	for _, table := range m.Tables {
		if math.Abs(table.Rows-want[table.Name]) > 1 {
			t.Errorf("%v rows of %s, want %v", table.Rows, table.Name, want[table.Name])
		}
		disk += table.Bytes
	}
	if disk != m.Disk || len(m.Tables) != len(want) {
		t.Errorf("%d tables of %v bytes, want %d of %v", len(m.Tables), m.Disk, len(want), disk)
	}
	if bytes := m.Tables[0].Bytes; bytes != 20*90*day*(eventRow+4) {
		t.Errorf("%v bytes of event", bytes)
	}
	forever := planOf(t, flags+" -retention 0s")
	if rows := forever.MySQL.Tables[0].Rows; rows != 20*year || !strings.Contains(strings.Join(forever.Notes, "\n"), "never emptied") {
		t.Errorf("-retention 0s: %v rows of event, notes %q", rows, forever.Notes)
	}
}

// TestLargest: the largest load that is taken has figures that can be read.
func TestLargest(t *testing.T) {
	text := output(t, strings.Fields("-polls 3.9e6 -users 1e12 -popups 1000000 -serve 1 -actions 100 -average 1 -cores 1024 -memory 24TiB -retention 2000000h -connections 1000000000")...)
	if !strings.Contains(text, "PiB") || strings.Contains(text, "-9") || strings.Contains(text, "Inf") || strings.Contains(text, "NaN") {
		t.Error(text)
	}
}

func TestJSON(t *testing.T) {
	var got plan
	text := output(t, "-polls", "1000", "-users", "1e6", "-json")
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		t.Fatal(err)
	}
	if want := planOf(t, "-polls 1000 -users 1e6"); got.Servers != want.Servers || got.MySQL.Disk != want.MySQL.Disk || len(got.Notes) == 0 {
		t.Errorf("-json prints %s", text)
	}
}

func TestNumbers(t *testing.T) {
	for n, want := range map[float64]string{0: "0", 0.5: "0.5", 1: "1", 1.75: "1.8", 12.4: "12", 999: "999", 1000: "1,000", 999_499: "999,499", 999_600: "1 million", 1_234_567: "1.23 million", 123_456_789: "123 million", 2.5e9: "2.5 billion", 4e15: "4000 trillion"} {
		if got := count(n); got != want {
			t.Errorf("count(%v) = %q, want %q", n, got, want)
		}
	}
	for n, want := range map[float64]string{1: "0.01MiB", 1 << 20: "1MiB", 999 << 20: "999MiB", 1000 << 20: "0.98GiB", 3 << 30: "3GiB", 1500 << 30: "1.47TiB", 1 << 60: "1024PiB"} {
		if got := about(n); got != want {
			t.Errorf("about(%v) = %q, want %q", n, got, want)
		}
	}
	for n, want := range map[int64]string{64 << 20: "64MiB", 1 << 30: "1GiB", 1<<30 + 1: "1025MiB"} {
		if got := size(n); got != want {
			t.Errorf("size(%d) = %q, want %q", n, got, want)
		}
	}
}
