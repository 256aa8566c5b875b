package popup

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
)

// Action is what happened. The numbers are stored in MySQL and in the journal.
type Action uint8

// The actions.
const (
	Impression Action = 1 // the popup was returned to the user
	Click      Action = 2
	Dismiss    Action = 3
	Convert    Action = 4
	Reset      Action = 5 // the user's state up to AtMS is forgotten; Popup is 0
	Control    Action = 6 // would have been shown, but the user's variant is the control
	View       Action = 7 // the page says that the popup was on screen
	Release    Action = 8 // the page says that it was not shown: as if it had not been served
	Goal       Action = 9 // the user reached the popup's goal, whatever they were shown; see Event.ServedAtMS
)

// String returns the action's name in the API and in metrics.
func (a Action) String() string {
	switch a {
	case Impression:
		return "impression"
	case Click:
		return "click"
	case Dismiss:
		return "dismiss"
	case Convert:
		return "convert"
	case Reset:
		return "reset"
	case Control:
		return "control"
	case View:
		return "view"
	case Release:
		return "release"
	case Goal:
		return "goal"
	}
	return "unknown"
}

// The bits of what is known of one impression.
const (
	clickBit uint8 = 1 << iota
	dismissBit
	convertBit
	viewBit
	releaseBit
	ControlBit  // it was a control; of rows of impression only, no [State] has it
	Unconfirmed // it was served, and counts as seen once the page says so
	GoalBit     // a goal was counted for it; of rows of impression only, no [State] has it
)

// Bit returns the action's bit in [State.Acted]: 0 for what no page reports.
func (a Action) Bit() uint8 {
	switch a {
	case Click:
		return clickBit
	case Dismiss:
		return dismissBit
	case Convert:
		return convertBit
	case View:
		return viewBit
	case Release:
		return releaseBit
	}
	return 0
}

// StreamID names an event stream, the events of one start of one server.
type StreamID [16]byte

// String returns the 32 lower-case hex digits used in names.
func (id StreamID) String() string { return hex.EncodeToString(id[:]) }

// ParseStreamID is the reverse of [StreamID.String].
func ParseStreamID(s string) (StreamID, error) {
	var id StreamID
	if len(s) != 2*len(id) {
		return id, fmt.Errorf("stream id %q: want %d hex digits", s, 2*len(id))
	}
	if _, err := hex.Decode(id[:], []byte(s)); err != nil {
		return id, fmt.Errorf("stream id %q: %w", s, err)
	}
	if id.String() != s {
		return id, fmt.Errorf("stream id %q: upper-case digits", s)
	}
	return id, nil
}

// Event is something that happened to one user and one popup, with the waits
// that follow from it as the deciding server fixed them.
type Event struct {
	Seq          uint64 // place in its stream, from 1; not part of the encoding
	AtMS         int64
	ServedAtMS   int64  // names the impression it belongs to; of a Goal, the earliest that it may belong to
	User         []byte // 1 to MaxUserID bytes
	Popup        uint32
	Version      uint32
	Variant      []byte // key, 0 to MaxVariantKey bytes
	Action       Action
	Nth          uint32 // this user's Nth impression of this popup, from 1; 0: not known, or not confirmed yet
	ReadyAtMS    int64  // the popup may return after this; 0: a view that changes no wait; of a Goal, the latest exposure that its server knew of, or 0
	ClickUntilMS int64  // ReadyAtMS of a click or convert, else 0
}

// MaxVariantKey is the longest key of a variant in bytes.
const MaxVariantKey = 32

// The encoding of an event, little endian:
//
//	0  action      uint8
//	1  len(user)   uint8
//	2  len(variant) uint8
//	3  reserved    uint8, 0
//	4  popup       uint32
//	8  version     uint32
//	12 nth         uint32
//	16 at          int64, ms
//	24 served at   int64, ms
//	32 ready at    int64, ms
//	40 click until int64, ms
//	48 user, then variant
const eventHeader = 48

// MaxEventSize is the longest encoding of an event in bytes.
const MaxEventSize = eventHeader + MaxUserID + MaxVariantKey

// Errors of the codec.
var (
	ErrEventShort   = errors.New("event: truncated")
	ErrEventInvalid = errors.New("event: invalid")
)

// Size returns the length of the event's encoding in bytes.
func (e *Event) Size() int { return eventHeader + len(e.User) + len(e.Variant) }

// Validate reports whether the event can be encoded and means something.
func (e *Event) Validate() error {
	switch {
	case e.Action < Impression || e.Action > Goal:
		return fmt.Errorf("%w: action %d", ErrEventInvalid, e.Action)
	case len(e.User) == 0 || len(e.User) > MaxUserID:
		return fmt.Errorf("%w: user id of %d bytes", ErrEventInvalid, len(e.User))
	case len(e.Variant) > MaxVariantKey:
		return fmt.Errorf("%w: variant key of %d bytes", ErrEventInvalid, len(e.Variant))
	case min(e.AtMS, e.ServedAtMS, e.ReadyAtMS, e.ClickUntilMS) < 0,
		max(e.AtMS, e.ServedAtMS, e.ReadyAtMS, e.ClickUntilMS) > Never:
		return fmt.Errorf("%w: time out of range", ErrEventInvalid)
	}
	return nil
}

// Append appends the event's encoding to dst. The event must be valid.
func (e *Event) Append(dst []byte) []byte {
	le := binary.LittleEndian
	dst = append(dst, byte(e.Action), byte(len(e.User)), byte(len(e.Variant)), 0)
	dst = le.AppendUint32(dst, e.Popup)
	dst = le.AppendUint32(dst, e.Version)
	dst = le.AppendUint32(dst, e.Nth)
	dst = le.AppendUint64(dst, uint64(e.AtMS))
	dst = le.AppendUint64(dst, uint64(e.ServedAtMS))
	dst = le.AppendUint64(dst, uint64(e.ReadyAtMS))
	dst = le.AppendUint64(dst, uint64(e.ClickUntilMS))
	dst = append(dst, e.User...)
	return append(dst, e.Variant...)
}

// DecodeEvent reads one event from the start of src into e and returns the
// rest. User and Variant alias src. It returns [ErrEventShort] or
// [ErrEventInvalid], and then e is undefined.
func DecodeEvent(e *Event, src []byte) (rest []byte, err error) {
	if len(src) < eventHeader {
		return nil, ErrEventShort
	}
	le := binary.LittleEndian
	user, variant := int(src[1]), int(src[2])
	end := eventHeader + user + variant
	if len(src) < end {
		return nil, ErrEventShort
	}
	if src[3] != 0 {
		return nil, fmt.Errorf("%w: reserved byte %d", ErrEventInvalid, src[3])
	}
	*e = Event{
		Action:       Action(src[0]),
		Popup:        le.Uint32(src[4:]),
		Version:      le.Uint32(src[8:]),
		Nth:          le.Uint32(src[12:]),
		AtMS:         int64(le.Uint64(src[16:])),
		ServedAtMS:   int64(le.Uint64(src[24:])),
		ReadyAtMS:    int64(le.Uint64(src[32:])),
		ClickUntilMS: int64(le.Uint64(src[40:])),
		User:         src[eventHeader : eventHeader+user : eventHeader+user],
		Variant:      src[eventHeader+user : end : end],
	}
	return src[end:], e.Validate()
}

// Batch is a contiguous piece of a stream, After+1 to Last: every sequence
// number in it belongs to exactly one event or gap.
type Batch struct {
	Stream StreamID
	After  uint64 // the last sequence number before the batch
	Last   uint64
	Events []Event // Seq ascending
	Gaps   []Gap   // ascending
}

// Gap is a run of sequence numbers whose events were lost to damage on disk and
// are declared as lost, so that the rest of the stream can be counted.
type Gap struct{ First, Last uint64 }
