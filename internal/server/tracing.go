package server

import (
	"context"
	"fmt"
	"os"

	"github.com/popupd/popupd/internal/cli"
	"github.com/popupd/popupd/internal/tracing"
)

// openTracer makes the tracer that the variables OTEL_* ask for. What is queued at the end is
// sent if the collector takes it in time.
func (s *server) openTracer(ctx context.Context) (err error) {
	if s.tracer, err = tracing.Open(ctx, os.Getenv, cli.Version(), s.host, s.log); err != nil {
		return fmt.Errorf("%w; %w", err, cli.ErrUsage)
	}
	s.onClose(func() {
		ctx, cancel := context.WithTimeout(context.Background(), tracesTimeout)
		defer cancel()
		if err := s.tracer.Close(ctx); err != nil {
			s.log.Warn("the last traces are lost", "err", err)
		}
	})
	return nil
}
