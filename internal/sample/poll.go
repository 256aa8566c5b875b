package sample

import (
	"encoding/binary"
	"errors"
	"net/netip"

	"github.com/popupd/popupd/popup"
)

// maxPoll is the longest poll that is kept, in bytes.
const maxPoll = 4 << 10

// pollHead is the length of what each poll begins with: length, user, prior and fingerprint.
const pollHead = 4 + 8 + 8 + 8

// errPoll is returned for bytes that are no poll.
var errPoll = errors.New("not a poll")

// keptPoll is a poll that was kept. The ids of its request are missing.
type keptPoll struct {
	atMS        int64
	user, prior uint64
	request     popup.Request
}

// texts returns where the texts of a request are, in the order in which they are kept.
func texts(r *popup.Request) [8]*[]byte {
	return [...]*[]byte{&r.Platform, &r.AppVersion, &r.Locale, &r.Country, &r.Path, &r.Trigger, &r.Zone, &r.IP}
}

// networkOf returns the first address of the network that an address belongs to, which many
// share; nil if there is none.
func networkOf(address []byte) []byte {
	a, err := netip.ParseAddr(string(address))
	if err != nil {
		return nil
	}
	bits := 48
	if a = a.Unmap().WithZone(""); a.Is4() {
		bits = 24
	}
	network, err := a.Prefix(bits)
	if err != nil {
		return nil
	}
	return network.Addr().AppendTo(nil)
}

// appendPoll appends a poll to dst, without its ids and with the network of its address.
// fingerprint is that of the user in lists of users.
func appendPoll(dst []byte, r *popup.Request, user, prior, fingerprint uint64, atMS int64) []byte {
	start := len(dst)
	dst = append(dst, 0, 0, 0, 0)
	dst = binary.LittleEndian.AppendUint64(dst, user)
	dst = binary.LittleEndian.AppendUint64(dst, prior)
	dst = binary.LittleEndian.AppendUint64(dst, fingerprint)
	dst = binary.AppendUvarint(dst, uint64(atMS))
	for _, text := range texts(r) {
		if text == &r.IP {
			dst = appendText(dst, networkOf(r.IP))
		} else {
			dst = appendText(dst, *text)
		}
	}
	dst = binary.AppendUvarint(dst, uint64(len(r.Placements)))
	for _, name := range r.Placements {
		dst = appendText(dst, name)
	}
	dst = binary.AppendUvarint(dst, uint64(len(r.Attrs)))
	for _, a := range r.Attrs {
		dst = appendText(appendText(dst, a.Name), a.Value)
	}
	binary.LittleEndian.PutUint32(dst[start:], uint32(len(dst)-start-4))
	return dst
}

func appendText(dst, text []byte) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(text))), text...)
}

// nextPoll returns the first of some polls and the rest; ok is false if it is not whole.
func nextPoll(polls []byte) (first, rest []byte, ok bool) {
	if len(polls) < pollHead {
		return nil, nil, false
	}
	n := 4 + int64(binary.LittleEndian.Uint32(polls))
	if n < pollHead || n > int64(len(polls)) {
		return nil, nil, false
	}
	return polls[:n], polls[n:], true
}

// userOf returns the user of a poll that is whole.
func userOf(p []byte) uint64 { return binary.LittleEndian.Uint64(p[4:]) }

// priorOf returns the hash of the id that the user had before.
func priorOf(p []byte) uint64 { return binary.LittleEndian.Uint64(p[12:]) }

// timeOf returns when a poll was, 0 if that can't be read.
func timeOf(p []byte) int64 {
	ms, _ := binary.Uvarint(p[pollHead:])
	return int64(ms)
}

// decode reads a poll, which it refers to. It keeps its memory from one to the next.
func (k *keptPoll) decode(p []byte) error {
	k.user, k.prior = userOf(p), priorOf(p)
	k.request = popup.Request{Placements: k.request.Placements[:0], Attrs: k.request.Attrs[:0], Fingerprint: binary.LittleEndian.Uint64(p[20:])}
	r := textReader{p[pollHead:], true}
	k.atMS = int64(r.number())
	for _, text := range texts(&k.request) {
		*text = r.text()
	}
	for range r.atMost(popup.MaxRequestPlacements) {
		k.request.Placements = append(k.request.Placements, r.text())
	}
	for range r.atMost(popup.MaxAttrs) {
		k.request.Attrs = append(k.request.Attrs, popup.Attr{Name: r.text(), Value: r.text()})
	}
	if !r.ok || len(r.left) > 0 {
		return errPoll
	}
	return nil
}

// textReader reads what is left; ok turns false at what is not whole.
type textReader struct {
	left []byte
	ok   bool
}

func (r *textReader) number() uint64 {
	v, n := binary.Uvarint(r.left)
	if n <= 0 {
		r.left, r.ok = nil, false
		return 0
	}
	r.left = r.left[n:]
	return v
}

func (r *textReader) atMost(most uint64) uint64 {
	n := r.number()
	if n > most {
		r.ok = false
		return 0
	}
	return n
}

func (r *textReader) text() []byte {
	n := r.number()
	if n > uint64(len(r.left)) {
		r.left, r.ok = nil, false
		return nil
	}
	text := r.left[:n:n]
	r.left = r.left[n:]
	if n == 0 {
		return nil
	}
	return text
}
