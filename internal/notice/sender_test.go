package notice

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/popupd/popupd/popup"
)

// TestDelivery: a notice is sent once, signed.
func TestDelivery(t *testing.T) {
	m, r := &memory{}, newReceiver(t, nil)
	s, log := newTestSender(t, m, r.URL+"/hook?key=sEcReT")
	m.add(t, "msg_1")
	for range 3 {
		s.step(t.Context())
	}
	wantSame(t, "delivered", r.ids(), []string{"msg_1"})
	d := r.got[0]
	secrets, _ := ParseSecrets(testSecret)
	var second int64
	fmt.Sscan(d.header.Get("webhook-timestamp"), &second)
	wantSame(t, "signature", d.header.Get("webhook-signature"), sign(secrets, "msg_1", second, []byte(d.body)))
	wantSame(t, "content type and sender", d.header.Get("Content-Type")+" "+d.header.Get("User-Agent"), "application/json popupd/test")
	if age := d.atMS/1000 - second; age < 0 || age > 2 {
		t.Errorf("signed for %d, delivered at %d", second, d.atMS/1000)
	}
	wantSame(t, "row", []any{m.rows[0].settled, m.rows[0].result}, []any{true, "status 204"})
	wantSame(t, "log", log, "")
	wantSame(t, "delivered", testutil.ToFloat64(s.metrics.delivered), 1)
}

// TestSchedule: an attempt follows on each that failed, later and later, until the notice
// is three days old. Each has the same id.
func TestSchedule(t *testing.T) {
	m, r := &memory{}, newReceiver(t, status(http.StatusInternalServerError))
	s, log := newTestSender(t, m, r.URL)
	m.add(t, "msg_1")
	attempts := 0
	var last time.Duration
	for ; m.now < 5*24*time.Hour; m.now += time.Second {
		if row := m.rows[0]; row.settled || row.dueAt > m.now {
			m.now = max(m.now, row.dueAt) // nothing happens before
		}
		if m.rows[0].settled {
			break
		}
		s.step(t.Context())
		attempts++
		if attempts <= len(schedule) {
			wait := m.rows[0].dueAt - m.now
			if want := schedule[attempts-1]; wait < want || wait > want*11/10+1 {
				t.Errorf("attempt %d is followed by a wait of %v, want about %v", attempts, wait, want)
			}
			last = m.now
		}
	}
	wantSame(t, "attempts", attempts, len(schedule)+1)
	if last < 40*time.Hour || m.now < 70*time.Hour || m.now > maxAge+time.Hour {
		t.Errorf("given up after %v", m.now)
	}
	wantSame(t, "deliveries", len(r.ids()), attempts)
	for _, id := range r.ids() {
		if id != "msg_1" {
			t.Errorf("sent again as %s", id)
		}
	}
	if text := log.String(); strings.Count(text, "level=WARN") != 1 || strings.Count(text, "given up") != 1 || !strings.Contains(text, "status 500") {
		t.Errorf("logs %s", text)
	}
	wantSame(t, "given up", testutil.ToFloat64(s.metrics.tooOld), 1)
	wantSame(t, "refused", testutil.ToFloat64(s.metrics.refused), attempts)
}

// TestAgain holds the rules of waiting at their edges.
func TestAgain(t *testing.T) {
	for _, c := range []struct {
		attempt         uint32
		age, retryAfter time.Duration
		want            time.Duration // without what is added by chance
		more            bool
	}{
		{1, 0, 0, 5 * time.Second, true},
		{0, 0, 0, 5 * time.Second, true},
		{1, 0, time.Hour, time.Hour, true},
		{3, 0, time.Second, 5 * time.Minute, true},
		{1, 0, 1000 * time.Hour, maxRetryAfter, true},
		{1, maxAge, 0, 0, false},
		{2, maxAge - time.Hour, 2 * time.Hour, 0, false},
		{uint32(len(schedule)) + 1, time.Hour, 0, 0, false},
		{1 << 31, 0, 0, 0, false},
	} {
		got, more := again(c.attempt, c.age, c.retryAfter)
		if more != c.more || more && (got < c.want || got > c.want*11/10+1) {
			t.Errorf("attempt %d, age %v, Retry-After %v: %v, %v; want about %v, %v", c.attempt, c.age, c.retryAfter, got, more, c.want, c.more)
		}
	}
}

// TestReceiverIsAwayForAWhile: nothing is lost, one warning is logged and one that it is over,
// and meanwhile the server tries more and more rarely, whatever waits.
func TestReceiverIsAwayForAWhile(t *testing.T) {
	m, r := &memory{}, newReceiver(t, nil)
	s, log := newTestSender(t, m, closed(t))
	for i := range 5 {
		m.add(t, fmt.Sprint("msg_", i))
	}
	var waited time.Duration
	for range 20 {
		wait := s.step(t.Context())
		waited, m.now = waited+wait, m.now+wait
	}
	if waited < 5*time.Minute {
		t.Errorf("20 attempts within %v", waited)
	}
	s.config.URL, _ = ParseURL(r.URL)
	for range 2000 {
		m.now += time.Minute
		s.step(t.Context())
	}
	if ids := r.ids(); len(ids) != 5 {
		t.Errorf("delivered %v, want 5", ids)
	}
	if text := log.String(); strings.Count(text, "level=WARN") != 1 || strings.Count(text, "delivered again") != 1 {
		t.Errorf("logs %s", text)
	}
}

// TestGone: the receiver wants no more, so this server stops. Nothing is lost by it.
func TestGone(t *testing.T) {
	m, r := &memory{}, newReceiver(t, status(http.StatusGone))
	s, log := newTestSender(t, m, r.URL)
	m.add(t, "msg_1")
	m.add(t, "msg_2")
	for range 50 {
		s.step(t.Context())
		m.now += time.Hour
	}
	wantSame(t, "requests", len(r.ids()), 1)
	wantSame(t, "settled", []bool{m.rows[0].settled, m.rows[1].settled}, []bool{false, false})
	wantSame(t, "stopped", testutil.ToFloat64(s.metrics.stopped), 1)
	if !strings.Contains(log.String(), "410 Gone") {
		t.Errorf("logs %s", log)
	}
}

// TestRetryAfter: the notice and this server wait for as long as the receiver asks.
func TestRetryAfter(t *testing.T) {
	for _, code := range []int{http.StatusTooManyRequests, http.StatusServiceUnavailable} {
		m, r := &memory{}, newReceiver(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "600")
			w.WriteHeader(code)
		})
		s, _ := newTestSender(t, m, r.URL)
		m.add(t, "msg_1")
		if wait := s.step(t.Context()); wait != 10*time.Minute || m.rows[0].dueAt != 10*time.Minute {
			t.Errorf("%d: the server waits for %v, the notice for %v; want 10m", code, wait, m.rows[0].dueAt)
		}
	}
}

// answers is a receiver without a network.
type answers func() *http.Response

func (a answers) RoundTrip(*http.Request) (*http.Response, error) { return a(), nil }

// TestPause: the outbox is kept in order while the receiver asks for an hour without anything.
func TestPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &memory{}
		s, _ := newTestSender(t, m, "http://127.0.0.1:1")
		requests := 0
		s.client.Transport = answers(func() *http.Response {
			requests++
			return &http.Response{StatusCode: http.StatusTooManyRequests, Header: http.Header{"Retry-After": {"3600"}}, Body: http.NoBody}
		})
		m.add(t, "msg_1")
		m.add(t, "msg_2")
		ctx, stop := context.WithTimeout(t.Context(), 59*time.Minute-time.Second)
		defer stop()
		if err := s.Run(ctx); err != nil {
			t.Error(err)
		}
		wantSame(t, "requests and trims", []int{requests, m.trims}, []int{1, 59})
	})
}

// TestTooOld: what nobody could send for days is not sent late.
func TestTooOld(t *testing.T) {
	m, r := &memory{}, newReceiver(t, nil)
	s, log := newTestSender(t, m, r.URL)
	m.add(t, "msg_1")
	m.add(t, "msg_2")
	m.now += maxAge + time.Second
	m.add(t, "msg_3")
	for range 3 {
		s.step(t.Context())
	}
	wantSame(t, "delivered", r.ids(), []string{"msg_3"})
	wantSame(t, "row", []any{m.rows[0].settled, m.rows[1].settled, testutil.ToFloat64(s.metrics.tooOld)}, []any{true, true, 2})
	wantSame(t, "times that it was logged", strings.Count(log.String(), "given up"), 1)
}

// TestStopWhileSending: the end of this server says nothing of the receiver. Another server
// sends the notice soon, also if this was the last attempt.
func TestStopWhileSending(t *testing.T) {
	for _, down := range []bool{false, true} {
		ctx, stop := context.WithCancel(t.Context())
		m, r := &memory{}, newReceiver(t, func(_ http.ResponseWriter, r *http.Request) {
			stop()
			<-r.Context().Done()
		})
		s, log := newTestSender(t, m, r.URL)
		if m.down = down; down {
			s.Tell(ctx, popup.Notice{Subject: "msg_1", ID: "msg_1", Body: []byte("{}")})
		} else {
			m.add(t, "msg_1")
			m.rows[0].Attempt = uint32(len(schedule))
		}
		s.step(ctx)
		if !down {
			wantSame(t, "row", []any{m.rows[0].settled, m.rows[0].dueAt}, []any{false, schedule[0]})
		}
		wantSame(t, "sent", r.ids(), []string{"msg_1"})
		wantSame(t, "log", log, "")
		wantSame(t, "failed", testutil.ToFloat64(s.metrics.failed), 0)
	}
}

// TestNothingToSendTo: without a URL the store is not asked.
func TestNothingToSendTo(t *testing.T) {
	s := NewSender(Config{})
	if err := s.Run(context.Background()); err != nil || s.Enabled() {
		t.Errorf("%v, enabled %v", err, s.Enabled())
	}
}

// TestStoreIsAway: it is told once, and what waits is sent afterwards.
func TestStoreIsAway(t *testing.T) {
	m, r := &memory{}, newReceiver(t, nil)
	s, log := newTestSender(t, m, r.URL)
	m.add(t, "msg_1")
	m.down = true
	for range 10 {
		s.step(t.Context())
	}
	m.down = false
	s.step(t.Context())
	wantSame(t, "delivered", r.ids(), []string{"msg_1"})
	if text := log.String(); strings.Count(text, "level=WARN") != 1 || strings.Count(text, "says again") != 1 {
		t.Errorf("logs %s", text)
	}
}
