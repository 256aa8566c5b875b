package live

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/popupd/popupd/console"
	"github.com/popupd/popupd/internal/retry"
)

const (
	keepAlive    = 15 * time.Second // between comments, so that proxies keep the connection
	writeTimeout = 10 * time.Second // of one write: a reader that takes nothing for so long is left
)

// firstBytes ask browsers to come back within 2 s after a stream has broken.
const firstBytes = "retry: 2000\n\n"

// stream answers with events until its reader has gone or is no longer let in, or the
// server ends.
func (h *Hub) stream(w http.ResponseWriter, r *http.Request) error {
	head := w.Header()
	head.Set("Content-Type", "text/event-stream")
	head.Set("X-Accel-Buffering", "no") // nginx would hold events back
	if r.Method == http.MethodHead {
		return nil
	}
	s, err := h.join(console.CallerOf(r).Actor(), r.URL.Query().Get("system") == "1")
	if err != nil {
		return err
	}
	defer h.leave(s)
	control := http.NewResponseController(w)
	send := func(b []byte) error {
		if err := control.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
			return err
		}
		if _, err := w.Write(b); err != nil {
			return err
		}
		return control.Flush()
	}
	tick := time.NewTicker(keepAlive)
	defer tick.Stop()
	next := append([]byte(firstBytes), h.take(s)...)
	for {
		if len(next) > 0 && send(next) != nil {
			return nil // the reader has gone
		}
		select {
		case <-r.Context().Done():
			return nil
		case <-h.end:
			return nil
		case <-s.wake:
			next = h.take(s)
		case <-tick.C:
			next = []byte(":\n\n")
		}
		if !console.StillAdmitted(r) {
			return nil
		}
	}
}

// join adds a stream of somebody, for which the newest event of each kind waits.
func (h *Hub) join(actor string, system bool) (*stream, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.ended:
		return nil, console.NewProblem(http.StatusServiceUnavailable, "not_ready", "shutting down")
	case len(h.streams) == maxStreams:
		return nil, console.NewProblem(http.StatusServiceUnavailable, "too_many_streams", "There are as many live streams as there may be.")
	case h.streamsOfLocked(actor) == maxStreamsEach:
		return nil, console.NewProblem(http.StatusServiceUnavailable, "too_many_streams", actor+" has as many live streams as one may have.")
	}
	s := &stream{actor: actor, wantsSystem: system, wake: make(chan struct{}, 1)}
	s.waiting[revisionEvent] = h.revisionLocked()
	if h.counted.known {
		s.waiting[countsEvent] = h.countsLocked()
	}
	if system {
		s.waiting[systemEvent], s.waiting[findingsEvent] = h.system, h.findings
		if h.findings == nil {
			h.askToExamineLocked()
		}
	}
	if len(h.streams) == 0 || system && h.system == nil {
		retry.Notify(h.joined)
	}
	h.streams[s] = true
	return s, nil
}

func (h *Hub) streamsOfLocked(actor string) (n int) {
	for s := range h.streams {
		if s.actor == actor {
			n++
		}
	}
	return n
}

func (h *Hub) leave(s *stream) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.streams, s)
}

// take returns the events that wait for a stream.
func (h *Hub) take(s *stream) (events []byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for k, event := range s.waiting {
		events = append(events, event...)
		s.waiting[k] = nil
	}
	return events
}

// examineAgain has the host and the stores examined. What is found comes in the streams.
func (h *Hub) examineAgain(w http.ResponseWriter, _ *http.Request) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.askToExamineLocked()
	w.WriteHeader(http.StatusAccepted)
	return nil
}

// appendEvent appends an event. JSON has no line breaks, so its data is one line.
func appendEvent(dst []byte, k kind, data any) []byte {
	body, err := json.Marshal(data)
	if err != nil {
		panic(err) // a fault of ours: numbers and texts can be encoded
	}
	dst = append(dst, "event: "+kindNames[k]+"\ndata: "...)
	return append(append(dst, body...), "\n\n"...)
}
