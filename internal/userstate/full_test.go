package userstate

import (
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestFullIsLoggedOnce: one line when states begin to be refused, one when none has
// been for a minute.
func TestFullIsLoggedOnce(t *testing.T) {
	var log strings.Builder
	w := fullWatch{log: slog.New(slog.NewTextHandler(&log, nil))}
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	lines := func() (levels []string) {
		for line := range strings.Lines(log.String()) {
			_, rest, _ := strings.Cut(line, "level=")
			level, _, _ := strings.Cut(rest, " ")
			levels = append(levels, level)
		}
		return levels
	}
	for _, c := range []struct {
		after   time.Duration
		refused uint64
		want    []string
	}{
		{0, 0, nil},
		{time.Hour, 0, nil},
		{time.Second, 5, []string{"WARN"}},
		{time.Second, 9, []string{"WARN"}},
		{fullFor - time.Second, 9, []string{"WARN"}},
		{0, 10, []string{"WARN"}},
		{fullFor - 1, 10, []string{"WARN"}},
		{1, 10, []string{"WARN", "INFO"}},
		{time.Hour, 10, []string{"WARN", "INFO"}},
		{0, 11, []string{"WARN", "INFO", "WARN"}},
	} {
		now = now.Add(c.after)
		w.look(c.refused, now)
		if got := lines(); !slices.Equal(got, c.want) {
			t.Fatalf("after %v with %d refused: %v, want %v", c.after, c.refused, got, c.want)
		}
	}
}
