package handler

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/popupd/popupd/decision"
)

// rejecter answers the connections above the limit with 503 and closes them.
type rejecter struct {
	answers map[string][]byte // by the origin that they name, if not all name the same
	others  []byte            // for all other origins
	slots   chan struct{}     // has one for each that is being rejected
	buffers sync.Pool         // of *[maxHeaderSize]byte
}

// rejectTime bounds the wait for a connection that is rejected: a new one has sent
// its request, and has room for an answer, or is not worth waiting for.
const rejectTime = time.Millisecond

// maxRejecting is how many may be rejected at once, so that a flood of those that
// send nothing does not keep Accept. They have descriptors, too.
const maxRejecting = 128

func newRejecter(s *Server) *rejecter {
	r := &rejecter{
		answers: make(map[string][]byte, len(s.origins.list)),
		others:  s.rawAnswer(tooManyConnections, ""),
		slots:   make(chan struct{}, maxRejecting),
		buffers: sync.Pool{New: func() any { return new([maxHeaderSize]byte) }},
	}
	if s.origins.named() == "" {
		for _, origin := range s.origins.list {
			r.answers[origin] = s.rawAnswer(tooManyConnections, origin)
		}
	}
	return r
}

// reject answers a connection and closes it, without Accept waiting for it. What
// has come of its request is read first: closing would else reset the connection,
// and the answer be lost.
func (r *rejecter) reject(c net.Conn) {
	r.slots <- struct{}{}
	go func() {
		defer func() { <-r.slots }()
		b := r.buffers.Get().(*[maxHeaderSize]byte)
		defer r.buffers.Put(b)
		n := 0
		if c.SetReadDeadline(time.Now().Add(rejectTime)) == nil {
			n, _ = c.Read(b[:]) // what is not there in time is not waited for
		}
		if c.SetWriteDeadline(time.Now().Add(rejectTime)) == nil {
			c.Write(r.answerTo(b[:n]))
		}
		c.Close()
	}()
}

// answerTo returns the answer to a request of which these bytes have come.
func (r *rejecter) answerTo(request []byte) []byte {
	for line := range bytes.Lines(request) {
		if named(line, originField) {
			if a, ok := r.answers[string(bytes.TrimSpace(line[len(originField):]))]; ok {
				return a
			}
		}
	}
	return r.others
}

var originField = []byte("origin:")

// rawAnswer returns a problem as the bytes on the wire, as if it was of a poll. It
// names the origin that may read it, if that is not empty.
func (s *Server) rawAnswer(p problem, origin string) []byte {
	a := s.answers.problems[p]
	status := problems[p].status
	b := fmt.Appendf(nil, "HTTP/1.1 %d %s\r\nConnection: close\r\nContent-Length: %d\r\n", status, http.StatusText(status), len(a.body))
	for name, value := range a.header.All() {
		b = fmt.Appendf(b, "%s: %s\r\n", name, value)
	}
	if origin != "" {
		b = fmt.Appendf(b, "%s: %s\r\n", fasthttp.HeaderAccessControlAllowOrigin, origin)
	}
	b = fmt.Appendf(b, "%s: %d\r\n", nextPollHeader, decision.DefaultNextPoll(0))
	return fmt.Appendf(b, "\r\n%s", a.body)
}
