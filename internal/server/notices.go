package server

import (
	"context"
	"fmt"

	"github.com/popupd/popupd/internal/cli"
	"github.com/popupd/popupd/internal/notice"
)

// wireNotices wires database -> sender -> the operators' webhook. Without -webhook the
// sender has nothing to do, and no notices are kept in the database.
func (s *server) wireNotices(context.Context) (err error) {
	c := notice.Config{Outbox: s.db, UserAgent: "popupd/" + cli.Version(), Now: s.now, Log: s.log, Registerer: s.registry, Tracer: s.tracer}
	if s.config.Webhook != "" {
		if c.URL, err = notice.ParseURL(s.config.Webhook); err != nil {
			return fmt.Errorf("-webhook: %w", err)
		}
		if c.Secrets, err = notice.ParseSecrets(s.config.WebhookSecret); err != nil {
			return fmt.Errorf("-webhook-secret: %w", err)
		}
	}
	s.notices = notice.NewSender(c)
	s.lag = notice.NewLag(notice.LagConfig{Sender: s.notices, Server: s.host, Oldest: s.shipper.Oldest})
	s.watch = notice.NewWatch(s.notices, s.db, s.log)
	return nil
}
