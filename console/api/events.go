package api

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
	"unicode/utf8"

	"github.com/popupd/popupd/console"
	"github.com/popupd/popupd/popup"
)

// maxEvents is how many events a backend may report at once.
const maxEvents = 1000

// rejectedEvent is an item of an array that was not taken, and why.
type rejectedEvent struct {
	Index int    `json:"index"`
	Code  string `json:"code"`
}

// reportEvents records what users did on the site. It answers as the data plane does.
func (a *API) reportEvents(w http.ResponseWriter, r *http.Request) error {
	if err := a.config.Ready(); err != nil {
		return console.NotReady(err)
	}
	body, err := readBody(w, r)
	if err != nil {
		return err
	}
	if err := checkJSON(body); err != nil {
		return err
	}
	items := []json.RawMessage{body}
	many := bytes.HasPrefix(bytes.TrimLeft(body, " \t\r\n"), []byte("["))
	if many {
		if err := json.Unmarshal(body, &items); err != nil {
			return err // it is an array
		}
	}
	if len(items) > maxEvents {
		return console.NewProblem(http.StatusBadRequest, "too_many_events", "There are more than "+strconv.Itoa(maxEvents)+" events.")
	}
	events, rejected := make([]popup.SiteEvent, 0, len(items)), []rejectedEvent{}
	for i, item := range items {
		e, wrong := siteEvent(item)
		switch {
		case wrong == nil:
			events = append(events, e)
		case many:
			rejected = append(rejected, rejectedEvent{i, wrong.Code})
		default:
			return wrong
		}
	}
	if err := a.config.Events.Record(events); err != nil {
		return console.Unavailable("journal_unavailable", "Not all of the events could be recorded; report them again.", err)
	}
	console.WriteJSON(w, http.StatusAccepted, struct {
		Accepted int             `json:"accepted"`
		Rejected []rejectedEvent `json:"rejected"`
	}{len(events), rejected})
	return nil
}

// siteEvent reads an event, a JSON value, as the data plane does: its names are spelled
// as they are and are there once, what else there is means nothing.
func siteEvent(item []byte) (popup.SiteEvent, *console.Problem) {
	var uid, event *string
	if !readMembers(item, map[string]**string{"uid": &uid, "event": &event}) || uid == nil || event == nil {
		return popup.SiteEvent{}, console.NewProblem(http.StatusBadRequest, "malformed_event", "An event must have a uid and an event, once each and both strings.")
	}
	if !popup.ValidUserID([]byte(*uid)) {
		return popup.SiteEvent{}, console.NewProblem(http.StatusBadRequest, "invalid_uid",
			"uid must be 1 to "+strconv.Itoa(popup.MaxUserID)+" bytes of UTF-8 without control characters.")
	}
	if !popup.ValidEventName(*event) {
		return popup.SiteEvent{}, console.NewProblem(http.StatusBadRequest, "invalid_event",
			"event must be 1 to "+strconv.Itoa(popup.MaxEventName)+" of a-z, 0-9, '_', '.' and '-', the first a letter or a digit.")
	}
	return popup.SiteEvent{User: []byte(*uid), Name: []byte(*event)}, nil
}

// readMembers reads the members of an object that are asked for, all of them texts. It
// reports whether each is there at most once. A text that is not UTF-8 is read as "\xff":
// encoding/json would make another valid one of it.
func readMembers(object []byte, into map[string]**string) bool {
	d := json.NewDecoder(bytes.NewReader(object))
	if begin, err := d.Token(); err != nil || begin != json.Delim('{') {
		return false
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return false
		}
		var value json.RawMessage
		if d.Decode(&value) != nil {
			return false
		}
		dst := into[name.(string)]
		if dst == nil {
			continue
		}
		var text *string
		if *dst != nil || json.Unmarshal(value, &text) != nil || text == nil {
			return false
		}
		if !utf8.Valid(value) {
			*text = "\xff"
		}
		*dst = text
	}
	return true
}
