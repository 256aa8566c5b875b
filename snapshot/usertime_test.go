package snapshot

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/popupd/popupd/popup"
)

// TestUserTimeAtAnyOffset holds what the index finds open, kept for each distance from UTC,
// against the clocks of users at distances of all kinds, who poll in turn: those of today,
// and those off the quarter hour, which share one slot.
func TestUserTimeAtAnyOffset(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	var rows []popup.Row
	var windows [][2]string
	for i := range 48 { // together around the clock, some of a few minutes only
		from, length := 30*i+rng.IntN(10), []int{1, 3, 30, 200}[rng.IntN(4)]
		windows = append(windows, [2]string{clockOf(from), clockOf((from + length) % minutesPerDay)})
		rows = append(rows, row(uint32(i+1), fmt.Sprintf(`"schedule":{"user_time":true,"timezone":"UTC","hours":[[%q,%q]]}`, windows[i][0], windows[i][1])))
	}
	s := mustCompile(t, rows...)
	locations := map[string]*time.Location{
		"Odd/East": time.FixedZone("", 5*3600+7*60), "Odd/Seconds": time.FixedZone("", 5*3600+7*60+31), "Odd/West": time.FixedZone("", -(3*3600 + 44*60 + 30)),
		"Odd/Far": time.FixedZone("", 15*3600+13*60), "Odd/Farther": time.FixedZone("", -16*3600), "Odd/Farthest": time.FixedZone("", 16*3600+15*60),
	}
	for name, location := range locations {
		of := &userZone{name: name}
		of.once.Do(func() { of.zone = newZone(location) })
		s.users[name] = of
	}
	for _, name := range []string{"UTC", "Etc/GMT+12", "Pacific/Kiritimati", "Asia/Kolkata", "Asia/Kathmandu", "America/St_Johns", "Africa/Monrovia", "Europe/Amsterdam", "Asia/Manila", "America/Juneau", "Pacific/Apia"} {
		location, err := popup.LoadZone(name)
		if err != nil {
			t.Fatal(err)
		}
		locations[name] = location
	}
	var m Matches
	for _, day := range []string{
		"1840-06-01T00:00:00Z", "1890-03-01T00:00:00Z", // clocks go by the sun; Manila's are 15:56 behind London
		"1937-06-30T23:30:00Z", "1971-12-31T23:59:00Z", // Monrovia's are 0:44:30 behind, until 1972
		"2026-03-28T12:00:00Z", "2099-12-31T23:59:00Z",
	} {
		at := ms(t, day)
		for range 60 {
			at += []int64{1, 999, 1000, 29_000, 60_000, 7 * 60_000}[rng.IntN(6)]
			for name, location := range locations {
				r := &popup.Request{User: []byte("u"), Zone: []byte(name)}
				clock, open := time.UnixMilli(at).In(location).Format("15:04"), ""
				for i, w := range windows {
					if w[0] < w[1] && w[0] <= clock && clock < w[1] || w[0] > w[1] && (w[0] <= clock || clock < w[1]) {
						open += fmt.Sprintf("p%d.1 ", i+1)
					}
				}
				s.Match(&m, r, defaultPlacement, at)
				found := ""
				for p := m.Next(); p != nil; p = m.Next() {
					found += p.Key + ".1 "
				}
				if found != open {
					t.Fatalf("%s at %s, where it is %s: found %s, want %s", name, time.UnixMilli(at).UTC(), clock, found, open)
				}
			}
		}
	}
}

func clockOf(minute int) string { return fmt.Sprintf("%02d:%02d", minute/60, minute%60) }
