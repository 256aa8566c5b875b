package notice

import (
	"context"
	"time"

	"github.com/popupd/popupd/popup"
)

// maxDirect is how many notices are kept in memory while the outbox is away.
const maxDirect = 16

// Tell has a notice sent. If the outbox can't keep it, this server sends it itself, and
// gives it to the outbox as soon as it can: it may then be sent twice, with the same id.
func (s *Sender) Tell(ctx context.Context, n popup.Notice) {
	if s.add(ctx, n) == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.direct) == maxDirect {
		s.direct = s.direct[1:]
		s.metrics.tooMany.Inc()
	}
	s.direct = append(s.direct, n)
}

// add gives a notice to the outbox.
func (s *Sender) add(ctx context.Context, n popup.Notice) error {
	ctx, cancel := context.WithTimeout(ctx, askFor)
	defer cancel()
	return s.config.Outbox.AddNotice(ctx, n)
}

func (s *Sender) firstDirect() (popup.Notice, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.direct) == 0 {
		return popup.Notice{}, false
	}
	return s.direct[0], true
}

// doneDirect forgets a notice, unless it was dropped meanwhile.
func (s *Sender) doneDirect(n popup.Notice) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.direct) > 0 && s.direct[0].ID == n.ID {
		s.direct = s.direct[1:]
	}
}

// sendDirect gives a notice to the outbox if that works again, or sends it.
func (s *Sender) sendDirect(ctx context.Context, n popup.Notice) time.Duration {
	if s.add(ctx, n) == nil {
		s.doneDirect(n)
		return 0
	}
	a := s.post(ctx, n)
	if a.delivered() {
		s.doneDirect(n)
	} else if ctx.Err() != nil {
		return 0 // this server ends, which says nothing of the receiver
	}
	return s.report(a)
}
