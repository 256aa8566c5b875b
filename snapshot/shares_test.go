package snapshot

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/popupd/popupd/popup"
)

// TestShares draws 100,000 users: the shares are those configured, and the
// variant does not depend on the rollout.
func TestShares(t *testing.T) {
	p := mustCompile(t, row(1, `"rollout":{"percent":30},"variants":[{"key":"a","weight":1},{"key":"none","weight":0},{"key":"b","weight":3},{"key":"c","weight":1,"control":true}]`)).Popup(1)
	const users = 100_000
	in, variants, controls := 0, map[string]int{}, 0
	for i := range users {
		r := request(fmt.Sprint("user-", i))
		if gateOf(p, r, defaultPlacement, nowMS) != popup.Eligible {
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

// TestDrawsAreUniformAndIndependent draws a million users of two kinds of ids for
// every purpose and for the variants of two popups, and holds each draw against its
// shares, and each pair of draws, by chi-squared tests.
func TestDrawsAreUniformAndIndependent(t *testing.T) {
	const users, steps = 1_000_000, 10
	decile := func(purpose, salt string) draw {
		hash := newStickyHash(purpose, salt)
		return draw{purpose + " " + salt, slices.Repeat([]float64{1}, steps), func(user []byte) int {
			return int(hash.sum(user) % rolloutSteps / (rolloutSteps / steps))
		}}
	}
	variant := func(key string, weights map[string]int) draw {
		p := compileWeights(t, key, weights)
		d := draw{name: "variant " + key, shares: make([]float64, len(p.variants))}
		for i := range p.variants {
			d.shares[i] = float64(p.variants[i].weight)
		}
		d.of = func(user []byte) int {
			chosen := p.Variant(user)
			return slices.IndexFunc(p.variants, func(v Variant) bool { return &v.Key[0] == &chosen.Key[0] })
		}
		return d
	}
	draws := [5]draw{
		decile("rollout", "spring-sale"), decile("rollout", "other"), decile("holdout", ""),
		variant("spring-sale", map[string]int{"a": 50, "b": 30, "c": 19, "d": 1}), variant("other", map[string]int{"a": 1, "b": 1}),
	}
	for _, form := range []string{"%d", "user-%08x@example.com"} {
		drawn := make([][5]uint8, users) // by user and draw
		var user []byte
		for i := range drawn {
			user = fmt.Appendf(user[:0], form, i)
			for k, d := range draws {
				drawn[i][k] = uint8(d.of(user))
			}
		}
		for i, d := range draws {
			one, shares := make([]float64, len(d.shares)), slices.Clone(d.shares)
			for _, of := range drawn {
				one[of[i]]++
			}
			chiSquared(t, form+": "+d.name, one, shares, len(one)-1)
			for k, other := range draws[:i] {
				pairs := make([]float64, len(one)*len(other.shares))
				var expected []float64
				for _, of := range drawn {
					pairs[int(of[i])*len(other.shares)+int(of[k])]++
				}
				for _, a := range d.shares {
					for _, b := range other.shares {
						expected = append(expected, a*b)
					}
				}
				chiSquared(t, form+": "+d.name+" and "+other.name, pairs, expected, len(pairs)-1)
			}
		}
	}
}

// draw is one thing that is drawn for each user.
type draw struct {
	name   string
	shares []float64
	of     func(user []byte) int // an index of shares
}

// chiSquared fails if what was found would come by chance in fewer than one of 10,000
// cases, by the approximation of Wilson and Hilferty.
func chiSquared(t *testing.T, name string, found, shares []float64, freedom int) {
	t.Helper()
	users, sum, statistic := 0.0, 0.0, 0.0
	for i := range found {
		users, sum = users+found[i], sum+shares[i]
	}
	for i := range found {
		want := users * shares[i] / sum
		statistic += (found[i] - want) * (found[i] - want) / want
	}
	const quantile = 3.719 // of the normal distribution, for 1 - 1/10,000
	part := 2 / (9 * float64(freedom))
	if limit := float64(freedom) * math.Pow(1-part+quantile*math.Sqrt(part), 3); statistic > limit {
		t.Errorf("%s: chi-squared is %.1f, at most %.1f with %d degrees of freedom", name, statistic, limit, freedom)
	}
}
