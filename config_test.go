package main

import (
	"bytes"
	"errors"
	"flag"
	"io"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/dustin/go-humanize"
)

func TestParseConfigDefaults(t *testing.T) {
	c, err := parseConfig(nil, []string{"HOME=/root", "POPUPD_REQUIRE_STORES=1", "POPUPD_SERVICE_HOST=10.0.0.1", "POPUPD_PORT_8080_TCP=tcp://10.0.0.1:8080"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	want := config{
		listen: "127.0.0.1:8080", adminListen: "127.0.0.1:8081", redisPrefix: "popupd", data: "./popupd-data",
		allowOrigins: "*", identity: "off", shedAfter: 50 * time.Millisecond, journalSync: 200 * time.Millisecond, journalMax: 1 << 30, stateMax: 1 << 30,
		flush: true, drain: 5 * time.Second, retention: 2160 * time.Hour, log: "text",
	}
	if c != want {
		t.Errorf("got  %+v\nwant %+v", c, want)
	}
}

func TestParseConfigPrecedence(t *testing.T) {
	env := []string{"POPUPD_ADMIN_LISTEN=:1", "POPUPD_LISTEN=:2", "POPUPD_JOURNAL_SYNC=always", "POPUPD_STATE_MAX=64MiB", "POPUPD_DEMO=true"}
	c, err := parseConfig([]string{"-listen", ":3"}, env, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if c.adminListen != ":1" || c.listen != ":3" || c.journalSync != 0 || c.stateMax != 64<<20 || !c.demo {
		t.Errorf("got %+v", c)
	}
}

func TestParseConfigRefuses(t *testing.T) {
	for _, c := range []struct {
		name, arg, env, want string
	}{
		{"unknown flag", "-colour=red", "", "colour"},
		{"unknown argument", "start", "", `"start"`},
		{"unknown variable", "", "POPUPD_COLOUR=red", "POPUPD_COLOUR"},
		{"variable in lower case", "", "POPUPD_listen=:1", "POPUPD_listen"},
		{"variable with a bad value", "", "POPUPD_DRAIN=soon", "POPUPD_DRAIN"},
		{"bad size", "-state-max=lots", "", "lots"},
		{"zero size", "-journal-max=0", "", "-journal-max"},
		{"bad sync", "-journal-sync=never", "", "never"},
		{"sync below a millisecond", "-journal-sync=1ns", "", "1ns"},
		{"identity", "-identity=on", "", "-identity"},
		{"identity without a secret", "-identity=enforce", "", "-identity-secret"},
		{"log", "-log=xml", "", "-log"},
		{"prefix", "-redis-prefix=a{b}", "", "-redis-prefix"},
		{"negative gap", "-min-gap=-1s", "", "-min-gap"},
		{"not a number", "-new-ids-per-client=NaN", "", "-new-ids-per-client"},
		{"negative wait", "-shed-after=-1ms", "", "-shed-after"},
		{"wait as of an idle server", "-shed-after=999us", "", "-shed-after"},
		{"negative rate of actions", "-actions-per-client=-1", "", "-actions-per-client"},
		{"broken network", "-trusted-proxies=10.0.0.0/8,10.0.0.0/33", "", `-trusted-proxies: "10.0.0.0/33"`},
		{"no data", "-data=", "", "-data"},
	} {
		var args, env []string
		if c.arg != "" {
			args = []string{c.arg}
		}
		if c.env != "" {
			env = []string{c.env}
		}
		_, err := parseConfig(args, env, io.Discard)
		if !errors.Is(err, errUsage) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %q, want a usage error that names %s", c.name, err, c.want)
		}
		if err != nil && strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error of more than one line: %q", c.name, err)
		}
	}
}

func TestParseConfigHelp(t *testing.T) {
	var help strings.Builder
	if _, err := parseConfig([]string{"-help"}, nil, &help); !errors.Is(err, flag.ErrHelp) {
		t.Fatalf("error %v, want flag.ErrHelp", err)
	}
	for _, want := range []string{"-admin-listen", "(default 1GiB)", "(default 200ms)", "POPUPD_ADMIN_LISTEN"} {
		if !strings.Contains(help.String(), want) {
			t.Errorf("help does not say %q", want)
		}
	}
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
