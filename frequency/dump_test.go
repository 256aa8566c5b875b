package frequency

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/popupd/popupd/popup"
)

// filled returns a table with states of some of the users of [contents].
func filled(t testing.TB, c Config, users ...string) *Table {
	t.Helper()
	table := New(c)
	for i, user := range users {
		shown := serve(t, table, user, uint32(i+1), &defaults, noon+int64(i)*minute)
		serve(t, table, user, 40, &popup.Frequency{AfterImpressionSec: popup.Forever}, noon)
		act(table, shown, popup.Click, &defaults, noon+hour)
	}
	return table
}

var positions = map[popup.StreamID]uint64{{1}: 17, {2, 3}: 0, {255}: 1 << 40}

func dump(t testing.TB, table *Table, path string) {
	t.Helper()
	if err := table.Dump(path, positions, nil); err != nil {
		t.Fatal(err)
	}
}

// wantLoaded fails unless the dump at path gives the positions, the contents of
// want and an error that is err.
func wantLoaded(t *testing.T, path string, want *Table, err error) {
	t.Helper()
	table := New(Config{})
	at, _, got := table.Load(path)
	if !errors.Is(got, err) || err == nil && got != nil {
		t.Errorf("load: %v, want %v", got, err)
	}
	if want == nil {
		if at != nil || table.entries() != 0 {
			t.Errorf("positions %v and %d entries of an unusable dump", at, table.entries())
		}
		return
	}
	if !maps.Equal(at, positions) {
		t.Errorf("positions %v, want %v", at, positions)
	}
	if !maps.Equal(contents(table), contents(want)) || table.entries() != want.entries() {
		t.Errorf("loaded %v\nwant %v", contents(table), contents(want))
	}
}

func TestDumpAndLoad(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state")
	wantLoaded(t, path, nil, fs.ErrNotExist)

	empty := New(Config{})
	dump(t, empty, path)
	wantLoaded(t, path, empty, nil)

	first := filled(t, Config{}, "a", "b", "c")
	dump(t, first, path)
	wantLoaded(t, path, first, nil)
	wantLoaded(t, path+".1", empty, nil)

	second := filled(t, Config{}, "d", "e", "f")
	dump(t, second, path)
	wantLoaded(t, path, second, nil)
	wantLoaded(t, path+".1", first, nil)

	// Into a table that knows something already.
	if _, _, err := first.Load(path); err != nil {
		t.Fatal(err)
	}
	if got, want := first.entries(), 12; got != want {
		t.Errorf("%d entries after loading more, want %d", got, want)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v; want 0600", info.Mode(), err)
	}
	if left, _ := filepath.Glob(path + ".tmp*"); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

// TestDumpNote: what the owner keeps in a dump comes back with it, and is asked for once
// the entries are written.
func TestDumpNote(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state")
	table := filled(t, Config{}, "a", "b")
	for _, want := range []string{"a note", "", strings.Repeat("n", 100_000)} {
		if err := table.Dump(path, positions, func() []byte { return []byte(want) }); err != nil {
			t.Fatal(err)
		}
		wantLoaded(t, path, table, nil)
		_, note, err := New(Config{}).Load(path)
		if err != nil || string(note) != want {
			t.Errorf("%d bytes of a note of %d, %v", len(note), len(want), err)
		}
	}
	_, note, err := New(Config{MaxBytes: 1}).Load(path)
	if !errors.Is(err, ErrDumpTooBig) || note != nil {
		t.Errorf("%d bytes of the note of a dump that was not loaded whole, %v", len(note), err)
	}
}

// TestDumpRoom: it is what dumps go on to take, within a few bytes of positions.
func TestDumpRoom(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "state")
	table := filled(t, Config{}, "a", "b", "c")
	const one = dumpHeader + 6*entrySize + 1024*4 + dumpTrailer
	for _, want := range []int64{3 * one, 2 * one, one, one} {
		if got := table.DumpRoom(path); got < want || got > want+want/10+2*1024*4 {
			t.Errorf("room for %d bytes, want about %d", got, want)
		}
		dump(t, table, path)
	}
}

func TestDumpWithoutPositions(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state")
	if err := New(Config{}).Dump(path, nil, nil); err != nil {
		t.Fatal(err)
	}
	if at, _, err := New(Config{}).Load(path); at == nil || len(at) != 0 || err != nil {
		t.Errorf("positions %v, %v; want none, but not nil", at, err)
	}
}

// TestDumpOfAnEarlierRelease was made when an entry had 32 bytes in memory too.
func TestDumpOfAnEarlierRelease(t *testing.T) {
	table := filled(t, Config{}, "a", "b", "c")
	longer := &popup.Frequency{AfterImpressionSec: 60, AfterClickSec: 600, AfterDismissSec: 86400}
	shown := serve(t, table, "d", 1<<24+1, longer, noon)
	act(table, shown, popup.Click, longer, noon+minute)
	act(table, shown, popup.Dismiss, longer, noon+2*minute)
	wantLoaded(t, filepath.Join("testdata", "v1.dump"), table, nil)
}

func TestLoadFallsBackToTheOlderDump(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "state")
	older := filled(t, Config{}, "a")
	dump(t, older, path)
	dump(t, filled(t, Config{}, "b"), path)
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	damaged := []byte(strings.Repeat("no dump ", 20))
	if err := os.WriteFile(path, damaged, 0o600); err != nil {
		t.Fatal(err)
	}
	wantLoaded(t, path, older, ErrDumpDamaged)
	if bad, err := os.ReadFile(path + ".bad"); err != nil || string(bad) != string(damaged) {
		t.Errorf("the damaged dump was not set aside: %v", err)
	}
	// As after a crash between the two renames. The next dump leaves the good one.
	wantLoaded(t, path, older, fs.ErrNotExist)
	newest := filled(t, Config{}, "c")
	dump(t, newest, path)
	wantLoaded(t, path, newest, nil)
	wantLoaded(t, path+".1", older, nil)

	if err := os.WriteFile(path, good[:len(good)-1], 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path+".1", damaged, 0o600); err != nil {
		t.Fatal(err)
	}
	wantLoaded(t, path, nil, ErrDumpDamaged)
	for _, name := range []string{path, path + ".1"} {
		if _, err := os.Stat(name + ".bad"); err != nil {
			t.Errorf("not set aside: %v", err)
		}
	}
}

func TestTruncatedDump(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state")
	dump(t, filled(t, Config{}, "a", "b"), path)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	table := New(Config{})
	for n := range whole {
		if err := os.WriteFile(path, whole[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		if at, _, err := table.Load(path); !errors.Is(err, ErrDumpDamaged) || at != nil {
			t.Fatalf("%d of %d bytes: %v, %v; want %v", n, len(whole), at, err, ErrDumpDamaged)
		}
	}
	if err := os.WriteFile(path, append(whole, 0), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := table.Load(path); !errors.Is(err, ErrDumpDamaged) {
		t.Errorf("a byte too many: %v, want %v", err, ErrDumpDamaged)
	}
	if got := table.entries(); got != 0 {
		t.Errorf("%d entries of damaged dumps", got)
	}
}

func TestFlippedByteInDump(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state")
	dump(t, filled(t, Config{}, "a", "b"), path)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	table := New(Config{})
	for i := range whole {
		for _, flip := range []byte{1, 0x80, 0xff} {
			whole[i] ^= flip
			if err := os.WriteFile(path, whole, 0o600); err != nil {
				t.Fatal(err)
			}
			if at, _, err := table.Load(path); !errors.Is(err, ErrDumpDamaged) || at != nil {
				t.Fatalf("byte %d of %d ^ %#x: %v, %v; want %v", i, len(whole), flip, at, err, ErrDumpDamaged)
			}
			whole[i] ^= flip
		}
	}
	if got := table.entries(); got != 0 {
		t.Errorf("%d entries of damaged dumps", got)
	}
}

func TestDumpOfAnotherKeyOrVersion(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state")
	dump(t, filled(t, Config{Key: [16]byte{1}}, "a"), path)
	wantLoaded(t, path, nil, ErrDumpKey)

	dump(t, filled(t, Config{}, "a"), path)
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b[8] = dumpVersion + 1
	if err := os.WriteFile(path, seal(b[:len(b)-4]), 0o600); err != nil {
		t.Fatal(err)
	}
	wantLoaded(t, path, nil, ErrDumpVersion)
}

func seal(b []byte) []byte {
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

func TestDumpBeyondTheBudget(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state")
	large := New(Config{})
	for i := range 3000 {
		serve(t, large, fmt.Sprint("u", i), 1, &defaults, noon)
	}
	dump(t, large, path)
	small := New(Config{MaxBytes: 300 << 10})
	at, _, err := small.Load(path)
	if !errors.Is(err, ErrDumpTooBig) || !maps.Equal(at, positions) {
		t.Errorf("positions %v, %v; want all and %v", at, err, ErrDumpTooBig)
	}
	if got := small.bytes.Load(); got > 300<<10 || small.entries() == 0 {
		t.Errorf("%d bytes of %d, %d entries", got, 300<<10, small.entries())
	}
}

func TestDumpThatFailsLeavesTheOldOne(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "state")
	table := filled(t, Config{}, "a")
	dump(t, table, path)
	temporary := fmt.Sprintf("%s.%d.tmp", path, os.Getpid())
	if err := os.Mkdir(temporary, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := filled(t, Config{}, "b").Dump(path, positions, nil); err == nil {
		t.Fatal("dumped into a directory")
	}
	wantLoaded(t, path, table, nil)
	if err := os.MkdirAll(filepath.Join(path+".1", "in the way"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := table.Dump(path, positions, nil); err == nil {
		t.Fatal("replaced a directory")
	}
	wantLoaded(t, path, table, nil)
	if _, err := os.Lstat(temporary); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("left behind: %s, %v", temporary, err)
	}
	if err := table.Dump(filepath.Join(dir, "none", "state"), nil, nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no such directory: %v", err)
	}
}

// TestDumpWhileServing must hold every state that was there when it started.
func TestDumpWhileServing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state")
	table := filled(t, Config{}, "a", "b", "c", "d", "e", "f")
	want := contents(table)
	stop := make(chan struct{})
	var polls sync.WaitGroup
	for g := range 2 {
		polls.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				user := []byte(fmt.Sprint("other", g, "-", i%20_000))
				table.Merge(&popup.Event{User: user, Popup: 1, Action: popup.Impression, AtMS: noon, ServedAtMS: noon, ReadyAtMS: noon + day, Nth: 1})
				table.Restore(user, 2, popup.State{ServedAtMS: noon, AtMS: noon, Last: popup.Impression, NextAtMS: noon + day})
				table.Sweep(noon)
			}
		})
	}
	for range 3 {
		dump(t, table, path)
	}
	close(stop)
	polls.Wait()
	loaded := New(Config{})
	if _, _, err := loaded.Load(path); err != nil {
		t.Fatal(err)
	}
	if got := contents(loaded); !maps.Equal(got, want) {
		t.Errorf("loaded %v\nwant %v", got, want)
	}
}

// FuzzReadDump gives the reader what a checksum does not protect from.
func FuzzReadDump(f *testing.F) {
	path := filepath.Join(f.TempDir(), "state")
	dump(f, filled(f, Config{}, "a", "b"), path)
	b, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	table := newCapped(hourly)
	serve(f, table, "a", 1, &popup.Frequency{}, noon)
	dump(f, table, path)
	if b, err = os.ReadFile(path); err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		table := newTable(Config{MaxBytes: 1 << 20}, 2)
		table.KeepImpressions(hourly.keep)
		at, _, err := table.readDump(bufio.NewReader(bytes.NewReader(b)))
		if at == nil && err == nil {
			t.Fatal("neither positions nor an error")
		}
		for i := range table.shards {
			table.shards[i].check(t)
		}
	})
}
