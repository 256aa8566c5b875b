package handler

import (
	"fmt"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/popupd/popupd/frequency"
	"github.com/popupd/popupd/popup"
	"github.com/popupd/popupd/snapshot"
)

const (
	oneADay = `{"key":"daily","max":1,"per_sec":86400}`
	// Three that no user fills who is shown a popup a second, and another one.
	roomy = `{"key":"a","max":10,"per_sec":5},{"key":"b","max":15,"per_sec":10},{"key":"c","max":20,"per_sec":15}`
	// Three that have room for the tenth impression of a user.
	roomForTen = `{"key":"day","max":10,"per_sec":86400},{"key":"week","max":15,"per_sec":604800},{"key":"month","max":20,"per_sec":2592000}`
)

// underCaps has the server show popups of these specs under caps.
func underCaps(caps string, specs ...string) func(*Config) {
	return func(c *Config) {
		snap, err := compile(nil, 1, `{"caps":[`+caps+`]}`, specs...)
		if err != nil {
			panic(err)
		}
		c.Snapshots = snapshot.NewStore()
		c.Snapshots.Set(snap)
		longest := int64(0)
		for _, limit := range snap.Caps() {
			longest = max(longest, 1000*limit.PerSec)
		}
		if longest > 0 {
			c.Users.KeepImpressions(func(uint32) int64 { return longest })
		}
	}
}

// A cap that is full stops a poll, which says so and when to ask again.
func TestPollStoppedByCap(t *testing.T) {
	f := newServer(t, underCaps(oneADay, everyTime, everyTime)).start()
	f.sees("u", "p1")
	f.clock.advance(23*time.Hour + 58*time.Minute)
	f.sees("u", "")
	f.counts(1, "popupd_rejections_total", "reason", "cap")
	f.clock.advance(2*time.Minute + 100*time.Millisecond)
	f.sees("u", "p2")
}

// BenchmarkHotPollCaps polls as users who were shown nine popups within a day, with three
// caps, which all count them, and without. Each user polls once before all begin anew, and
// has polled before since the caps have changed.
func BenchmarkHotPollCaps(b *testing.B) {
	const users = 1024
	for _, poll := range []struct {
		name   string
		ready  time.Duration // when the popup that was shown last returns
		caps   string
		status int
	}{
		{"served/caps=none", 0, "", 200},
		{"served/caps=3", 0, roomForTen, 200},
		{"cooldown/caps=none", time.Hour, "", 204},
		{"cooldown/caps=3", time.Hour, roomForTen, 204},
		{"full/caps=3", 0, `{"key":"day","max":9,"per_sec":86400},` + roomForTen[len(`{"key":"day","max":10,"per_sec":86400},`):], 204},
	} {
		b.Run(poll.name, func(b *testing.B) {
			contexts := make([]*fasthttp.RequestCtx, users)
			for i := range contexts {
				contexts[i] = newContext(b, get(fmt.Sprintf("/v1/poll?uid=u-%08d&placement=default&platform=ios&country=CN&a.plan=pro", i))(nil, 0))
			}
			var f *fixture
			begin := func() {
				f = newServer(b, func(c *Config) {
					c.Journal = noJournal{}
					underCaps(poll.caps, everyTime)(c)
				})
				for i := range contexts {
					user := fmt.Appendf(nil, "u-%08d", i)
					for n := range int64(9) {
						at := startMS - (9-n)*time.Hour.Milliseconds()
						f.config.Users.Restore(user, 1, popup.State{
							Impressions: uint32(n + 1), ServedAtMS: at, ShownAtMS: at, AtMS: at, Last: popup.Impression, NextAtMS: startMS + poll.ready.Milliseconds(),
						})
						f.config.Users.RestoreImpression(user, 1, at, 0)
					}
					u, snap := f.config.Users.Lock(user), f.config.Snapshots.Current()
					u.CheckCaps(new(frequency.Verdict), snap.Popup(1).Caps, new(frequency.FullCaps), snap, startMS)
					u.Unlock()
				}
			}
			begin()
			for i := range contexts { // whose answers take memory once
				f.handle(contexts[i])
			}
			i := users
			b.ReportAllocs()
			for b.Loop() {
				if i == users {
					b.StopTimer()
					i = 0
					begin()
					b.StartTimer()
				}
				ctx := contexts[i]
				ctx.Response.Reset()
				f.handle(ctx)
				if got := ctx.Response.StatusCode(); got != poll.status {
					b.Fatalf("status %d, want %d", got, poll.status)
				}
				i++
			}
		})
	}
}
