package popup

import "time"

// Notice is something that operators are told of by a webhook.
type Notice struct {
	Subject string // what it is about, at most 160 bytes of ASCII; a store keeps one notice of a subject
	ID      string // of the webhook: the same however often it is sent
	Body    []byte // JSON
}

// ClaimedNotice is a notice that one server is to send now. Another server may do so once
// the claim has expired.
type ClaimedNotice struct {
	Notice
	Row     uint64        // in the store
	Attempt uint32        // 1, 2, 3..., this one included; also tells whether the claim still holds
	Age     time.Duration // since it was kept
}

// Attempt is what sending a claimed notice came to.
type Attempt struct {
	Result  string        // for people: a status of HTTP or an error
	Settled bool          // delivered or given up: it is not sent again
	Again   time.Duration // otherwise: after how long it is due again
}

// PopupChange is a change of a popup, as the store makes it.
type PopupChange struct {
	Change
	AtMS          int64
	BeforeVersion uint32 // 0: the popup is new; so are the next two
	BeforeStatus  Status
	Before        []byte // its spec, as it was stored: JSON, unless somebody has broken it
	After         Popup
}

// StarvingPopup is a popup that fits polls and is never shown, because another one always
// goes first.
type StarvingPopup struct {
	Popup
	Polls   uint64 // in which another one went first, as estimated
	Sampled uint64 // polls of the sample of which that is known
}
