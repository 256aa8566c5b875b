package sample

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/popupd/popupd/popup"
)

// full is a poll that says everything.
var full = popup.Request{
	User: []byte("u"), PriorUser: []byte("before"), Placements: [][]byte{[]byte("top"), []byte("side")}, Trigger: []byte("exit"),
	Platform: []byte("ios"), AppVersion: []byte("3.2.1"), Locale: []byte("zh-CN"), Country: []byte("CN"), Path: []byte("/cart"),
	Zone: []byte("Asia/Shanghai"), IP: []byte("203.0.113.7"),
	Attrs: []popup.Attr{{Name: []byte("plan"), Value: []byte("pro")}, {Name: []byte("empty")}},
}

// What is kept outlives the process, in files that only their owner reads, without ids.
func TestFile(t *testing.T) {
	b := newBench(t, 10)
	for range 3 {
		b.offer(&full)
		b.pass(6 * time.Minute)
	}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	if err := b.Run(stopped); err != nil {
		t.Fatal(err)
	}
	written, err := os.ReadFile(b.config.File)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(written, full.PriorUser) {
		t.Error("the file has a user id")
	}
	if info, err := os.Stat(b.config.File); err != nil || info.Mode() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	next := NewReservoir(b.config)
	next.Load(b.users)
	got := next.trace()
	if d := cmp.Diff(b.trace(), got, cmp.AllowUnexported(trace{}, tracedPoll{})); d != "" || len(got.polls) != 3 {
		t.Errorf("(-written +read):\n%s", d)
	}
	var poll keptPoll
	if err := poll.decode(got.polls[2].bytes); err != nil {
		t.Fatal(err)
	}
	want := keptPoll{atMS: noon + 12*60_000, user: b.users.Hash(full.User), prior: b.users.Hash(full.PriorUser), request: full}
	want.request.User, want.request.PriorUser, want.request.IP = nil, nil, []byte("203.0.113.0")
	if d := cmp.Diff(want, poll, cmp.AllowUnexported(keptPoll{})); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}

	off := b.config
	off.PerSecond = 0
	for _, name := range []string{".1", ".bad", ".1.bad"} { // of an earlier release
		if err := os.WriteFile(b.config.File+name, written, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	NewReservoir(off).Load(b.users)
	if d := cmp.Diff([]string(nil), b.files()); d != "" {
		t.Errorf("with a rate of 0 there are files (-want +got):\n%s", d)
	}
}

// files returns the names of the sample's files.
func (b *bench) files() (names []string) {
	b.Helper()
	entries, err := os.ReadDir(filepath.Dir(b.config.File))
	if err != nil {
		b.Fatal(err)
	}
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}

func TestNetworkOf(t *testing.T) {
	for address, want := range map[string]string{
		"": "", "unknown": "", "203.0.113.255": "203.0.113.0", "::ffff:203.0.113.7": "203.0.113.0",
		"2001:db8:1:2:3::4": "2001:db8:1::", "fe80::1%eth0": "fe80::",
	} {
		if got := string(networkOf([]byte(address))); got != want {
			t.Errorf("%s: %s, want %s", address, got, want)
		}
	}
}

// A file that can't be used is removed: it may have polls of users who are reset since, and
// what is kept from then on is written in its place.
func TestDamagedSample(t *testing.T) {
	for name, damage := range map[string]func([]byte) []byte{
		"cut":         func(b []byte) []byte { return b[:len(b)-1] },
		"bit":         func(b []byte) []byte { b[len(b)/2] ^= 1; return b },
		"empty":       func([]byte) []byte { return nil },
		"newer":       func(b []byte) []byte { b[len(fileMagic)-1]++; return b },
		"another key": func(b []byte) []byte { b[len(fileMagic)]++; return sealed(b[:len(b)-4]) },
		"threshold":   func(b []byte) []byte { b[fileHead+8]--; return sealed(b[:len(b)-4]) },
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, 10)
			b.poll("a")
			b.save()
			written, err := os.ReadFile(b.config.File)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(b.config.File, damage(written), 0o600); err != nil {
				t.Fatal(err)
			}
			var log bytes.Buffer
			b.config.Log = slog.New(slog.NewTextHandler(&log, nil))
			next := *b
			next.Reservoir = NewReservoir(b.config)
			next.Load(b.users)
			if n := len(next.trace().polls); n != 0 {
				t.Errorf("%d polls of a file that can't be used", n)
			}
			if d := cmp.Diff([]string(nil), b.files()); d != "" || strings.Count(log.String(), "\n") != 1 {
				t.Errorf("files (-want +got):\n%s\nlog:\n%s", d, &log)
			}
			next.poll("b")
			next.save()
			again := NewReservoir(b.config)
			again.Load(b.users)
			if n := len(again.trace().polls); n != 1 {
				t.Errorf("%d polls later, want 1", n)
			}
		})
	}
}

// sealed appends the checksum of a file.
func sealed(b []byte) []byte {
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

// A process that died while it replaced the file has left the one before, and maybe some of
// the next: the next process goes on with the one, and lets nothing else lie.
func TestFileAfterACrash(t *testing.T) {
	b := newBench(t, 10)
	b.poll("a")
	b.save()
	if err := os.Rename(b.config.File, b.config.File+".1"); err != nil {
		t.Fatal(err)
	}
	temporary := b.config.File + ".4711.tmp"
	if err := os.WriteFile(temporary, []byte("begun"), 0o600); err != nil {
		t.Fatal(err)
	}
	old := time.Now().Add(-time.Hour)
	if err := os.Chtimes(temporary, old, old); err != nil {
		t.Fatal(err)
	}
	next := NewReservoir(b.config)
	next.Load(b.users)
	if n := len(next.trace().polls); n != 1 {
		t.Errorf("%d polls, want 1", n)
	}
	if d := cmp.Diff([]string{"sample"}, b.files()); d != "" {
		t.Errorf("files (-want +got):\n%s", d)
	}
}

// Where the disk takes nothing the polls stay in memory, which is said once, and no file stays
// that can't be kept true.
func TestFullDisk(t *testing.T) {
	b := newBench(t, 10)
	var log bytes.Buffer
	b.config.Log = slog.New(slog.NewTextHandler(&log, nil))
	b.Reservoir = NewReservoir(b.config)
	b.Load(b.users)
	b.poll("a")
	b.save()
	temporary := fmt.Sprintf("%s.%d.tmp", b.config.File, os.Getpid())
	if err := os.MkdirAll(temporary+"/d", 0o700); err != nil { // so that it can't be written
		t.Fatal(err)
	}
	for range 3 {
		b.poll("b")
		b.save()
	}
	if d := cmp.Diff([]string{filepath.Base(temporary)}, b.files()); d != "" || strings.Count(log.String(), "\n") != 1 {
		t.Errorf("files (-want +got):\n%s\nlog:\n%s", d, &log)
	}
	if err := os.RemoveAll(temporary); err != nil {
		t.Fatal(err)
	}
	b.save()
	if n := len(b.trace().polls); n != 4 || len(b.files()) != 1 || strings.Count(log.String(), "\n") != 2 {
		t.Errorf("later %d polls, files %v, log:\n%s", n, b.files(), &log)
	}
}

func FuzzDecodeFile(f *testing.F) {
	poll := appendPoll(nil, &full, 1, 2, 3, noon)
	from := bucket{startMS: noon, below: everybody}
	from.add(poll)
	var r Reservoir
	var b bytes.Buffer
	if err := r.encodeFile(&b, []bucket{from}); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add([]byte(fileMagic))
	f.Add(poll)
	f.Fuzz(func(t *testing.T, b []byte) {
		if buckets, err := decodeFile(b, 0); err == nil {
			var again bytes.Buffer
			if err := r.encodeFile(&again, buckets); err != nil || !bytes.Equal(again.Bytes(), b) {
				t.Errorf("read, it is written as something else: %v", err)
			}
		}
		for p, rest, ok := nextPoll(b); ok; p, rest, ok = nextPoll(rest) {
			var k keptPoll
			if k.decode(p) == nil {
				got := appendPoll(nil, &k.request, k.user, k.prior, k.request.Fingerprint, k.atMS)
				var same keptPoll
				if err := same.decode(got); err != nil {
					t.Error(err)
				}
			}
		}
	})
}
