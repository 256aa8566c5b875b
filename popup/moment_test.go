package popup

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestParseTime(t *testing.T) {
	for text, want := range map[string]string{
		"2026-01-31": "2026-01-31T00:00:00Z", "0000-01-01": "0000-01-01T00:00:00Z", "2024-02-29": "2024-02-29T00:00:00Z",
		"2026-01-31T09:00:00Z": "2026-01-31T09:00:00Z", "2026-01-31t09:00:00z": "2026-01-31T09:00:00Z", "2026-01-31T09:00:00.5Z": "2026-01-31T09:00:00.5Z",
		"2026-01-31T09:00:00.1239999999Z": "2026-01-31T09:00:00.123Z", "2026-01-31T00:30:00+05:30": "2026-01-30T19:00:00Z",
		"2026-01-31T23:30:00-01:00": "2026-02-01T00:30:00Z", "2026-01-31T00:30:00 05:30": "2026-01-30T19:00:00Z", "9999-12-31T23:59:59.999Z": "9999-12-31T23:59:59.999Z",
	} {
		at, err := time.Parse(time.RFC3339Nano, want)
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := ParseTime([]byte(text)); !ok || got != at.UnixMilli() {
			t.Errorf("%s: %v, %v; want %v", text, time.UnixMilli(got).UTC(), ok, at)
		}
	}
	for _, text := range []string{
		"", "2026", "2026-01", "2026-1-31", "2026-13-01", "2026-00-01", "2026-02-29", "2026-04-31", "2026-01-00", "2026/01/31", "2026-01/31", "x026-01-31", "2026-01-31T", "2026-01-31 09:00:00Z",
		"2026-01-31T09:00Z", "2026-01-31T09:00:00", "2026-01-31T24:00:00Z", "2026-01-31T09:60:00Z", "2026-01-31T09:00:60Z", "2026-01-31T09-00:00Z", "2026-01-31T09:00-00Z", "2026-01-31T09:00:00.Z",
		"2026-01-31T09:00:00x", "2026-01-31T09:00:00Zx", "2026-01-31T09:00:00+0100", "2026-01-31T09:00:00+24:00", "2026-01-31T09:00:00+01:60", "2026-01-31T09:00:00x01:00", "1767225600", "-026-01-31",
	} {
		if got, ok := ParseTime([]byte(text)); ok {
			t.Errorf("%q is %v", text, time.UnixMilli(got).UTC())
		}
	}
}

// FuzzParseTime agrees with package time, which is no stricter.
func FuzzParseTime(f *testing.F) {
	f.Add("2026-01-31T09:00:00.123Z")
	f.Add("2026-01-31")
	f.Add("2024-02-29T23:59:59-23:59")
	f.Fuzz(func(t *testing.T, text string) {
		got, ok := ParseTime([]byte(text))
		layout := time.RFC3339
		if len(text) == len(time.DateOnly) {
			layout = time.DateOnly
		}
		plain := strings.ToUpper(text)
		if len(plain) > 6 && plain[len(plain)-6] == ' ' {
			plain = plain[:len(plain)-6] + "+" + plain[len(plain)-5:]
		}
		want, err := time.Parse(layout, plain)
		if ok && (err != nil || got != want.UnixMilli()) {
			t.Fatalf("%q is %v, want %v, %v", text, got, want, err)
		}
		if !ok && err == nil && strings.IndexByte(text, ',') < 0 && want.Format(layout) == plain {
			t.Fatalf("%q is no time, but package time reads %v", text, want)
		}
	})
}

func TestParseAge(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"7d": 7 * 24 * time.Hour, "36h": 36 * time.Hour, "90m": 90 * time.Minute, "0s": 0, "1w": 7 * 24 * time.Hour, "007d": 7 * 24 * time.Hour,
		"36525d": maxAge, "3155760000s": maxAge,
	} {
		if got, ok := ParseAge(text); !ok || got != want.Milliseconds() {
			t.Errorf("%s: %d ms, %v; want %v", text, got, ok, want)
		}
	}
	for _, text := range []string{"", "d", "7", "7 d", "-7d", "+7d", "7D", "1.5d", "7dd", "1d12h", "36526d", "3155760001s", "99999999999s", "000000000007d", "7y", "１d", "d7"} {
		if got, ok := ParseAge(text); ok {
			t.Errorf("%q is %d ms", text, got)
		}
	}
}

func TestParsersDoNotAllocate(t *testing.T) {
	for _, text := range []string{"2026-01-31T09:00:00.123+01:00", "2026-02-30", "no time", "10.0.0.1", "2001:db8::10.0.0.1", "fe80::1%eth0", "1.2.3", strings.Repeat(":", 100)} {
		b := []byte(text)
		if n := testing.AllocsPerRun(100, func() { ParseTime(b); ParseAddr(b) }); n != 0 {
			t.Errorf("%q: %v allocations", text, n)
		}
	}
}

func ExampleParseAge() {
	ms, ok := ParseAge("36h")
	fmt.Println(ms, ok)
	// Output: 129600000 true
}
