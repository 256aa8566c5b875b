package popup

import (
	"bytes"
	"cmp"
	"slices"
	"testing"
	"time"
)

func TestVersionOrder(t *testing.T) {
	// The chain of semver.org, section 11, and what apps add to it.
	ascending := []string{
		"0.9", "1.0.0-0", "1.0.0-9", "1.0.0-10", "1.0.0-100000000000000000000000", "1.0.0--", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta",
		"1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1", "1.0.0", "1.0.0.1", "1.2", "1.2.65534", "1.2.65535", "1.2.65535.1", "1.2.65536", "1.2.70000", "1.3", "1.10", "3.2", "3.2.1", "12", "65535.1", "70000", "999999999999999999",
	}
	for i, a := range ascending {
		for j, b := range ascending {
			x, ok1 := ParseVersion([]byte(a))
			y, ok2 := ParseVersion([]byte(b))
			if !ok1 || !ok2 {
				t.Fatalf("%q or %q is not taken for a version", a, b)
			}
			want := 0
			if i < j {
				want = -1
			} else if i > j {
				want = 1
			}
			if got := x.Compare(&y); got != want {
				t.Errorf("Compare(%s, %s) = %d, want %d", a, b, got, want)
			}
			if i < j && x.SortKey() > y.SortKey() {
				t.Errorf("the keys of %s and %s are %#x and %#x", a, b, x.SortKey(), y.SortKey())
			}
		}
	}
}

func TestVersionSpellings(t *testing.T) {
	for _, equal := range [][]string{
		{"3.2", "v3.2.0", "V3.2.0.0", "03.002", "3.2+build.5", "3.2.0 build"},
		{"1-rc.1", "1.0.0-rc.01+x", "1.0-rc.1 x"},
	} {
		first, ok := ParseVersion([]byte(equal[0]))
		for _, s := range equal {
			v, ok2 := ParseVersion([]byte(s))
			if !ok || !ok2 || v.Compare(&first) != 0 {
				t.Errorf("%q (%v) does not equal %q (%v)", s, ok2, equal[0], ok)
			}
		}
	}
	bad := []string{"", "v", "vv1", ".1", "1.", "1..2", "1.2.3.4.5", "-1", "a", "1.a", "1-", "1-.", "1-a..b", "1-a.", "1+", "1+a/b", "1-ü", "1 ", "1x",
		" 1", "9999999999999999999", string(slices.Repeat([]byte("1.0"), 40))}
	for _, s := range bad {
		if _, ok := ParseVersion([]byte(s)); ok {
			t.Errorf("%q is taken for a version", s)
		}
	}
}

// FuzzParseVersion: versions are in one order, and what is not looked at does
// not change it.
func FuzzParseVersion(f *testing.F) {
	f.Add([]byte("v1.2.3-beta.1+x"), []byte("1.2"), []byte("1.2-beta"))
	f.Add([]byte("1.2.3.4"), []byte("01.2.3.4"), []byte("1.2.3.4-1"))
	f.Add([]byte("1-1"), []byte("1-a"), []byte("1-10.a"))
	f.Fuzz(func(t *testing.T, a, b, c []byte) {
		x, ok1 := ParseVersion(a)
		y, ok2 := ParseVersion(b)
		z, ok3 := ParseVersion(c)
		if ok1 && x.Compare(&x) != 0 {
			t.Errorf("%q differs from itself", a)
		}
		if ok1 && ok2 && x.Compare(&y) != -y.Compare(&x) {
			t.Errorf("%q and %q: the order depends on the direction", a, b)
		}
		if ok1 && ok2 && cmp.Compare(x.SortKey(), y.SortKey())*x.Compare(&y) < 0 {
			t.Errorf("%q and %q: keys %#x and %#x", a, b, x.SortKey(), y.SortKey())
		}
		if ok1 && ok2 && ok3 && x.Compare(&y) <= 0 && y.Compare(&z) <= 0 && x.Compare(&z) > 0 {
			t.Errorf("%q <= %q <= %q, but the first is after the last", a, b, c)
		}
		if !ok1 || len(a)+len("+build") > maxVersion || bytes.ContainsAny(a, "+ ") {
			return
		}
		if built, ok := ParseVersion(append(bytes.Clone(a), "+build"...)); !ok || built.Compare(&x) != 0 {
			t.Errorf("%q with metadata: %v, %+v, want %+v", a, ok, built, x)
		}
	})
}

// FuzzMinuteOfDay agrees with package time, which knows no 24:00.
func FuzzMinuteOfDay(f *testing.F) {
	f.Add("09:30")
	f.Add("24:00")
	f.Add("1:2")
	f.Fuzz(func(t *testing.T, s string) {
		got, ok := MinuteOfDay(s)
		want, err := time.Parse("15:04", s)
		if s == "24:00" {
			if got != 24*60 || !ok {
				t.Fatalf("24:00 is %d, %v", got, ok)
			}
			return
		}
		// package time takes a single digit of the hour.
		if wantOK := err == nil && len(s) == len("15:04"); ok != wantOK || ok && got != want.Hour()*60+want.Minute() {
			t.Fatalf("%q is %d, %v, want %v (%v)", s, got, ok, want, err)
		}
	})
}

func TestMinuteOfDay(t *testing.T) {
	for _, c := range []struct {
		s    string
		want int
		ok   bool
	}{
		{"00:00", 0, true}, {"09:30", 570, true}, {"23:59", 1439, true}, {"24:00", 1440, true},
		{"24:01", 0, false}, {"12:60", 0, false}, {"9:30", 0, false}, {"09-30", 0, false}, {"+9:30", 0, false}, {"", 0, false},
	} {
		if got, ok := MinuteOfDay(c.s); ok != c.ok || ok && got != c.want {
			t.Errorf("MinuteOfDay(%q) = %d, %v, want %d, %v", c.s, got, ok, c.want, c.ok)
		}
	}
}
