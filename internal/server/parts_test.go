package server

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
)

// TestPartsStartAgain: a part that fails or panics is logged and started again;
// one that returns nil is done.
func TestPartsStartAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		p := newParts(slog.New(slog.NewTextHandler(&log, nil)))
		runs := 0
		p.run("test", func(context.Context) error {
			runs++
			switch runs {
			case 1:
				return errors.New("an error")
			case 2:
				panic("a panic")
			}
			return nil
		})
		p.wg.Wait()
		p.stop()
		if runs != 3 || !strings.Contains(log.String(), "an error") || !strings.Contains(log.String(), "a panic") {
			t.Errorf("%d runs, log: %s", runs, log.String())
		}
	})
}

// TestPartsStop ends a part that would run for ever, and one that always fails.
func TestPartsStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newParts(slog.New(slog.DiscardHandler))
		p.run("runs", func(ctx context.Context) error { <-ctx.Done(); return nil })
		p.run("fails", func(context.Context) error { return errors.New("always") })
		synctest.Wait()
		p.stop()
		p.stop()
	})
}
