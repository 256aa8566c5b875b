package snapshot

import (
	"fmt"
	"slices"
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
		{"variant", "spring-sale\x00a", "u-1", 0x49efff175271b0d8},
		{"rollout", "s1", "u-1", 0x4abdf53526ce4106},
		{"rollout", "spring-sale", "用户-42", 0x646fc31ed214ba14},
		{"variant", "spring-sale\x00a", "a-user-id-that-is-longer-than-the-32-bytes-of-one-stripe", 0x9f0211e00fd06eae},
		{"holdout", "", "u-1", 0xf3412f32da4a3e97},
		{"holdout", "q3", "用户-42", 0x8c3285cf989ec615},
	} {
		l := newStickyHash(c.purpose, c.salt)
		for range 2 { // a draw leaves no trace
			if got := l.sum([]byte(c.uid)); got != c.want {
				t.Errorf("H(%s, %s, %s) = %#x, want %#x", c.purpose, c.salt, c.uid, got, c.want)
			}
		}
	}
	// For spring-sale and u-1: 0x4bfe6b055cdd4c48 mod 10000 = 7192.
	for percent, want := range map[string]popup.Reason{"71.92": popup.NotInRollout, "71.93": popup.Eligible} {
		p := mustCompile(t, row(1, fmt.Sprintf(`"rollout":{"percent":%s,"salt":"spring-sale"}`, percent))).Popup(1)
		if got := gateOf(p, request("u-1"), defaultPlacement, nowMS); got != want {
			t.Errorf("rollout of %s %%: %v, want %v", percent, got, want)
		}
	}
}

func TestSaltIsTheKeyUnlessGiven(t *testing.T) {
	s := mustCompile(t, row(1, `"rollout":{"percent":50}`), row(2, `"rollout":{"percent":50,"salt":"p1"}`), row(3, `"rollout":{"percent":50}`))
	same, others := 0, 0
	for i := range 1000 {
		r := request(fmt.Sprint("u", i))
		first := s.Gate(s.Popup(1), r, defaultPlacement, nowMS)
		if first == s.Gate(s.Popup(2), r, defaultPlacement, nowMS) {
			same++
		}
		if first == s.Gate(s.Popup(3), r, defaultPlacement, nowMS) {
			others++
		}
	}
	if same != 1000 || others < 400 || others > 600 {
		t.Errorf("of 1000 users %d agree under the same salt and %d under another, want 1000 and about 500", same, others)
	}
}

func TestRolloutOnlyGrows(t *testing.T) {
	var rollouts []*Popup
	for _, percent := range []string{"10", "12.34", "12.35", "20", "40"} {
		rollouts = append(rollouts, mustCompile(t, row(1, `"rollout":{"percent":`+percent+`}`)).Popup(1))
	}
	in := make([]int, len(rollouts))
	for i := range 20_000 {
		r, before := request(fmt.Sprint("u", i)), false
		for k, p := range rollouts {
			now := gateOf(p, r, defaultPlacement, nowMS) == popup.Eligible
			if before && !now {
				t.Fatalf("user %s left when the rollout grew", r.User)
			}
			if before = now; now {
				in[k]++
			}
		}
	}
	if !slices.IsSorted(in) || in[0] < 1800 || in[2] == in[1] {
		t.Errorf("of 20,000 users %v are in rollouts of 10, 12.34, 12.35, 20 and 40 %%", in)
	}
}
