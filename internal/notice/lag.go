package notice

import (
	"context"
	"fmt"
	"time"

	"github.com/popupd/popupd/internal/retry"
)

const (
	lagAfter  = time.Minute     // events that wait for longer are late
	lagFor    = time.Minute     // and it is told once this has lasted for so long, and so is its end
	lookAtLag = 5 * time.Second // how often
)

// LagConfig says whose events wait.
type LagConfig struct {
	Sender *Sender
	Server string               // name of this one
	Oldest func() time.Duration // how long the oldest event has waited for the database; 0: none waits
}

// Lag tells when the events of this server wait for the database, and when they do no more.
// Each server tells of its own: which other one tells of it could only be agreed upon in
// the stores, and those may be what is away.
type Lag struct {
	config   LagConfig
	lagging  bool
	agreedAt time.Time // when events last waited, or did not, as lagging says
	sinceAt  time.Time // of lagging
}

// NewLag returns one that tells nothing before [Lag.Run].
func NewLag(c LagConfig) *Lag { return &Lag{config: c} }

// Run looks how long events wait until ctx ends, and then returns nil.
func (l *Lag) Run(ctx context.Context) error {
	if !l.config.Sender.Enabled() {
		return nil
	}
	l.agreedAt = time.Now()
	retry.Every(ctx, lookAtLag, func() { l.look(ctx, time.Now()) })
	return nil
}

// lag is the data of a notice that events wait.
type lag struct {
	Server string `json:"server"`
	Oldest int64  `json:"oldest_event_sec"` // age of the oldest event that waits
}

// recovery is the data of a notice that events wait no more.
type recovery struct {
	Server string `json:"server"`
	Lasted int64  `json:"lasted_sec"`
}

func (l *Lag) look(ctx context.Context, now time.Time) {
	oldest := l.config.Oldest()
	if (oldest > lagAfter) == l.lagging {
		l.agreedAt = now
		return
	}
	if now.Sub(l.agreedAt) < lagFor {
		return
	}
	l.lagging, l.agreedAt = !l.lagging, now
	c := l.config
	if l.lagging {
		l.sinceAt = now
		data := lag{Server: c.Server, Oldest: int64(oldest / time.Second)}
		text := fmt.Sprintf("Events of server %s wait for the database, the oldest for %v: popups go on, statistics stand still", words(c.Server), oldest.Round(time.Second))
		c.Sender.Tell(ctx, newNotice(FlushLagged, "", c.Sender.config.Now(), data, text))
		return
	}
	lasted := now.Sub(l.sinceAt)
	data := recovery{Server: c.Server, Lasted: int64(lasted / time.Second)}
	text := fmt.Sprintf("Events of server %s reach the database again, after %v", words(c.Server), lasted.Round(time.Second))
	c.Sender.Tell(ctx, newNotice(Recovered, "", c.Sender.config.Now(), data, text))
}
