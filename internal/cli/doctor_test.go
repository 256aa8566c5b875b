package cli

import (
	"errors"
	"io"
	"testing"
)

func TestParseDoctor(t *testing.T) {
	// What serve reads is no mistake, and what both read means the same.
	env := []string{"POPUPD_LISTEN=:1", "POPUPD_MYSQL=a:b@tcp(c)/d", "POPUPD_REDIS=r:6379", "POPUPD_STATE_MAX=64MiB", "POPUPD_SERVERS=3", "POPUPD_REQUIRE_STORES=1"}
	c, err := ParseDoctor([]string{"-servers", "4", "-sysctl"}, env, io.Discard)
	want := Doctor{MySQL: "a:b@tcp(c)/d", Redis: "r:6379", Data: "./popupd-data", JournalMax: 1 << 30, StateMax: 64 << 20, Servers: 4, Sysctl: true}
	if err != nil || c != want {
		t.Errorf("got  %+v, %v\nwant %+v", c, err, want)
	}
	if _, err := ParseServe(nil, env, io.Discard); err != nil {
		t.Errorf("serve refuses the doctor's variables: %v", err)
	}
	for _, args := range [][]string{{"-json", "-sysctl"}, {"-servers", "0"}, {"-listen", ":1"}, {"now"}} {
		if _, err := ParseDoctor(args, nil, io.Discard); !errors.Is(err, ErrUsage) {
			t.Errorf("%v: error %v, want a usage error", args, err)
		}
	}
	if _, err := ParseDoctor(nil, []string{"POPUPD_COLOUR=red"}, io.Discard); !errors.Is(err, ErrUsage) {
		t.Errorf("unknown variable: error %v, want a usage error", err)
	}
}
