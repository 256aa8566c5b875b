package handler

import (
	"bytes"

	"github.com/popupd/popupd/popup"
)

// maxShowing is how many tokens a poll may name as those of popups on screen.
const maxShowing = 16

// pollRequest is what a poll asks for, read from a query string or from a body. It is
// used again and again, and refers to what it was read from and to its own buffer,
// so it ends with the request.
type pollRequest struct {
	popup.Request
	sig     []byte
	rid     []byte   // of the request; nil: none
	preview []byte   // a preview token; empty: none
	showing [][]byte // tokens of popups on screen, as they were sent
	seen    uint     // bits of the parameters or members that were given

	attrs  [popup.MaxAttrs]popup.Attr
	places [popup.MaxRequestPlacements][]byte
	tokens [maxShowing][]byte
	ip     [maxAddress]byte
	json   reader // its buffer has what had to be decoded: the only bytes of a request that are copied
}

// Parameters and members that have been seen.
const (
	seenUID = 1 << iota
	seenPlacement
	seenPlatform
	seenAppVersion
	seenLocale
	seenCountry
	seenPath
	seenTrigger
	seenSig
	seenPriorUID
	seenRID
	seenPreview
	seenAttributes
	seenShowing
	seenZone
)

// reset forgets the last request.
func (q *pollRequest) reset() {
	q.Request = popup.Request{Attrs: q.attrs[:0]}
	q.sig, q.rid, q.preview, q.showing, q.seen, q.places[0] = nil, nil, nil, nil, 0, nil
}

// checkIDs returns what is wrong with the ids of the user and the request.
func (q *pollRequest) checkIDs() problem {
	if !popup.ValidUserID(q.User) {
		return invalidUID
	}
	if len(q.PriorUser) == 0 {
		q.PriorUser = nil
	} else if !popup.ValidUserID(q.PriorUser) || bytes.Equal(q.PriorUser, q.User) {
		return invalidPriorUID
	}
	if len(q.rid) > 0 && !validRID(q.rid) {
		return invalidRID
	}
	return noProblem
}

// builtIn returns where the text with this name belongs, and its bit. It returns nil
// if a poll has none of this name.
func (q *pollRequest) builtIn(name []byte) (field *[]byte, bit uint) {
	switch string(name) {
	case "uid":
		return &q.User, seenUID
	case "platform":
		return &q.Platform, seenPlatform
	case "app_version":
		return &q.AppVersion, seenAppVersion
	case "locale":
		return &q.Locale, seenLocale
	case "country":
		return &q.Country, seenCountry
	case "path":
		return &q.Path, seenPath
	case "tz":
		return &q.Zone, seenZone
	case "trigger":
		return &q.Trigger, seenTrigger
	case "sig":
		return &q.sig, seenSig
	case "prior_uid":
		return &q.PriorUser, seenPriorUID
	case "rid":
		return &q.rid, seenRID
	case "preview":
		return &q.preview, seenPreview
	}
	return nil, 0
}

// addAttr adds a value of an attribute, one of several if the attribute has them. It
// returns nil if there are too many.
func (q *pollRequest) addAttr(name []byte) *popup.Attr {
	if len(q.Attrs) == popup.MaxAttrs {
		return nil
	}
	q.Attrs = append(q.Attrs, popup.Attr{Name: name})
	return &q.Attrs[len(q.Attrs)-1]
}
