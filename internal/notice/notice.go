// Package notice tells operators of popupd by a webhook: that a popup was published, has
// ended or is never shown, and that events wait for the database. It makes the notices and
// sends them signed as Standard Webhooks are
// (https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md).
// Where they are kept until they are delivered is the store's business ([Outbox]), and
// nothing here runs while polls are answered.
//
// A notice is sent at least once, by one server of many. What survives the end of a server:
//
//	before the notice is committed   nothing happened: a change and its notice are one transaction
//	while it is being sent           the claim expires after a minute, and another server sends it
//	after it, before that is noted   the same: the receiver gets it twice, with the same webhook-id
//
// The one notice that is not in the store is that events wait for the store, while the store
// is away: it is then sent by the server whose events they are (lag.go).
package notice

import (
	"crypto/rand"
	"encoding/json"
	"strings"
	"time"
	"unicode"

	"github.com/popupd/popupd/popup"
)

// Kind is what a notice tells. It is the type of the webhook.
type Kind string

// The closed list of kinds, see docs/webhooks.md.
const (
	Published   Kind = "popup.published"    // users see a popup, or another version of it, from now on
	Paused      Kind = "popup.paused"       // they do not any more
	Archived    Kind = "popup.archived"     // and never will
	Ended       Kind = "popup.ended"        // the end of its schedule has passed
	Starving    Kind = "popup.starving"     // it fits, and another one is always shown instead
	Decided     Kind = "experiment.decided" // a variant differs from the control variant
	FlushLagged Kind = "flush.lagging"      // events wait for the database
	Recovered   Kind = "flush.recovered"    // they do not any more
)

// message is the body of a webhook.
type message struct {
	Type      Kind      `json:"type"`
	Timestamp time.Time `json:"timestamp"` // of what is told
	Data      any       `json:"data"`
	Text      string    `json:"text"` // one line, which Slack shows
}

// newNotice returns a notice of what happened at a time. The subject is the kind and what
// it is about; of notices of one subject a store keeps one. "": nothing else is about this.
func newNotice(kind Kind, of string, atMS int64, data any, text string) popup.Notice {
	id := "msg_" + rand.Text()
	if of == "" {
		of = id
	}
	return popup.Notice{
		Subject: string(kind) + ":" + of, ID: id,
		Body: encode(message{Type: kind, Timestamp: time.UnixMilli(atMS).UTC(), Data: data, Text: text}),
	}
}

// encode returns v as JSON; it must be made of what JSON has.
func encode(v any) []byte {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false) // for people who read the body
	if err := e.Encode(v); err != nil {
		panic("notice: encode: " + err.Error())
	}
	return []byte(strings.TrimSuffix(b.String(), "\n"))
}

// maxWords is the size of what operators have written, in the text of a notice, in runes.
const maxWords = 100

// words returns what an operator has written as a part of a text for Slack: one line, in
// which nothing is a link or the mention of a channel.
// https://docs.slack.dev/messaging/formatting-message-text#escaping
func words(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
	if runes := []rune(s); len(runes) > maxWords {
		s = string(runes[:maxWords]) + "…"
	}
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(s)
}
