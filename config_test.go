package main

import (
	"errors"
	"flag"
	"io"
	"strings"
	"testing"
	"time"
)

func TestParseConfigDefaults(t *testing.T) {
	c, err := parseConfig(nil, []string{"HOME=/root", "POPUPD_REQUIRE_STORES=1", "POPUPD_SERVICE_HOST=10.0.0.1", "POPUPD_PORT_8080_TCP=tcp://10.0.0.1:8080"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	want := config{
		listen: "127.0.0.1:8080", adminListen: "127.0.0.1:8081", redisPrefix: "popupd", data: "./popupd-data",
		allowOrigins: "*", identity: "off", shedAfter: 20 * time.Millisecond, journalSync: 200 * time.Millisecond, journalMax: 1 << 30, stateMax: 1 << 30,
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
