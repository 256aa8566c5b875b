package snapshot

import (
	"bytes"
	"encoding/json"
	"strconv"
	"testing"
	"time"

	"github.com/popupd/popupd/popup"
)

// FuzzParseNumber agrees with strconv on what a number is worth, and reads all
// that JSON has, up to its limits.
func FuzzParseNumber(f *testing.F) {
	f.Add([]byte("-0.5e-7"))
	f.Add([]byte("+007"))
	f.Add([]byte("0"))
	f.Add([]byte("1e99"))
	f.Add([]byte("1e999"))
	f.Add([]byte("0x1p4"))
	f.Add([]byte("inf"))
	f.Fuzz(func(t *testing.T, b []byte) {
		got, ok := parseNumber(b)
		if ok {
			if want, err := strconv.ParseFloat(string(b), 64); err != nil || got != want {
				t.Fatalf("%q is %v, want %v, %v", b, got, want, err)
			}
			return
		}
		var n json.Number
		isJSON := len(b) > 0 && (b[0] == '-' || '0' <= b[0] && b[0] <= '9') && json.Unmarshal(b, &n) == nil && len(n) == len(b)
		_, exponent, _ := bytes.Cut(bytes.ToLower(b), []byte("e"))
		if isJSON && len(b) <= maxNumber && len(bytes.TrimLeft(exponent, "+-")) <= 2 {
			t.Fatalf("%q is no number, but JSON has it", b)
		}
	})
}

// FuzzSchedule: a schedule that is accepted is open when a clock in its zone says
// so, which is worked out here from the texts.
func FuzzSchedule(f *testing.F) {
	f.Add("Europe/Berlin", uint8(0b1000001), "22:00", "03:00", int64(1_774_746_000)) // an hour is left out
	f.Add("America/New_York", uint8(0b0111111), "01:30", "02:30", int64(1_793_512_800))
	f.Add("Asia/Kolkata", uint8(0), "00:00", "24:00", int64(-1))
	f.Add("Europe/Berlin", uint8(0b0100000), "22:00", "03:00", int64(1_774_745_999)) // the second before it
	f.Add("UTC", uint8(0b0001000), "23:59", "24:00", int64(86_399))
	f.Add("UTC", uint8(0b0001000), "23:59", "24:00", int64(86_400))
	f.Fuzz(func(t *testing.T, zone string, days uint8, from, to string, sec int64) {
		names := []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}
		s := popup.Schedule{Timezone: zone, Hours: [][2]string{{from, to}}}
		on := [7]bool{}
		for i, name := range names {
			if on[i] = days>>i&1 != 0; on[i] {
				s.Days = append(s.Days, name)
			}
		}
		spec, err := popup.Decode(popup.Spec{Key: "k", Status: popup.Active, Placements: []string{"default"}, Trigger: "load", Schedule: s, Goal: popup.GoalSpec{WindowSec: 1}, Variants: []popup.Variant{{Key: "a", Weight: 1}}}.Encode())
		if err != nil || sec < -1<<40 || sec > 1<<40 {
			return
		}
		compiled, err := newCompiler(nil).compileSchedule(&spec.Schedule)
		if err != nil {
			t.Fatalf("%+v is valid, but %v", s, err)
		}
		got := compiled.gate(sec*1000, nil) == popup.Eligible

		location, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		now := time.Unix(sec, 0).In(location)
		today, minute := (int(now.Weekday())+6)%7, now.Hour()*60+now.Minute()
		start, end := minutes(from), minutes(to)
		if days&0b1111111 == 0 {
			on = [7]bool{true, true, true, true, true, true, true}
		}
		want := on[today] && minute >= start && minute < end
		if end <= start { // past midnight
			want = on[today] && minute >= start || on[(today+6)%7] && minute < end
		}
		if got != want {
			t.Fatalf("%+v at %v: open %v, want %v", s, now, got, want)
		}
	})
}

// minutes reads hh:mm.
func minutes(s string) int {
	h, _ := strconv.Atoi(s[:2])
	m, _ := strconv.Atoi(s[3:])
	return h*60 + m
}
