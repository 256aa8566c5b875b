package userstate

import (
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/popupd/popupd/frequency"
	"github.com/popupd/popupd/queue/journal"
)

// The gauge moves with a dump that is on disk, not with one that failed.
func TestLastDump(t *testing.T) {
	dir := t.TempDir()
	j, err := journal.Open(journal.Config{Dir: filepath.Join(dir, "journal"), MaxBytes: 8 << 20})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Release()
	s := New(Config{Table: frequency.New(frequency.Config{}), Dump: filepath.Join(dir, "none", "state"), Log: slog.New(slog.DiscardHandler)})
	s.Connect(j, nil)
	s.ready.Store(true)
	if s.save() || testutil.ToFloat64(s.lastDump) != 0 {
		t.Errorf("a dump into no directory, at %v", testutil.ToFloat64(s.lastDump))
	}
	s.dump = filepath.Join(dir, "state")
	before := float64(time.Now().Unix())
	if !s.save() || testutil.ToFloat64(s.lastDump) < before {
		t.Errorf("popupd_last_dump_timestamp_seconds = %v, want %v or more", testutil.ToFloat64(s.lastDump), before)
	}
}
