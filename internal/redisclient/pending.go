package redisclient

import (
	"context"
	"crypto/tls"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/rueidis"

	"github.com/popupd/popupd/internal/retry"
)

// pending is the client of a cluster, or of what Sentinels watch, that could not be
// asked at the start where the servers are: rueidis has no client before that. Until
// one can be made, every command fails with the reason of the last attempt.
type pending struct {
	absent rueidis.Client
	cause  atomic.Pointer[error] // why there is no other client

	noSlot  uint16 // set in the slots of commands that absent builds
	cluster bool

	ctx    context.Context
	cancel context.CancelFunc

	mu     sync.Mutex
	client rueidis.Client // guarded by mu; absent at first
	closed bool           // guarded by mu
}

// newPending goes on making the client of an option, which failed because of cause.
func newPending(option rueidis.ClientOption, cause error) *pending {
	p := &pending{cluster: IsCluster(option)}
	p.cause.Store(&cause)
	p.absent, _ = rueidis.NewClient(rueidis.ClientOption{
		InitAddress: option.InitAddress[:1], ForceSingleClient: true, DisableCache: true, DisableRetry: true,
		DialCtxFn: func(context.Context, string, *net.Dialer, *tls.Config) (net.Conn, error) { return nil, *p.cause.Load() },
	})
	ping := p.absent.B().Ping().Build()
	p.noSlot = ping.Slot()
	p.client = p.absent
	p.ctx, p.cancel = context.WithCancel(context.Background())
	go p.connect(option)
	return p
}

func (p *pending) connect(option rueidis.ClientOption) {
	backoff := retry.Backoff{First: 200 * time.Millisecond, Most: 2 * time.Second}
	for retry.Pause(p.ctx, backoff.Next()) == nil {
		client, err := rueidis.NewClient(option)
		if err != nil {
			p.cause.Store(&err)
			continue
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.closed {
			client.Close()
		} else {
			p.client = client
		}
		return
	}
}

func (p *pending) current() rueidis.Client {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.client
}

// fit returns the client for commands. A cluster's client panics on what was built
// when there was none yet: such a command has no slot.
func (p *pending) fit(commands ...rueidis.Completed) rueidis.Client {
	for _, cmd := range commands {
		if p.cluster && cmd.Slot()&p.noSlot != 0 {
			return p.absent
		}
	}
	return p.current()
}

func (p *pending) Close() {
	p.cancel()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	p.client.Close()
	p.absent.Close()
}

func (p *pending) B() rueidis.Builder               { return p.current().B() }
func (p *pending) Mode() rueidis.ClientMode         { return p.current().Mode() }
func (p *pending) Nodes() map[string]rueidis.Client { return p.current().Nodes() }

func (p *pending) Do(ctx context.Context, cmd rueidis.Completed) rueidis.RedisResult {
	return p.fit(cmd).Do(ctx, cmd)
}

func (p *pending) DoMulti(ctx context.Context, multi ...rueidis.Completed) []rueidis.RedisResult {
	return p.fit(multi...).DoMulti(ctx, multi...)
}

func (p *pending) Receive(ctx context.Context, subscribe rueidis.Completed, fn func(rueidis.PubSubMessage)) error {
	return p.fit(subscribe).Receive(ctx, subscribe, fn)
}

func (p *pending) Dedicated(fn func(rueidis.DedicatedClient) error) error {
	return p.current().Dedicated(fn)
}

func (p *pending) Dedicate() (rueidis.DedicatedClient, func()) { return p.current().Dedicate() }

func (p *pending) DoStream(ctx context.Context, cmd rueidis.Completed) rueidis.RedisResultStream {
	return p.fit(cmd).DoStream(ctx, cmd)
}

func (p *pending) DoMultiStream(ctx context.Context, multi ...rueidis.Completed) rueidis.MultiRedisResultStream {
	return p.fit(multi...).DoMultiStream(ctx, multi...)
}

func (p *pending) DoCache(ctx context.Context, cmd rueidis.Cacheable, ttl time.Duration) rueidis.RedisResult {
	return p.fit(rueidis.Completed(cmd)).DoCache(ctx, cmd, ttl)
}

func (p *pending) DoMultiCache(ctx context.Context, multi ...rueidis.CacheableTTL) []rueidis.RedisResult {
	commands := make([]rueidis.Completed, len(multi))
	for i, cached := range multi {
		commands[i] = rueidis.Completed(cached.Cmd)
	}
	return p.fit(commands...).DoMultiCache(ctx, multi...)
}
