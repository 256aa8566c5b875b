package plainlog

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"sync"
)

// NewJournal is [New] into systemd's journal: each line begins with its priority, which the
// journal takes off. Without it the journal takes every line for information, and journalctl -p
// finds none.
func NewJournal(format string, level slog.Leveler, w io.Writer) *slog.Logger {
	out := &prioritised{w: w}
	return slog.New(journal{New(format, level, out).Handler(), out})
}

// journal is a handler that writes to a prioritised.
type journal struct {
	slog.Handler
	out *prioritised
}

func (j journal) Handle(ctx context.Context, r slog.Record) error {
	j.out.mu.Lock()
	defer j.out.mu.Unlock()
	j.out.priority = priority(r.Level)
	return j.Handler.Handle(ctx, r)
}

func (j journal) WithAttrs(attrs []slog.Attr) slog.Handler {
	return journal{j.Handler.WithAttrs(attrs), j.out}
}

func (j journal) WithGroup(name string) slog.Handler {
	return journal{j.Handler.WithGroup(name), j.out}
}

// priority is that of sd-daemon(3).
func priority(level slog.Level) string {
	switch {
	case level >= slog.LevelError:
		return "<3>"
	case level >= slog.LevelWarn:
		return "<4>"
	case level >= slog.LevelInfo:
		return "<6>"
	}
	return "<7>"
}

// prioritised writes each line, which is one Write, with a priority before it.
type prioritised struct {
	mu       sync.Mutex // held while a record is written
	priority string     // of that
	w        io.Writer
}

func (p *prioritised) Write(line []byte) (int, error) {
	if _, err := fmt.Fprintf(p.w, "%s%s", p.priority, line); err != nil {
		return 0, err
	}
	return len(line), nil
}
