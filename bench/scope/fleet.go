package main

import (
	"context"
	"fmt"
	"hash/maphash"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/popupd/popupd/internal/testbed"
)

// fleet is servers behind a balancer that hashes on uid, without the balancer: the one with the
// highest hash of server and user has the user, so that one that comes or goes moves only its share.
type fleet struct {
	clients int
	seed    maphash.Seed
	servers []*server
}

type server struct {
	*testbed.Popupd
	up     atomic.Bool
	client *fasthttp.HostClient
	looked float64 // users whom it had looked up when it was last asked
}

func (f *fleet) add(p *testbed.Popupd) {
	s := &server{Popupd: p, client: &fasthttp.HostClient{Addr: p.Address, MaxConns: f.clients, ReadTimeout: 5 * time.Second, MaxIdemponentCallAttempts: 1}}
	s.up.Store(true)
	f.servers = append(f.servers, s)
}

// of returns the server that has a user.
func (f *fleet) of(user string) (best *server) {
	var highest uint64
	var name [64]byte
	for i, s := range f.servers {
		if !s.up.Load() {
			continue
		}
		if hash := maphash.Bytes(f.seed, fmt.Appendf(name[:0], "%d-%s", i, user)); best == nil || hash > highest {
			best, highest = s, hash
		}
	}
	return best
}

func (s *server) stop() error {
	s.up.Store(false)
	return s.Stop()
}

func (s *server) kill() {
	s.Kill()
	s.up.Store(false)
}

func (s *server) start() error {
	err := s.Restart()
	s.up.Store(err == nil)
	return err
}

// pass is what came of a poll of each of some users.
type pass struct {
	name           string
	servers, polls int
	took           time.Duration
	p50, p99       time.Duration
	lookups        float64
	shown, failed  int
	early          int // shown while the wait ran
	late           int // not shown although no wait ran: not looked up in time
}

// user returns the name and number of the k-th user who polls. They lie all over the table.
func (m *measurement) user(k int) (name string, number int) {
	number = k * 15_485_863 % m.users
	return fmt.Sprintf("user-%012d", number), number
}

// pass has users poll, half of them before between.
func (m *measurement) pass(ctx context.Context, name string, from, to int, between func()) error {
	p := pass{name: name, polls: to - from}
	before, err := m.lookups(ctx)
	if err != nil {
		return err
	}
	var mu sync.Mutex
	var next atomic.Int64
	next.Store(int64(from))
	var took []time.Duration
	var firstErr error
	var workers sync.WaitGroup
	start := time.Now()
	for range m.clients {
		workers.Go(func() {
			var mine []time.Duration
			var sum pass
			for ctx.Err() == nil {
				k := int(next.Add(1) - 1)
				if k >= to {
					break
				}
				if between != nil && k == from+(to-from)/2 {
					between()
				}
				asked := time.Now()
				if err := m.poll(k, &sum); err != nil {
					mu.Lock()
					firstErr = err
					mu.Unlock()
					return
				}
				mine = append(mine, time.Since(asked))
			}
			mu.Lock()
			defer mu.Unlock()
			took = append(took, mine...)
			p.shown, p.failed, p.early, p.late = p.shown+sum.shown, p.failed+sum.failed, p.early+sum.early, p.late+sum.late
		})
	}
	workers.Wait()
	p.took = time.Since(start)
	after, err := m.lookups(ctx)
	if firstErr != nil {
		return firstErr
	}
	if err != nil {
		return err
	}
	slices.Sort(took)
	p.p50, p.p99, p.lookups = took[len(took)/2], took[len(took)*99/100], after-before
	for _, s := range m.fleet.servers {
		if s.up.Load() {
			p.servers++
		}
	}
	m.passes = append(m.passes, p)
	fmt.Fprintf(os.Stderr, "%+v\n", p)
	return ctx.Err()
}

// poll has a user poll, at the next server if one is gone, and notes what came of it.
func (m *measurement) poll(k int, sum *pass) error {
	user, number := m.user(k)
	req, resp := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	defer fasthttp.ReleaseRequest(req)
	defer fasthttp.ReleaseResponse(resp)
	for {
		s := m.fleet.of(user)
		if s == nil {
			return fmt.Errorf("no server is up")
		}
		req.Reset()
		req.SetRequestURI("http://" + s.Address + "/v1/poll?uid=" + user)
		if err := s.client.Do(req, resp); err != nil {
			select {
			case <-s.Exited():
			case <-time.After(time.Second):
				return fmt.Errorf("poll of %s: %w", user, err)
			}
			s.up.Store(false)
			sum.failed++
			continue
		}
		break
	}
	waits := number%2 == 0 || m.served[k]
	switch resp.StatusCode() {
	case fasthttp.StatusOK:
		sum.shown++
		if waits {
			sum.early++
		}
		m.served[k] = true
	case fasthttp.StatusNoContent:
		if !waits {
			sum.late++
		}
	default:
		return fmt.Errorf("poll of %s: status %d", user, resp.StatusCode())
	}
	return nil
}

// lookups returns how many users the servers have looked up, as far as is known of those that have
// ended.
func (m *measurement) lookups(ctx context.Context) (sum float64, err error) {
	for _, s := range m.fleet.servers {
		if s.up.Load() {
			if s.looked, err = s.Metric(ctx, "popupd_lookups_total"); err != nil {
				return 0, err
			}
		}
		sum += s.looked
	}
	return sum, nil
}
