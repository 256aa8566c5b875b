package plainlog

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"strings"
	"sync"
	"testing"
)

// TestJournal: each line begins with the priority of its record, and is what New writes
// otherwise.
func TestJournal(t *testing.T) {
	for _, format := range []string{"text", "json"} {
		var out bytes.Buffer
		log := NewJournal(format, slog.LevelDebug, &out)
		log.Error("a")
		log.With("key", "v").WithGroup("g").Warn("b", "n", 7)
		log.Info("c", "key", "\n<0>forged")
		log.Debug("d")
		log.Log(t.Context(), slog.LevelWarn+1, "e")
		lines := strings.Split(out.String(), "\n")
		if len(lines) != 6 || lines[5] != "" {
			t.Fatalf("%s: want five lines:\n%s", format, &out)
		}
		for i, priority := range []string{"<3>", "<4>", "<6>", "<7>", "<4>"} {
			if !strings.HasPrefix(lines[i], priority) {
				t.Errorf("%s: %s: want %s", format, lines[i], priority)
			}
		}
		switch second := lines[1][3:]; format {
		case "text":
			if !strings.HasPrefix(second, "time=") || !strings.HasSuffix(second, "level=WARN msg=b key=v g.n=7") {
				t.Errorf("text: %s", second)
			}
		case "json":
			var fields struct {
				Msg, Key string
				G        struct{ N int }
			}
			if err := json.Unmarshal([]byte(second), &fields); err != nil || fields.Msg != "b" || fields.Key != "v" || fields.G.N != 7 {
				t.Errorf("json: %s: %v", second, err)
			}
		}
	}
}

// TestJournalOfMany: records that are written at once have each their own priority.
func TestJournalOfMany(t *testing.T) {
	var out bytes.Buffer
	log := NewJournal("text", slog.LevelInfo, &out)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 200 {
				log.With("a", 1).Warn("warned")
				log.Info("said")
			}
		})
	}
	all.Wait()
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	for _, line := range lines {
		if strings.HasPrefix(line, "<4>") != strings.Contains(line, "level=WARN") {
			t.Fatal(line)
		}
	}
	if len(lines) != 8*200*2 {
		t.Errorf("%d lines", len(lines))
	}
}
