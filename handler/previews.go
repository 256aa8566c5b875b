package handler

import (
	"math/rand/v2"
	"strconv"
	"sync"

	"github.com/valyala/fasthttp"

	"github.com/popupd/popupd/decision"
	"github.com/popupd/popupd/popup"
	"github.com/popupd/popupd/snapshot"
)

// answerPreview answers a poll that has a preview token with its popup, whoever asks and
// wherever. Nothing is decided and nothing recorded, so no signature of the user is needed.
func (s *Server) answerPreview(ctx *fasthttp.RequestCtx, p *pollScratch, isPost bool) outcome {
	shown, wrong := s.previews.open(p.keys, p.preview, s.now())
	if wrong != noProblem {
		s.fail(ctx, wrong)
		return unauthorized
	}
	sec := decision.DefaultNextPoll(rand.Uint64())
	s.answers.served[sec].send(ctx)
	b := ctx.Response.SwapBody(nil)[:0]
	if isPost {
		b = append(b, popupsHead...)
	}
	b = append(b, `{"popup":`...)
	b = shown.variant.AppendPopup(b, shown.placement(&p.Request), p.Locale)
	b = append(b, `,"token":"","preview":true`...)
	if isPost {
		b = append(b, '}')
		b = append(b, s.answers.tails[sec]...)
		b = append(b, triggersEnd+popupsEnd...)
	} else {
		b = append(b, `,"next_poll_sec":`...)
		b = strconv.AppendInt(b, int64(sec), 10)
		b = append(b, '}')
	}
	ctx.Response.SwapBody(b)
	return previewed
}

// openedPreview is what a preview token shows. It is immutable.
type openedPreview struct {
	token      string
	endsMS     int64
	placements []string // of the popup
	variant    *snapshot.Variant
}

// openPreview returns what a preview token shows, or what is wrong with it.
func (k *keyring) openPreview(token []byte, nowMS int64) (*openedPreview, problem) {
	signed, ok := k.verifyPreview(token)
	if !ok {
		return nil, invalidPreview
	}
	if nowMS >= signed.endsMS {
		return nil, previewExpired
	}
	spec, _, err := popup.DecodeStored(signed.spec)
	if err != nil {
		return nil, invalidPreview // of a later version
	}
	variant, err := snapshot.NewPreview(signed.popup, signed.version, &spec)
	if err != nil {
		return nil, invalidPreview
	}
	return &openedPreview{string(token), signed.endsMS, spec.Placements, variant}, noProblem
}

// placement returns where a page shows a preview: the first of its placements that the popup
// has, else the first of them.
func (o *openedPreview) placement(r *popup.Request) []byte {
	names := r.PlacementNames()
	for _, name := range names {
		for _, own := range o.placements {
			if own == string(name) {
				return name
			}
		}
	}
	if popup.ValidPlacement(names[0]) {
		return names[0]
	}
	return []byte(o.placements[0])
}

// maxOpened is how many previews are remembered, each of a megabyte at most.
const maxOpened = 16

// previews remembers the previews that were polled for last: a page polls again and again
// with the same token, and to open one takes as long as to compile a popup.
type previews struct {
	mu     sync.Mutex
	opened []*openedPreview // the one used last first
}

// open returns what a preview token shows, or what is wrong with it.
func (p *previews) open(keys *keyring, token []byte, nowMS int64) (*openedPreview, problem) {
	if o := p.find(token); o != nil && nowMS < o.endsMS {
		return o, noProblem
	}
	o, wrong := keys.openPreview(token, nowMS)
	if wrong == noProblem {
		p.keep(o)
	}
	return o, wrong
}

func (p *previews) find(token []byte) *openedPreview {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, o := range p.opened {
		if o.token == string(token) {
			copy(p.opened[1:], p.opened[:i])
			p.opened[0] = o
			return o
		}
	}
	return nil
}

// keep adds a preview, in place of the one that has not been used for longest. Two of one
// token, from polls that came at once, do no harm.
func (p *previews) keep(o *openedPreview) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.opened) < maxOpened {
		p.opened = append(p.opened, nil)
	}
	copy(p.opened[1:], p.opened)
	p.opened[0] = o
}
