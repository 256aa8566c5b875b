package main

import (
	"bytes"
	"errors"
	"flag"
	"io"
	"log/slog"
	"math"
	"net"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

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

// FuzzRedisOption: what is refused is a mistake in the call and shows nothing of
// it, what is taken has addresses that can be dialled, without a password in them.
func FuzzRedisOption(f *testing.F) {
	f.Add("redis://user:pass@host:6379/1")
	f.Add("a:1,b:2")
	f.Add("user:pass@host:6379")
	f.Add("rediss://[::1]:6380?db=2")
	f.Fuzz(func(t *testing.T, url string) {
		if strings.HasPrefix(url, "unix") {
			return
		}
		option, err := redisOption(url)
		if err != nil {
			if !errors.Is(err, errUsage) || strings.Contains(err.Error(), url) && len(url) > 20 {
				t.Fatalf("%q: %v", url, err)
			}
			return
		}
		if len(option.InitAddress) == 0 {
			t.Fatalf("%q: no address", url)
		}
		for _, address := range option.InitAddress {
			if _, _, err := net.SplitHostPort(address); err != nil || !strings.Contains(url, "://") && strings.Contains(address, "@") {
				t.Fatalf("%q: address %q, %v", url, address, err)
			}
		}
	})
}

// FuzzCall: any arguments and variables are taken, or refused in one line as a
// mistake in the call; what is taken makes sense.
func FuzzCall(f *testing.F) {
	f.Add("-listen=:1\n-min-gap=1s", "POPUPD_SECRET=a,b")
	f.Add("-secret-file=/nonexistent/a\nb", "POPUPD_SECRET_FILE=")
	f.Add("-identity=enforce\n-identity-secret=x", "POPUPD_DRAIN=soon")
	f.Add("--\n-new-ids-per-client=NaN", "POPUPD_JOURNAL_MAX=1e400")
	f.Fuzz(func(t *testing.T, args, variable string) {
		if strings.Contains(args, "-file") || strings.Contains(variable, "FILE") {
			args, variable = strings.ReplaceAll(args, "/", ""), strings.ReplaceAll(variable, "/", "") // no other files than those here
		}
		c, err := parseConfig(strings.Split(args, "\n"), []string{variable}, io.Discard)
		switch {
		case errors.Is(err, flag.ErrHelp):
		case err != nil:
			var stderr bytes.Buffer
			if code := finish(&stderr, err); code != 2 && !strings.Contains(err.Error(), fileSuffix) || bytes.Count(stderr.Bytes(), []byte("\n")) != 1 {
				t.Fatalf("%q %q: exit code %d, %q", args, variable, code, &stderr)
			}
		case c.journalMax <= 0 || c.stateMax <= 0 || c.minGap < 0 || c.newIDsPerClient < 0 || c.journalSync < 0 || c.data == "":
			t.Fatalf("%q %q: %+v", args, variable, c)
		case c.identity != "off" && len(keyList(c.identitySecret)) == 0 || hasEmpty(keyList(c.secret)):
			t.Fatalf("%q %q: no key in %+v", args, variable, c)
		}
	})
}

// FuzzSecretFile: what is in a file is taken without the space around it, if it
// is one line.
func FuzzSecretFile(f *testing.F) {
	f.Add([]byte(" new,old \r\n"))
	f.Add([]byte("a\nb"))
	f.Add([]byte("\x00"))
	f.Fuzz(func(t *testing.T, content []byte) {
		got, err := readSecretFrom(bytes.NewReader(content))
		want := strings.TrimSpace(string(content))
		valid := want != "" && !strings.ContainsAny(want, "\r\n\x00") && len(content) <= maxSecret
		if valid != (err == nil) || valid && got != want {
			t.Fatalf("%q holds %q, %v", content, got, err)
		}
		if err != nil && len(want) > 8 && strings.Contains(err.Error(), want) {
			t.Fatalf("the error shows what is in the file: %v", err)
		}
	})
}

// FuzzLogLine: a line of the log is one line of printable text.
func FuzzLogLine(f *testing.F) {
	f.Add("said", "\x1b[2J\u009b31m\u202e\xff")
	f.Add("a\nb", "\U000e0001\ufffd")
	f.Fuzz(func(t *testing.T, msg, value string) {
		for _, format := range []string{"text", "json"} {
			var out bytes.Buffer
			newLog(format, &out).LogAttrs(t.Context(), slog.LevelWarn, msg, slog.String("key", value), slog.Any("err", errors.New(value)))
			line, ended := strings.CutSuffix(out.String(), "\n")
			if !ended || !utf8.ValidString(line) || strings.ContainsFunc(line, func(r rune) bool { return !unicode.IsPrint(r) }) {
				t.Fatalf("%s: %q, %q is logged as %q", format, msg, value, &out)
			}
			if format == "json" {
				sameJSON(t, line, msg, value)
			}
		}
	})
}
