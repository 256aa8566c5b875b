package handler

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"

	"github.com/popupd/popupd/popup"
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
	var spec bytes.Buffer
	e := json.NewEncoder(&spec)
	e.SetEscapeHTML(false) // escapes are read as what they stand for, but are up to six times as long
	if err := e.Encode(previewSpec{p.Key, p.Placements, p.Variants}); err != nil {
		return "", fmt.Errorf("encode the preview of popup %s: %w", p.Key, err)
	}
	if spec.Len() > popup.MaxSpec {
		return "", popup.ErrPreviewTooLarge
	}
	scratch := s.polls.Get().(*pollScratch)
	defer s.polls.Put(scratch)
	text := scratch.keys.appendPreview(nil, &preview{endsMS, p.ID, p.Version, spec.Bytes()})
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
