package server

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/popupd/popupd/internal/retry"
)

const restartPause = time.Second

// parts are the goroutines behind the listeners. One that fails or panics is
// logged and started again: what it works on is on disk or can be asked for
// again, and polls go on meanwhile.
type parts struct {
	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup
	log    *slog.Logger
}

func newParts(log *slog.Logger) *parts {
	ctx, cancel := context.WithCancel(context.Background())
	return &parts{ctx: ctx, cancel: cancel, log: log}
}

// run starts a part. It is done when it returns nil.
func (p *parts) run(name string, part func(context.Context) error) {
	p.wg.Go(func() {
		for {
			err := retry.Guard(func() error { return part(p.ctx) })
			if err == nil || p.ctx.Err() != nil {
				return
			}
			p.log.Error("a part failed and is started again", "part", name, "err", err)
			if retry.Pause(p.ctx, restartPause) != nil {
				return
			}
		}
	})
}

// stop ends all parts and waits for them. It may be called again.
func (p *parts) stop() {
	p.cancel()
	p.wg.Wait()
}
