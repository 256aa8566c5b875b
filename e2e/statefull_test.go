//go:build linux

package e2e

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// TestStateFull fills the memory for users: new ones are shown nothing and counted,
// those who are known go on by the rules, act, and are not shown anything too early,
// also by a server that starts again with the same memory.
func TestStateFull(t *testing.T) {
	t.Parallel()
	st := startStores(t)
	s := start(t, append(st.args(), "-state-max", "512KiB")...)
	once.create(s)
	h := newHistory(once)
	known := s.waitShown(h, "known", time.Second)
	full := func() float64 { return s.mustMetric("popupd_state_full_total") }
	flood(s, h, "fill", 30*time.Second, func() bool { return full() > 2000 })
	if n := s.mustMetric(`popupd_rejections_total{reason="state_full"}`); n == 0 {
		t.Error("no poll was rejected because the state is full")
	}
	if n := s.mustMetric("popupd_state_bytes"); n > 512<<10 {
		t.Errorf("the state takes %v bytes, its budget is 512 KiB", n)
	}
	if n := strings.Count(s.Log(), "users' state is full"); n != 1 {
		t.Errorf("%d lines say that the state is full, want one", n)
	}
	in := s.mustMetric("popupd_state_entries")
	for start := range 3 {
		refused := 0
		for n := range 20 {
			if s.mustAsk(fmt.Sprintf("unknown-%d-%d", start, n)) == nil {
				refused++
			}
		}
		if refused < 10 { // where a shard has a slot left somebody gets in
			t.Errorf("start %d: only %d of 20 new users are shown nothing", start, refused)
		}
		v := &loadClient{load: &load{server: s, history: h}, rand: rand.New(rand.NewPCG(0, 0))}
		if v.poll(known) {
			t.Errorf("start %d: a known user is shown the popup again", start)
		}
		again := 0
		for n := range 300 { // whoever got in
			for g := range 8 {
				if p := s.mustAsk(fmt.Sprintf("fill-%d-%d", g, n)); p != nil {
					again++
				}
			}
		}
		if again > 0 {
			t.Errorf("start %d: %d of the first 2400 users are shown the popup again", start, again)
		}
		if n := s.mustMetric("popupd_state_entries"); n < in {
			t.Errorf("start %d: %v entries, there were %v", start, n, in)
		}
		if start == 0 {
			v.act(known, "once", known.seen["once"].latest, "dismiss")
			s.Kill()
		} else {
			s.stop()
		}
		s.restart()
		if log := s.Log(); strings.Contains(log, "left out") || strings.Contains(log, "left_out") {
			t.Errorf("start %d: what users were shown does not fit any more", start)
		}
	}
}
