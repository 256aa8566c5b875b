package handler

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"strconv"

	"github.com/valyala/fasthttp"

	"github.com/popupd/popupd/decision"
	"github.com/popupd/popupd/popup"
	"github.com/popupd/popupd/snapshot"
)

// A preview token carries the popup that it shows, so that every server which has the
// secret can answer it: no store is asked, nothing need be in force, and a draft need not
// be saved. It is "p1." and the unpadded URL-safe base64 of, big endian:
//
//	0  key id    4 bytes, as in a token
//	4  ends at   int64, ms
//	12 popup     uint32, 0: not stored
//	16 version   uint32, 0: a draft
//	20 DEFLATE of the popup's spec in JSON: key, placements and the one variant
//	-16 MAC      the first 16 bytes of HMAC(secret, "p1." and all before it)
const (
	previewVersion = "p1."
	previewHeader  = 20

	// maxPreview bounds a preview token, in characters: the greatest content fits, however
	// badly it is compressed, and the token fits into the body of a poll.
	maxPreview = maxBodySize - maxPollBody
)

var (
	previewPrefix = []byte(previewVersion)
	quotedPreview = []byte(`"` + previewVersion) // as it stands in a body
)

// previewSpec is the part of a spec that a preview shows.
type previewSpec struct {
	Key        string          `json:"key"`
	Placements []string        `json:"placements"`
	Variants   []popup.Variant `json:"variants"`
}

// Preview returns a token: polls with it get the only variant of p, whoever asks, until
// endsMS. It returns [popup.ErrPreviewTooLarge] if p does not fit into a token.
func (s *Server) Preview(p *popup.Popup, endsMS int64) (token string, err error) {
	spec, err := json.Marshal(previewSpec{p.Key, p.Placements, p.Variants})
	if err != nil {
		return "", fmt.Errorf("encode the preview of popup %s: %w", p.Key, err)
	}
	scratch := s.polls.Get().(*pollScratch)
	defer s.polls.Put(scratch)
	text := scratch.keys.appendPreview(nil, &preview{endsMS, p.ID, p.Version, spec})
	if len(text) > maxPreview {
		return "", popup.ErrPreviewTooLarge
	}
	return string(text), nil
}

// preview is what a preview token says.
type preview struct {
	endsMS         int64
	popup, version uint32
	spec           []byte
}

// appendPreview appends the token of a preview to dst.
func (k *keyring) appendPreview(dst []byte, p *preview) []byte {
	key := &k.keys[0]
	b := append([]byte(previewVersion), key.id[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(p.endsMS))
	b = binary.BigEndian.AppendUint32(b, p.popup)
	b = binary.BigEndian.AppendUint32(b, p.version)
	compressed := bytes.NewBuffer(b)
	w, err := flate.NewWriter(compressed, flate.BestCompression)
	if err != nil {
		panic(err) // there is this level
	}
	w.Write(p.spec) // a buffer takes all
	w.Close()
	b = compressed.Bytes()
	b = append(b, key.mac.of(b)[:tokenMAC]...)
	dst = append(dst, previewVersion...)
	return tokenBase64.AppendEncode(dst, b[len(previewVersion):])
}

// verifyPreview reads a preview token that one of the keys signed. It reports false for
// any other text, and for what this version can't read.
func (k *keyring) verifyPreview(text []byte) (p preview, ok bool) {
	if len(text) > maxPreview {
		return preview{}, false
	}
	b, ok := k.open(previewPrefix, text, nil)
	if !ok || len(b) < previewHeader {
		return preview{}, false
	}
	spec, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(b[previewHeader:])), popup.MaxSpec))
	return preview{
		endsMS:  int64(binary.BigEndian.Uint64(b[keyIDSize:])),
		popup:   binary.BigEndian.Uint32(b[12:]),
		version: binary.BigEndian.Uint32(b[16:]),
		spec:    spec,
	}, err == nil
}

// openPreview returns what the preview token of a poll shows, or what is wrong with it.
func (p *pollScratch) openPreview(nowMS int64) (*popup.Spec, *snapshot.Variant, problem) {
	shown, ok := p.keys.verifyPreview(p.preview)
	if !ok {
		return nil, nil, invalidPreview
	}
	if nowMS >= shown.endsMS {
		return nil, nil, previewExpired
	}
	spec, _, err := popup.DecodeStored(shown.spec)
	if err != nil {
		return nil, nil, invalidPreview
	}
	variant, err := snapshot.NewPreview(shown.popup, shown.version, &spec)
	if err != nil {
		return nil, nil, invalidPreview
	}
	return &spec, variant, noProblem
}

// answerPreview answers a poll that has a preview token with its popup, whoever asks and
// wherever. Nothing is decided and nothing recorded, so no signature of the user is needed.
func (s *Server) answerPreview(ctx *fasthttp.RequestCtx, p *pollScratch, isPost bool) outcome {
	spec, variant, wrong := p.openPreview(s.now())
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
	b = variant.AppendPopup(b, previewPlacement(spec, &p.Request), p.Locale)
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

// previewPlacement returns where a page shows a preview: the first of its placements that
// the popup has, else the first of them.
func previewPlacement(spec *popup.Spec, r *popup.Request) []byte {
	names := r.PlacementNames()
	for _, name := range names {
		for _, own := range spec.Placements {
			if own == string(name) {
				return name
			}
		}
	}
	if popup.ValidPlacement(names[0]) {
		return names[0]
	}
	return []byte(spec.Placements[0])
}
