package snapshot

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/popupd/popupd/popup"
)

// TestPublishedVariants holds values computed apart from this code, by a program in
// Python. They never change: users would move between variants.
func TestPublishedVariants(t *testing.T) {
	drawn := func(weights map[string]int) func(uid string) string {
		p := compileWeights(t, "spring-sale", weights)
		return func(uid string) string { return string(p.Variant([]byte(uid)).Key) }
	}
	equal, three := drawn(map[string]int{"a": 1, "b": 1}), drawn(map[string]int{"a": 5, "b": 3, "c": 2, "none": 0})
	for _, c := range []struct{ uid, equal, three string }{
		{"u-1", "b", "c"},
		{"u-2", "a", "a"},
		{"u-3", "b", "a"},
		{"u-4", "b", "b"},
		{"用户-42", "a", "a"},
		{"a-user-id-that-is-longer-than-the-32-bytes-of-one-stripe", "a", "a"},
	} {
		if got := equal(c.uid); got != c.equal {
			t.Errorf("%s sees %s of two equal variants, want %s", c.uid, got, c.equal)
		}
		if got := three(c.uid); got != c.three {
			t.Errorf("%s sees %s of three variants, want %s", c.uid, got, c.three)
		}
	}
	// The distances of u-1 are 7695582646 from a and 4075276965 from b.
	for b, want := range map[int]string{529: "a", 530: "b"} {
		if got := drawn(map[string]int{"a": 1000, "b": b})("u-1"); got != want {
			t.Errorf("weights 1000 and %d: u-1 sees %s, want %s", b, got, want)
		}
	}
}

func TestNegLog2(t *testing.T) {
	for _, c := range []struct{ h, want uint64 }{
		{0, 64 << 32}, {1, 64 << 32}, {2, 63 << 32}, {3, 268070544838}, {1<<63 - 1, 1<<32 + 1}, {1 << 63, 1 << 32}, {1<<64 - 1, 1},
		{0x123456789abcdef0, 16380072700}, {0xfedcba9876543210, 27602998}, {0x49efff175271b0d8, 7695582646}, {0x849eac033ea8395a, 4075276965},
	} {
		if got := negLog2(c.h); got != c.want {
			t.Errorf("negLog2(%#x) = %d, want %d", c.h, got, c.want)
		}
	}
	for i, got := range log2Table {
		if want := uint64(math.Round(math.Log2(1+float64(i)/256) * (1 << 32))); got != want {
			t.Errorf("log2Table[%d] = %#x, want %#x", i, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		h := rapid.Uint64Min(1).Draw(t, "h")
		if got, want := float64(negLog2(h))/(1<<32), 64-math.Log2(float64(h)); math.Abs(got-want) > 3e-6 {
			t.Fatalf("negLog2(%#x) = %g, want %g", h, got, want)
		}
		if next := h + rapid.Uint64Max(1<<60).Draw(t, "more"); next > h && negLog2(next) > negLog2(h) {
			t.Fatalf("negLog2(%#x) > negLog2(%#x)", next, h)
		}
	})
}

// TestVariantsMoveFewUsers changes the variants of a popup and looks at who moves.
func TestVariantsMoveFewUsers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		weights := rapid.MapOfN(rapid.StringMatching(`[a-c0][a-c0-]?`), rapid.IntRange(1, popup.MaxWeight/2), 2, popup.MaxVariants-1).Draw(t, "variants")
		keys := slices.Sorted(maps.Keys(weights))
		one := rapid.SampledFrom(keys).Draw(t, "variant")
		before := compileWeights(t, "p", weights)
		moved := func(what string, after *Popup, allowed func(from, to string) bool) {
			for i := range 200 {
				user := fmt.Append(nil, "user-", i)
				from, to := string(before.Variant(user).Key), string(after.Variant(user).Key)
				if from != to && !allowed(from, to) {
					t.Fatalf("%s of %v moves %s from %s to %s", what, weights, user, from, to)
				}
			}
		}
		changed := func(change func(map[string]int)) *Popup {
			out := maps.Clone(weights)
			change(out)
			return compileWeights(t, "p", out)
		}
		nobody := func(string, string) bool { return false }
		into := func(_, to string) bool { return to == one }
		outOf := func(from, _ string) bool { return from == one }

		moved("another order", compileInOrder(t, "p", rapid.Permutation(keys).Draw(t, "order"), weights, ""), nobody)
		moved("another salt of the rollout", compileInOrder(t, "p", keys, weights, `,"rollout":{"percent":50,"salt":"other"}`), nobody)
		moved("doubling all weights", changed(func(w map[string]int) {
			for key := range w {
				w[key] *= 2
			}
		}), nobody)
		moved("raising the weight of "+one, changed(func(w map[string]int) { w[one] *= 2 }), into)
		moved("lowering the weight of "+one, changed(func(w map[string]int) { w[one] = (w[one] + 1) / 2 }), outOf)
		moved("removing "+one, changed(func(w map[string]int) { delete(w, one) }), outOf)
		moved("no weight for "+one, changed(func(w map[string]int) { w[one] = 0 }), outOf)
		moved("adding a variant", changed(func(w map[string]int) { w["new"] = weights[one] }), func(_, to string) bool { return to == "new" })
	})
}

// compileWeights compiles a popup whose variants have these weights.
func compileWeights(t rapid.TB, key string, weights map[string]int) *Popup {
	return compileInOrder(t, key, slices.Sorted(maps.Keys(weights)), weights, "")
}

// compileInOrder is compileWeights with an order of the variants and more members.
func compileInOrder(t rapid.TB, key string, order []string, weights map[string]int, members string) *Popup {
	t.Helper()
	variants := make([]string, len(order))
	for i, k := range order {
		variants[i] = fmt.Sprintf(`{"key":"%s","weight":%d}`, k, weights[k])
	}
	spec := `{"key":"` + key + `","status":"active","variants":[` + strings.Join(variants, ",") + `]` + members + `}`
	s, broken := Compile(popup.Catalog{Revision: 1, Popups: []popup.Row{{ID: 1, Version: 1, Key: key, Spec: []byte(spec)}}}, nil)
	for _, b := range broken {
		t.Fatalf("%s: %v", spec, b.Err)
	}
	return s.Popup(1)
}
