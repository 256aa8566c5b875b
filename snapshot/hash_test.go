package snapshot

import (
	"fmt"
	"math"
	"testing"

	"github.com/popupd/popupd/popup"
)

// TestPublishedHash holds values computed apart from this code. They never
// change: users would move in and out of rollouts and between variants.
func TestPublishedHash(t *testing.T) {
	for _, c := range []struct {
		purpose, salt, uid string
		want               uint64
	}{
		{"rollout", "spring-sale", "u-1", 0x4bfe6b055cdd4c48},
		{"variant", "spring-sale", "u-1", 0xe00e3520dfdf0fed},
		{"rollout", "s1", "u-1", 0x4abdf53526ce4106},
		{"rollout", "spring-sale", "用户-42", 0x646fc31ed214ba14},
		{"variant", "spring-sale", "a-user-id-that-is-longer-than-the-32-bytes-of-one-stripe", 0x96f728a9f5da89d9},
	} {
		l := newStickyHash(c.purpose, c.salt)
		for range 2 { // a draw leaves no trace
			if got := l.sum([]byte(c.uid)); got != c.want {
				t.Errorf("H(%s, %s, %s) = %#x, want %#x", c.purpose, c.salt, c.uid, got, c.want)
			}
		}
	}
	// For spring-sale and u-1: 0x4bfe6b055cdd4c48 mod 10000 = 7192, 0xe00e3520dfdf0fed mod 200 = 21.
	spec := `"rollout":{"percent":%s,"salt":"spring-sale"},"variants":[{"key":"a","weight":%d},{"key":"b","weight":%d}]`
	for _, c := range []struct {
		percent string
		weight  int
		reason  popup.Reason
		variant string
	}{
		{"71.92", 21, popup.NotInRollout, "b"}, {"71.93", 22, popup.Eligible, "a"},
	} {
		p := mustCompile(t, row(1, fmt.Sprintf(spec, c.percent, c.weight, 200-c.weight))).Popup(1)
		if got := p.Gate(request("u-1"), defaultPlacement, nowMS); got != c.reason {
			t.Errorf("rollout of %s %%: %v, want %v", c.percent, got, c.reason)
		}
		if got := string(p.Variant([]byte("u-1")).Key); got != c.variant {
			t.Errorf("weights %d and %d: variant %s, want %s", c.weight, 200-c.weight, got, c.variant)
		}
	}
}

func TestSaltIsTheKeyUnlessGiven(t *testing.T) {
	s := mustCompile(t, row(1, `"rollout":{"percent":50}`), row(2, `"rollout":{"percent":50,"salt":"p1"}`), row(3, `"rollout":{"percent":50}`))
	same, others := 0, 0
	for i := range 1000 {
		r := request(fmt.Sprint("u", i))
		first := s.Popup(1).Gate(r, defaultPlacement, nowMS)
		if first == s.Popup(2).Gate(r, defaultPlacement, nowMS) {
			same++
		}
		if first == s.Popup(3).Gate(r, defaultPlacement, nowMS) {
			others++
		}
	}
	if same != 1000 || others < 400 || others > 600 {
		t.Errorf("of 1000 users %d agree under the same salt and %d under another, want 1000 and about 500", same, others)
	}
}

// TestShares draws 100,000 users: the shares are those configured, and the
// variant does not depend on the rollout.
func TestShares(t *testing.T) {
	p := mustCompile(t, row(1, `"rollout":{"percent":30},"variants":[{"key":"a","weight":1},{"key":"none","weight":0},{"key":"b","weight":3},{"key":"c","weight":1,"control":true}]`)).Popup(1)
	const users = 100_000
	in, variants, controls := 0, map[string]int{}, 0
	for i := range users {
		r := request(fmt.Sprint("user-", i))
		if p.Gate(r, defaultPlacement, nowMS) != popup.Eligible {
			continue
		}
		in++
		v := p.Variant(r.User)
		variants[string(v.Key)]++
		if v.Control {
			controls++
		}
	}
	near := func(name string, got int, of int, share float64) {
		// Five standard deviations.
		want, slack := float64(of)*share, 5*math.Sqrt(float64(of)*share*(1-share))
		if math.Abs(float64(got)-want) > slack {
			t.Errorf("%s: %d, want %.0f within %.0f", name, got, want, slack)
		}
	}
	near("rollout", in, users, 0.3)
	near("variant a", variants["a"], in, 0.2)
	near("variant b", variants["b"], in, 0.6)
	near("variant c", variants["c"], in, 0.2)
	if variants["none"] != 0 || controls != variants["c"] {
		t.Errorf("variants %v, controls %d", variants, controls)
	}
}

func TestRolloutOnlyGrows(t *testing.T) {
	smaller, greater := mustCompile(t, row(1, `"rollout":{"percent":12.34}`)).Popup(1), mustCompile(t, row(1, `"rollout":{"percent":12.35}`)).Popup(1)
	for i := range 20_000 {
		r := request(fmt.Sprint("u", i))
		if smaller.Gate(r, defaultPlacement, nowMS) == popup.Eligible && greater.Gate(r, defaultPlacement, nowMS) != popup.Eligible {
			t.Fatalf("user %s left when the rollout grew", r.User)
		}
	}
}
