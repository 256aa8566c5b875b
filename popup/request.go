package popup

import "unicode/utf8"

// Limits of a request.
const (
	MaxUserID            = 128 // bytes
	MaxAttrs             = 32
	MaxRequestPlacements = 8
)

// Request is one poll: who asks, where, and what is known of them. An empty
// value is a missing one. The bytes belong to the caller and are only read
// while the request is being answered.
type Request struct {
	User       []byte
	PriorUser  []byte   // the id that the user had before, another one; nil: none
	Placements [][]byte // up to MaxRequestPlacements names, none twice; see PlacementNames
	Trigger    []byte   // what happened in the page; empty: DefaultTrigger
	Platform   []byte
	AppVersion []byte
	Locale     []byte
	Country    []byte
	Path       []byte // of the page
	Zone       []byte // IANA name of the user's time zone
	IP         []byte // address of the client
	Attrs      []Attr // the a.NAME parameters; several of one name are a set

	// Fingerprint is that of the user in lists of users, of a request in which User is not
	// the user's own id; 0: it is that of User.
	Fingerprint uint64
}

// PlacementNames returns where the request asks for popups: the default placement if
// it does not say.
func (r *Request) PlacementNames() [][]byte {
	if len(r.Placements) == 0 {
		return defaultPlacements
	}
	return r.Placements
}

// TriggerName returns what happened in the page: that it was loaded, if the request
// does not say.
func (r *Request) TriggerName() []byte {
	if len(r.Trigger) == 0 {
		return defaultTrigger
	}
	return r.Trigger
}

var (
	defaultPlacements = [][]byte{[]byte(DefaultPlacement)}
	defaultTrigger    = []byte(DefaultTrigger)
)

// Attr is a custom attribute, the NAME of a.NAME.
type Attr struct{ Name, Value []byte }

// ValidUserID reports whether id is 1 to [MaxUserID] bytes of UTF-8 without
// control characters (C0, DEL and C1).
func ValidUserID(id []byte) bool {
	if len(id) == 0 || len(id) > MaxUserID {
		return false
	}
	for i := 0; i < len(id); {
		c := id[i]
		if c < utf8.RuneSelf {
			if c < ' ' || c == 0x7f {
				return false
			}
			i++
			continue
		}
		r, n := utf8.DecodeRune(id[i:])
		if r == utf8.RuneError && n == 1 || r < 0xa0 {
			return false
		}
		i += n
	}
	return true
}
