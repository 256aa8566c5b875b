// Package live tells the console's pages what changes, by server-sent events
// (https://html.spec.whatwg.org/multipage/server-sent-events.html), so that they need not
// ask.
//
// GET /live answers with a stream of these events, whose data are JSON objects:
//
//	revision   {"revision":42,"changed_ms_ago":0}: what is in force on this server
//	counts     {"counted":1234,"changed_ms_ago":0}: statistics have moved; at most every 2 s
//	system     [System], every 2 s; only with ?system=1
//	findings   [Findings], once, and again after POST /live/findings; only with ?system=1
//
// An event says what is, not what was done. A stream begins with the newest of each kind, and
// a reader that is slow misses those in between: of each kind one event waits for it at most.
// Everything is read once, however many streams there are, and only while there are some. A
// stream ends when its reader would no longer be let in, and when the server ends.
package live

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/popupd/popupd/console"
	"github.com/popupd/popupd/internal/retry"
	"github.com/popupd/popupd/popup"
	"github.com/popupd/popupd/tuning"
)

// Config is what a [Hub] tells. The functions that have a context may block until it ends.
type Config struct {
	// Revision returns the revision in force. It does not block.
	Revision func() int64
	// Counted returns a number that is another one once statistics have moved.
	Counted func(context.Context) (int64, error)
	// System returns how this server and those beside it are. What can't be known is left out.
	System func(context.Context) System
	// Examine returns what the host and the stores lack. It takes seconds.
	Examine func(context.Context) (Findings, error)

	Now func() int64 // ms since the epoch, UTC; nil is the system's clock
	Log *slog.Logger // nil logs nothing
}

// Validate reports what is missing, and fills in the clock and the logger.
func (c *Config) Validate() error {
	if c.Now == nil {
		c.Now = func() int64 { return time.Now().UnixMilli() }
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Revision == nil || c.Counted == nil || c.System == nil || c.Examine == nil {
		return errors.New("live: something that is to be told is missing")
	}
	return nil
}

const (
	lookEvery    = 2 * time.Second
	lookTimeout  = 5 * time.Second
	examineEvery = 5 * time.Second // at most, however often it is asked for
	examineLimit = time.Minute

	maxStreams     = 500
	maxStreamsEach = 100 // of one token or person: nobody takes those of all others
)

// kind is one of the kinds of events.
type kind int

const (
	revisionEvent kind = iota
	countsEvent
	systemEvent
	findingsEvent
	numKinds
)

var kindNames = [numKinds]string{"revision", "counts", "system", "findings"}

// Hub is between what changes and the streams. Make one with [New].
type Hub struct {
	config  Config
	news    chan struct{} // cap 1: the revision may be another one
	joined  chan struct{} // cap 1: a stream has come that waits for what is not known yet
	examine chan struct{} // cap 1: findings are asked for
	end     chan struct{} // closed when the server ends
	counts  retry.Outage

	mu        sync.Mutex
	streams   map[*stream]bool
	ended     bool
	revision  changing
	counted   changing
	system    []byte // nil: not read since it was last wanted by nobody
	findings  []byte // nil: not known yet
	examining bool   // findings are on their way
}

// changing is a number that is told when it is another one.
type changing struct {
	value int64
	atMS  int64 // when it became so
	known bool
}

// stream is one reader.
type stream struct {
	actor       string // whose it is
	wantsSystem bool
	wake        chan struct{}    // cap 1: something waits
	waiting     [numKinds][]byte // guarded by the hub's mu
}

// New returns a hub that tells nothing before [Hub.Run].
func New(c Config) (*Hub, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	return &Hub{
		config: c, news: make(chan struct{}, 1), joined: make(chan struct{}, 1), examine: make(chan struct{}, 1), end: make(chan struct{}),
		counts:  retry.Outage{Log: c.Log, Begins: "live: the store does not say how much is counted; pages stand still"},
		streams: map[*stream]bool{}, revision: changing{value: c.Revision(), atMS: c.Now(), known: true},
	}, nil
}

// Routes are the operations of this part.
func (h *Hub) Routes() []console.Route {
	return []console.Route{
		{Method: "GET", Path: "/live", Endpoint: h.stream, Role: popup.RoleViewer},
		{Method: "POST", Path: "/live/findings", Endpoint: h.examineAgain, Role: popup.RoleViewer},
	}
}

// Changed tells that another revision may be in force. It does not block.
func (h *Hub) Changed() { retry.Notify(h.news) }

// Run tells until ctx ends, ends all streams and returns nil.
func (h *Hub) Run(ctx context.Context) error {
	done := ctx.Done()
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel() // also after a panic
	running.Go(func() { h.look(ctx) })
	running.Go(func() { h.examineOnDemand(ctx) })
	for {
		select {
		case <-done:
			h.endStreams()
			return nil
		case <-h.news:
			h.tellRevision()
		}
	}
}

func (h *Hub) endStreams() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.ended {
		h.ended = true
		close(h.end)
	}
}

func (h *Hub) tellRevision() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if value := h.config.Revision(); value != h.revision.value {
		h.revision = changing{value, h.config.Now(), true}
		h.publishLocked(revisionEvent, h.revisionLocked())
	}
}

// look reads what is told every 2 s, and at once for a stream that has just come.
func (h *Hub) look(ctx context.Context) {
	for {
		if some, system := h.wanted(); some {
			h.guard(func() { h.lookOnce(ctx, system) })
		}
		if retry.Wait(ctx, lookEvery, h.joined) != nil {
			return
		}
	}
}

// guard logs a panic of f: whatever a page shows, polls go on.
func (h *Hub) guard(f func()) {
	if err := retry.Guard(func() error { f(); return nil }); err != nil {
		h.config.Log.Error("live: what pages are told can't be read", "err", err)
	}
}

func (h *Hub) lookOnce(ctx context.Context, system bool) {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	n, err := h.config.Counted(ctx)
	if !errors.Is(err, context.Canceled) {
		h.counts.Report(err)
	}
	if err == nil {
		h.tellCounted(n)
	}
	if system {
		event := appendEvent(nil, systemEvent, h.config.System(ctx))
		h.mu.Lock()
		defer h.mu.Unlock()
		h.system = event
		h.publishLocked(systemEvent, event)
	}
}

func (h *Hub) tellCounted(n int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.counted.known && h.counted.value == n {
		return
	}
	h.counted = changing{n, h.config.Now(), true}
	h.publishLocked(countsEvent, h.countsLocked())
}

// wanted reports whether there are streams, and whether one of them is to be told of the
// system. What was told of it is forgotten when there is none: it would be old news.
func (h *Hub) wanted() (some, system bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for s := range h.streams {
		system = system || s.wantsSystem
	}
	if !system {
		h.system = nil
	}
	return len(h.streams) > 0, system
}

// examineOnDemand examines the host and the stores, one time after the other.
func (h *Hub) examineOnDemand(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-h.examine:
		}
		h.guard(func() { h.examineOnce(ctx) })
		if retry.Pause(ctx, examineEvery) != nil {
			return
		}
	}
}

func (h *Hub) examineOnce(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, examineLimit)
	defer cancel()
	found, err := h.config.Examine(ctx)
	if ctx.Err() == context.Canceled {
		return
	}
	if err != nil {
		h.config.Log.Warn("live: the host and the stores can't be examined", "err", err)
		found = Findings{Error: err.Error(), Report: tuning.Report{Findings: []tuning.Finding{}}}
	}
	found.AtMS = h.config.Now()
	event := appendEvent(nil, findingsEvent, found)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.findings, h.examining = event, false
	h.publishLocked(findingsEvent, event)
}

// askToExamineLocked has the host and the stores examined, unless they are about to be.
func (h *Hub) askToExamineLocked() {
	if !h.examining {
		h.examining = true
		retry.Notify(h.examine)
	}
}

// publishLocked gives an event to all streams that are to be told of it.
func (h *Hub) publishLocked(k kind, event []byte) {
	for s := range h.streams {
		if (k == systemEvent || k == findingsEvent) && !s.wantsSystem {
			continue
		}
		s.waiting[k] = event
		retry.Notify(s.wake)
	}
}

func (h *Hub) revisionLocked() []byte {
	return appendEvent(nil, revisionEvent, struct {
		Revision int64 `json:"revision"`
		AgoMS    int64 `json:"changed_ms_ago"`
	}{h.revision.value, h.ago(h.revision)})
}

func (h *Hub) countsLocked() []byte {
	return appendEvent(nil, countsEvent, struct {
		Counted int64 `json:"counted"`
		AgoMS   int64 `json:"changed_ms_ago"`
	}{h.counted.value, h.ago(h.counted)})
}

func (h *Hub) ago(c changing) int64 { return max(0, h.config.Now()-c.atMS) }
