package handler

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/popupd/popupd/decision"
)

// rejecter answers the connections above the limit with 503 and closes them.
type rejecter struct {
	head, tail []byte // of the answer, around the origin that it names
	origins    *origins
	slots      chan struct{} // has one for each that is being rejected
	buffers    sync.Pool     // of *[maxHeaderSize]byte
}

// rejectTime bounds the wait for a connection that is rejected: a new one has sent
// its request, and has room for an answer, or is not worth waiting for.
const rejectTime = time.Millisecond

// maxRejecting is how many may be rejected at once, so that a flood of those that
// send nothing does not keep Accept. They have descriptors, too.
const maxRejecting = 128

func newRejecter(s *Server) *rejecter {
	head, tail := s.rawAnswer(tooManyConnections)
	return &rejecter{
		head: head, tail: tail, origins: &s.origins,
		slots:   make(chan struct{}, maxRejecting),
		buffers: sync.Pool{New: func() any { return new([maxHeaderSize]byte) }},
	}
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
	answer := slices.Clone(r.head)
	for line := range bytes.Lines(request) {
		if r.origins.named() == "" && named(line, originField) {
			if origin := bytes.TrimSpace(line[len(originField):]); r.origins.allow(origin) {
				answer = fmt.Appendf(answer, "%s: %s\r\n", fasthttp.HeaderAccessControlAllowOrigin, origin)
				break
			}
		}
	}
	return append(answer, r.tail...)
}

var originField = []byte("origin:")

// rawAnswer returns a problem as the bytes on the wire, as if it was of a poll, in two
// parts: what names the origin that may read it, if it is not named, goes between them.
func (s *Server) rawAnswer(p problem) (head, tail []byte) {
	a := s.answers.problems[p]
	status := problems[p].status
	head = fmt.Appendf(nil, "HTTP/1.1 %d %s\r\nConnection: close\r\nContent-Length: %d\r\n", status, http.StatusText(status), len(a.body))
	for name, value := range a.header.All() {
		head = fmt.Appendf(head, "%s: %s\r\n", name, value)
	}
	tail = fmt.Appendf(nil, "%s: %d\r\n", nextPollHeader, decision.DefaultNextPoll(0))
	return head, fmt.Appendf(tail, "\r\n%s", a.body)
}
