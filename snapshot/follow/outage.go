package follow

import (
	"log/slog"
	"sync"
)

// outage logs that something stopped working, and that it works again, once each.
type outage struct {
	begins, ends string // what is logged

	mu   sync.Mutex
	down bool
}

func (o *outage) report(log *slog.Logger, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case err != nil && !o.down:
		log.Warn(o.begins, "err", err)
	case err == nil && o.down:
		log.Info(o.ends)
	}
	o.down = err != nil
}
