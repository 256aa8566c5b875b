package journal

import (
	"context"
	"fmt"
	"io"
	"sync"
	"testing"
	"time"

	"github.com/popupd/popupd/internal/retry"
	"github.com/popupd/popupd/popup"
	"github.com/prometheus/client_golang/prometheus"
)

// benchJournal is a journal as a server runs it, in segments of the default
// size. Whatever is appended is committed and trimmed at once.
func benchJournal(b *testing.B, d *disk, interval time.Duration) *Journal {
	b.Helper()
	j, err := open(Config{
		Dir: b.TempDir(), MaxBytes: 2 << 30, Sync: interval, Grace: -1, Registerer: prometheus.NewRegistry(),
	}, d)
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var run sync.WaitGroup
	run.Go(func() { j.Run(ctx) })
	run.Go(func() {
		retry.Every(ctx, 50*time.Millisecond, func() {
			at := j.Positions()
			j.Covered(at)
			for _, s := range j.Streams() {
				s.Ack(at[s.ID()])
			}
		})
	})
	b.Cleanup(func() {
		cancel()
		run.Wait()
		if err := j.Release(); err != nil {
			b.Error(err)
		}
	})
	return j
}

func BenchmarkHotJournalAppend(b *testing.B) {
	for _, name := range []string{"mapped", "allocated", "unallocated"} {
		for _, count := range []int{1, 4} {
			b.Run(fmt.Sprintf("%s/events=%d", name, count), func(b *testing.B) {
				j := benchJournal(b, writers[name](), 200*time.Millisecond)
				events := testEvents(1000, count)
				b.ReportAllocs()
				for b.Loop() {
					if err := j.Append(events); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
		b.Run(name+"/parallel", func(b *testing.B) {
			j := benchJournal(b, writers[name](), 200*time.Millisecond)
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				events := testEvents(1000, 1)
				for pb.Next() {
					if err := j.Append(events); err != nil {
						b.Error(err)
						return
					}
				}
			})
		})
	}
}

// BenchmarkJournalAppendSynced has Sync = 0, with 64 callers: group commit.
func BenchmarkJournalAppendSynced(b *testing.B) {
	j := benchJournal(b, &disk{}, 0)
	b.SetParallelism(64)
	b.RunParallel(func(pb *testing.PB) {
		events := testEvents(1000, 1)
		for pb.Next() {
			if err := j.Append(events); err != nil {
				b.Error(err)
				return
			}
		}
	})
}

// BenchmarkJournalRead reads 64 KiB at a time, as the shipper does.
func BenchmarkJournalRead(b *testing.B) {
	j := benchJournal(b, &disk{}, time.Hour)
	for n := range 100_000 {
		if err := j.Append(testEvents(1000+n, 1)); err != nil {
			b.Fatal(err)
		}
	}
	s := j.Streams()[0]
	buf := make([]byte, 0, 64<<10)
	r := s.Reader(0)
	b.SetBytes(64 << 10)
	for b.Loop() {
		if _, _, err := r.Next(buf, 64<<10); err == io.EOF {
			r = s.Reader(0)
		} else if err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkJournalRecover adopts and replays a stream of 64 MiB.
func BenchmarkJournalRecover(b *testing.B) {
	c := Config{Dir: b.TempDir(), Sync: time.Hour}
	first, err := Open(c)
	if err != nil {
		b.Fatal(err)
	}
	for n := 0; first.active.seg.used() < 60<<20; n++ {
		if err := first.Append(testEvents(n, 1)); err != nil {
			b.Fatal(err)
		}
	}
	if err := first.Release(); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(60 << 20)
	for b.Loop() {
		j, err := Open(c)
		if err != nil {
			b.Fatal(err)
		}
		events := 0
		if err := j.Replay(func(*popup.Event) { events++ }); err != nil || events < 100_000 {
			b.Fatal(events, err)
		}
		if err := j.Release(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkHotFrameParse(b *testing.B) {
	frame := AppendEvents(nil, popup.StreamID{1}, 1, testEvents(1000, 1))
	b.SetBytes(int64(len(frame)))
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := ParseFrame(frame); err != nil {
			b.Fatal(err)
		}
	}
}
