package cli

import (
	"math"
	"testing"
	"time"

	"github.com/dustin/go-humanize"
)

// FuzzSize: a size is a positive number of bytes, and what is printed for it, in
// -help, is read as nearly the same.
func FuzzSize(f *testing.F) {
	f.Add("64MiB")
	f.Add("1.5 GB")
	f.Add("9223372036854775807")
	f.Add("1e400")
	f.Add("-1")
	f.Fuzz(func(t *testing.T, text string) {
		var s size
		if err := s.UnmarshalText([]byte(text)); err != nil {
			return
		}
		if s <= 0 {
			t.Fatalf("%q is %d bytes", text, s)
		}
		if n, err := humanize.ParseBytes(text); err != nil || n != uint64(s) {
			t.Fatalf("%q is %d bytes, want %d, %v", text, s, n, err)
		}
		printed, _ := s.MarshalText()
		var again size
		if err := again.UnmarshalText(printed); err != nil && s < math.MaxInt64/2 || err == nil && math.Abs(float64(again-s)) > 0.06*float64(s) {
			t.Fatalf("%q is %d bytes, printed %s, which is %d, %v", text, s, printed, again, err)
		}
	})
}

// FuzzSyncInterval: always, or a time that package time reads, of a millisecond
// or more; what is printed for it is read as the same.
func FuzzSyncInterval(f *testing.F) {
	f.Add("always")
	f.Add("1h2m0.5s")
	f.Add("999us")
	f.Add("-1s")
	f.Fuzz(func(t *testing.T, text string) {
		var s syncInterval
		err := s.UnmarshalText([]byte(text))
		d, timeErr := time.ParseDuration(text)
		if want := text == "always" || timeErr == nil && d >= time.Millisecond; want != (err == nil) {
			t.Fatalf("%q: %v, package time reads %v, %v", text, err, d, timeErr)
		}
		if err != nil {
			return
		}
		if (s == 0) != (text == "always") || text != "always" && time.Duration(s) != d {
			t.Fatalf("%q is %v, want %v", text, time.Duration(s), d)
		}
		printed, _ := s.MarshalText()
		again := syncInterval(-1)
		if err := again.UnmarshalText(printed); err != nil || again != s {
			t.Fatalf("%q is printed %s, which is %v, %v", text, printed, again, err)
		}
	})
}
