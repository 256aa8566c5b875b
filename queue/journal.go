package queue

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/popupd/popupd/popup"
	"github.com/prometheus/client_golang/prometheus"
)

// What [Journal.Append] may answer, besides an I/O error.
var (
	ErrFull   = errors.New("journal: full")
	ErrClosed = errors.New("journal: closed")
)

// JournalConfig says where and how events are kept until they are counted.
type JournalConfig struct {
	Dir          string
	MaxBytes     int64
	SegmentBytes int64
	Sync         time.Duration
	Grace        time.Duration
	Now          func() int64
	Log          *slog.Logger
	Registerer   prometheus.Registerer
}

// Journal keeps events on disk until MySQL has counted them.
type Journal struct{}

func OpenJournal(c JournalConfig) (*Journal, error)     { return nil, nil }
func (j *Journal) Append(events []popup.Event) error    { return nil }
func (j *Journal) Close() error                         { return nil }
func (j *Journal) Release() error                       { return nil }
func (j *Journal) Run(ctx context.Context) error        { return nil }
func (j *Journal) Streams() []*Stream                   { return nil }
func (j *Journal) Changed() <-chan struct{}             { return nil }
func (j *Journal) Replay(fn func(*popup.Event)) error   { return nil }
func (j *Journal) Positions() map[popup.StreamID]uint64 { return nil }
func (j *Journal) Covered(at map[popup.StreamID]uint64) {}
