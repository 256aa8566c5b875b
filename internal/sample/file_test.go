package sample

import (
	"bytes"
	"context"
	"os"
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
	if err := next.Load(); err != nil {
		t.Fatal(err)
	}
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
	if err := NewReservoir(off).Load(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(b.config.File); !os.IsNotExist(err) {
		t.Errorf("with a rate of 0 the file is still there: %v", err)
	}
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

// A file that is damaged or newer is set aside, and the one before it used.
func TestDamagedSample(t *testing.T) {
	for name, damage := range map[string]func([]byte) []byte{
		"cut":   func(b []byte) []byte { return b[:len(b)-1] },
		"bit":   func(b []byte) []byte { b[len(b)/2] ^= 1; return b },
		"empty": func([]byte) []byte { return nil },
		"newer": func(b []byte) []byte { b[len(fileMagic)-1]++; return b },
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, 10)
			b.poll("a")
			b.save()
			b.poll("b")
			b.save()
			written, err := os.ReadFile(b.config.File)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(b.config.File, damage(written), 0o600); err != nil {
				t.Fatal(err)
			}
			next := NewReservoir(b.config)
			if err := next.Load(); err != nil {
				t.Fatal(err)
			}
			if n := len(next.trace().polls); n != 1 {
				t.Errorf("%d polls, want the one of the file before", n)
			}
			if _, err := os.Stat(b.config.File + ".bad"); err != nil {
				t.Error(err)
			}
		})
	}
}

func FuzzDecodeFile(f *testing.F) {
	poll := appendPoll(nil, &full, 1, 2, noon)
	var b bytes.Buffer
	if err := encodeFile(&b, []bucket{{startMS: noon, below: everybody, polls: poll, n: 1}}); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add([]byte(fileMagic))
	f.Add(poll)
	f.Fuzz(func(t *testing.T, b []byte) {
		if buckets, err := decodeFile(b); err == nil {
			var again bytes.Buffer
			if err := encodeFile(&again, buckets); err != nil || !bytes.Equal(again.Bytes(), b) {
				t.Errorf("read, it is written as something else: %v", err)
			}
		}
		for p, rest, ok := nextPoll(b); ok; p, rest, ok = nextPoll(rest) {
			var k keptPoll
			if k.decode(p) == nil {
				got := appendPoll(nil, &k.request, k.user, k.prior, k.atMS)
				var same keptPoll
				if err := same.decode(got); err != nil {
					t.Error(err)
				}
			}
		}
	})
}
