//go:build linux

package e2e

import (
	"flag"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/popupd/popupd/internal/storetest"
	"github.com/popupd/popupd/popup"
	"github.com/popupd/popupd/queue/journal"
)

var journalBytes = flag.Int64("journal.bytes", 64<<20, "size of the journal in TestBootWithAFullJournal")

// TestBootWithAFullJournal: a start takes at most ten seconds whatever the journal
// holds. None of it is committed, and each event is a frame of its own.
func TestBootWithAFullJournal(t *testing.T) {
	data := usedDataDir(t, storetest.MySQL(t), "redis://"+storetest.Redis(t))
	j, err := journal.Open(journal.Config{Dir: filepath.Join(data, "journal"), MaxBytes: *journalBytes + 256<<20, Sync: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now().UnixMilli()
	events := make([]popup.Event, 1)
	n := 0
	for size := int64(0); size < *journalBytes; n++ {
		events[0] = popup.Event{
			AtMS: now, ServedAtMS: now, User: fmt.Appendf(nil, "user-%09d", n), Popup: 1, Version: 1, Variant: []byte("a"),
			Action: popup.Impression, Nth: 1, ReadyAtMS: now + 86_400_000,
		}
		if err := j.Append(events); err != nil {
			t.Fatal(err)
		}
		size += int64(events[0].Size()) + 44 // the frame around it
	}
	if err := j.Release(); err != nil {
		t.Fatal(err)
	}
	started := time.Now()
	s := launchIn(t, data, append([]string{"-journal-max", fmt.Sprint(*journalBytes * 2)}, unreachableStores...)...)
	eventually(t, 120*time.Second, func() error {
		p, err := s.ask(fmt.Sprintf("user-%09d", n-1))
		if p != nil {
			t.Fatal("a user of the journal is shown something again")
		}
		return err
	})
	took := time.Since(started)
	t.Logf("%d events in %d MiB: the first poll is answered %v after the start", n, *journalBytes>>20, took.Round(time.Millisecond))
	if took > 10*time.Second {
		t.Errorf("the first poll is answered after %v, want at most 10 s", took)
	}
	s.Kill()
	cpu, err := s.CPU()
	t.Logf("popupd used %v of CPU (%v)", cpu, err)
}
