package popup

import (
	"errors"
	"time"
)

// What a change of the catalog of popups can run into.
var (
	ErrNotFound = errors.New("no such popup")
	ErrExists   = errors.New("a popup with this key exists")
	ErrStale    = errors.New("changed since it was read")
	ErrArchived = errors.New("the popup is archived, which is final")

	ErrPreviewTooLarge = errors.New("the popup does not fit into a preview token")
)

// Change says who changes a popup and how, for the audit trail.
type Change struct {
	Actor  string
	Action string // as in docs/openapi.yaml
}

// Revision is one version of a popup as it was written.
type Revision struct {
	Version   uint32    `json:"version"`
	Actor     string    `json:"actor"`
	CreatedAt time.Time `json:"created_at"` // UTC
	Source    string    `json:"source"`     // which file an import took it from; empty: it was made otherwise
	Spec      Spec      `json:"spec"`
}

// AuditEntry is one line of the audit trail.
type AuditEntry struct {
	ID          int64     `json:"id"`
	At          time.Time `json:"at"` // UTC
	Actor       string    `json:"actor"`
	Action      string    `json:"action"`
	Object      string    `json:"object"`       // a popup's key, config:settings, user:ID, erasure:ID, server:HOST and its new log level, audience:KEY, or token:NAME and its role
	FromVersion uint32    `json:"from_version"` // 0: there was none
	ToVersion   uint32    `json:"to_version"`   // 0: there is none
}

// Erasure is how far taking a user out of the store has come.
type Erasure struct {
	ID      int64 // of the line of the audit trail in which it was asked for
	AskedMS int64
	DoneMS  int64 // 0: not yet
	Audited bool  // the audit trail names the user
}

// What a cursor of the export of events can run into.
var (
	ErrCursor     = errors.New("this is no cursor")
	ErrCursorLost = errors.New("the cursor does not tell any more what was read")
)

// CountedEvent is an event that counted, or a reset, as it is exported.
type CountedEvent struct {
	StreamNo   uint32
	Seq        uint64 // in the stream
	AtMS       int64
	User       string // empty: erased
	PopupID    uint32
	Popup      string // its key
	Version    uint32
	Variant    string
	Action     Action
	ServedAtMS int64  // of the impression that it belongs to; 0 of a reset
	Nth        uint32 // 0: not known
}

// Counts are the statistics of one popup's variant in one hour.
type Counts struct {
	Variant     string
	HourMS      int64 // start of the hour
	Impressions uint64
	Controls    uint64

	// Actions, each once an impression.
	Clicks    uint64
	Dismisses uint64
	Converts  uint64
	Views     uint64
	Releases  uint64

	// Users who did it with this popup for the first time.
	Users        uint64 // saw it
	ClickUsers   uint64
	ConvertUsers uint64
	ControlUsers uint64
}

// WhyNot says of how many polls of one hour a popup was not shown for one reason, or with
// [Eligible] that it was. It is estimated from a sample.
type WhyNot struct {
	PopupID uint32
	HourMS  int64 // start of the hour
	Reason  Reason
	Polls   uint64 // as estimated
	Sampled uint64 // polls of the sample
}
