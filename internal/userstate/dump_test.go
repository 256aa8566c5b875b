package userstate

import (
	"errors"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/popupd/popupd/frequency"
	"github.com/popupd/popupd/popup"
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

// The journal leaves room on the disk for the dumps and for what else is written there.
func TestRoomIsLeft(t *testing.T) {
	dir := t.TempDir()
	j, err := journal.Open(journal.Config{Dir: filepath.Join(dir, "journal"), MaxBytes: 64 << 20, SegmentBytes: 128 << 10})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Release()
	room := int64(0)
	s := New(Config{
		Table: frequency.New(frequency.Config{}), Dump: filepath.Join(dir, "state"), DiskRoom: func() int64 { return room }, Log: slog.New(slog.DiscardHandler),
	})
	s.Connect(j, nil)
	fill := func() (err error) {
		s.leaveRoom()
		events := make([]popup.Event, 200)
		for i := range events {
			events[i] = popup.Event{User: []byte("u"), Popup: 1, Version: 1, Action: popup.Impression, AtMS: int64(i + 1), ServedAtMS: int64(i + 1), Nth: 1}
		}
		for range 50 {
			err = errors.Join(err, j.Append(events))
		}
		return err
	}
	if err := fill(); err != nil {
		t.Error(err)
	}
	room = 1 << 60 // more than any disk has
	if err := fill(); !errors.Is(err, journal.ErrFull) {
		t.Errorf("Append without room for others = %v, want %v", err, journal.ErrFull)
	}
}
