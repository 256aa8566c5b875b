package server

import (
	"bytes"
	"log/slog"
	"math"
	"runtime/debug"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/popupd/popupd/tuning"
)

// within is the file system of a host whose cgroup allows this much memory.
func within(max string) fstest.MapFS {
	return fstest.MapFS{
		"proc/self/cgroup":                {Data: []byte("0::/popupd\n")},
		"proc/self/mountinfo":             {Data: []byte("30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw\n")},
		"sys/fs/cgroup/popupd/memory.max": {Data: []byte(max + "\n")},
	}
}

func TestLimitMemory(t *testing.T) {
	before := debug.SetMemoryLimit(-1)
	t.Cleanup(func() { debug.SetMemoryLimit(before) })
	for _, c := range []struct {
		name  string
		env   string // GOMEMLIMIT
		max   string
		state int64
		want  int64
		warns bool
	}{
		{"no limit", "", "max", 1 << 30, math.MaxInt64, false},
		{"a limit", "", "4000000000", 1_000_000_000, 2_800_000_000, false},
		{"too small for the state", "", "1000000000", 1_000_000_000, 256 << 20, true},
		{"GOMEMLIMIT", "off", "4000000000", 1_000_000_000, math.MaxInt64, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			debug.SetMemoryLimit(math.MaxInt64)
			t.Setenv("GOMEMLIMIT", c.env)
			var log bytes.Buffer
			limitMemory(tuning.NewHost(within(c.max)), c.state, slog.New(slog.NewTextHandler(&log, nil)))
			if got := debug.SetMemoryLimit(-1); got != c.want {
				t.Errorf("limit %d, want %d", got, c.want)
			}
			if warns := strings.Contains(log.String(), "level=WARN"); warns != c.warns {
				t.Errorf("warns %v, want %v: %s", warns, c.warns, &log)
			}
		})
	}
}
