package frequency

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/popupd/popupd/popup"
)

// Impressions are dumped beside the entries while there are caps; what has none reads the
// dump all the same, and writes one that earlier releases can read.
func TestDumpOfImpressions(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state")
	version := func() uint32 {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return binary.LittleEndian.Uint32(b[8:])
	}
	table := newCapped(hourly)
	users := 300
	for n := range users {
		for i := range n % 4 {
			ev := serve(t, table, fmt.Sprint(n), uint32(1+i), &popup.Frequency{}, noon)
			if n%5 == 0 {
				act(table, ev, popup.Release, &popup.Frequency{}, noon+second)
			}
		}
	}
	const rest = dumpHeader + 1024*4 + dumpTrailer + 1024*4 + 12
	want := 3 * int64(rest+table.entries()*entrySize+table.impressions()*impressionSize)
	if got := table.DumpRoom(path); got < want-3*2*1024*4 || got > want {
		t.Errorf("room for %d bytes, want about %d", got, want)
	}
	note := func() []byte { return []byte("a note") }
	if err := table.Dump(path, positions, note); err != nil {
		t.Fatal(err)
	}
	if version() != 3 {
		t.Errorf("version %d, want 3", version())
	}
	for name, to := range map[string]*Table{"empty": newCapped(hourly), "the same": table, "without caps": New(Config{})} {
		at, text, err := to.Load(path)
		if err != nil || len(at) != len(positions) || string(text) != "a note" {
			t.Fatalf("%s: %d positions, note %q, %v", name, len(at), text, err)
		}
		if got, want := to.entries(), table.entries(); got != want {
			t.Errorf("%s: %d entries, want %d", name, got, want)
		}
		for n := range users {
			want := impressionsOf(table, fmt.Sprint(n))
			if name == "without caps" {
				want = nil
			}
			if got := impressionsOf(to, fmt.Sprint(n)); !slices.Equal(got, want) {
				t.Fatalf("%s: user %d has %x, want %x", name, n, got, want)
			}
		}
	}
	if err := New(Config{}).Dump(path, positions, note); err != nil || version() != 2 {
		t.Errorf("without caps: version %d, %v; want 2", version(), err)
	}
	small := New(Config{MaxBytes: 1})
	small.KeepImpressions(hourly.keep)
	if _, text, err := small.Load(path + ".1"); !errors.Is(err, ErrDumpTooBig) || text != nil {
		t.Errorf("with no memory: note %q, %v", text, err)
	}
}
