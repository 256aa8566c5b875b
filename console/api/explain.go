package api

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/popupd/popupd/console"
	"github.com/popupd/popupd/decision"
	"github.com/popupd/popupd/popup"
)

// explainRequest is a poll to be explained, with the members of POST /v1/poll.
type explainRequest struct {
	UID        string                     `json:"uid"`
	PriorUID   string                     `json:"prior_uid"`
	Placement  string                     `json:"placement"`
	Placements []string                   `json:"placements"`
	Trigger    string                     `json:"trigger"`
	Platform   string                     `json:"platform"`
	AppVersion string                     `json:"app_version"`
	Locale     string                     `json:"locale"`
	Country    string                     `json:"country"`
	TZ         string                     `json:"tz"`
	Path       string                     `json:"path"`
	IP         string                     `json:"ip"`
	Attributes map[string]json.RawMessage `json:"attributes"`
	At         *string                    `json:"at"`    // nil: now
	Popup      string                     `json:"popup"` // key; empty: all of them
}

// explain says what a poll would come to and why. It decides as a poll does, and changes nothing.
func (a *API) explain(w http.ResponseWriter, r *http.Request) error {
	if err := a.config.Ready(); err != nil {
		return console.NotReady(err)
	}
	after, limit, err := page(r, explainPage)
	if err != nil {
		return err
	}
	body, err := readBody(w, r)
	if err != nil {
		return err
	}
	var in explainRequest
	if err := decodeBody(body, &in); err != nil {
		return err
	}
	q, err := in.query(a.config.Now())
	if err != nil {
		return err
	}
	q.After, q.Limit = after, limit
	if err := a.lookUp(r.Context(), q.User, q.PriorUser); err != nil {
		return err
	}
	explanation, more := a.config.Explainer.Explain(q)
	if q.Key != "" && len(explanation.Candidates) == 0 {
		return popup.ErrNotFound
	}
	if more > 0 {
		cursor := base64.RawURLEncoding.EncodeToString([]byte(explainPage + ":" + strconv.FormatInt(more, 10)))
		explanation.NextCursor = &cursor
	}
	console.WriteJSON(w, http.StatusOK, explanation)
	return nil
}

const explainPage = "explain" // the kind of its cursors

// query returns the poll, or all that is wrong with it.
func (in *explainRequest) query(nowMS int64) (*decision.Query, error) {
	var errs popup.FieldErrors
	refuse := func(pointer, detail string) { errs = append(errs, popup.FieldError{Pointer: pointer, Detail: detail}) }

	const idDetail = "must be 1 to 128 bytes of UTF-8 without control characters"
	if !popup.ValidUserID([]byte(in.UID)) {
		refuse("/uid", idDetail)
	}
	switch {
	case in.PriorUID == "":
	case !popup.ValidUserID([]byte(in.PriorUID)):
		refuse("/prior_uid", idDetail)
	case in.PriorUID == in.UID:
		refuse("/prior_uid", "must be another id than uid")
	}
	if in.Trigger != "" && !popup.ValidTrigger(in.Trigger) {
		refuse("/trigger", "must be load, exit, scroll:PERCENT, delay:SECONDS or event:NAME")
	}
	if in.TZ != "" {
		if _, err := popup.LoadZone(in.TZ); err != nil {
			refuse("/tz", "must be the IANA name of a time zone, such as Europe/Berlin")
		}
	}
	if _, ok := popup.ParseAddr([]byte(in.IP)); in.IP != "" && !ok {
		refuse("/ip", "must be an IPv4 or IPv6 address")
	}

	q := &decision.Query{AtMS: nowMS, NowMS: nowMS, Key: in.Popup}
	if in.At != nil {
		at, err := time.Parse(time.RFC3339, *in.At)
		q.AtMS = at.UnixMilli()
		switch year := at.UTC().Year(); {
		case err != nil:
			refuse("/at", "must be an RFC 3339 time, as 2026-12-24T18:00:00Z")
		case year < 2025 || year > 2099: // later ones are past the tables of the time zones
			refuse("/at", "must lie in the years 2025 to 2099")
		}
	}
	q.Request = popup.Request{
		User: []byte(in.UID), Placements: in.placements(refuse), Trigger: []byte(in.Trigger), Platform: []byte(in.Platform), AppVersion: []byte(in.AppVersion),
		Locale: []byte(in.Locale), Country: []byte(in.Country), Zone: []byte(in.TZ), Path: []byte(in.Path), IP: []byte(in.IP), Attrs: in.attrs(refuse),
	}
	if in.PriorUID != "" {
		q.PriorUser = []byte(in.PriorUID)
	}
	if len(errs) > 0 {
		return nil, errs
	}
	return q, nil
}

// placements returns where the poll asks for popups, nil if it does not say.
func (in *explainRequest) placements(refuse func(pointer, detail string)) (names [][]byte) {
	switch {
	case in.Placement != "" && in.Placements != nil:
		refuse("/placements", "cannot be given together with placement")
	case in.Placement != "":
		return [][]byte{[]byte(in.Placement)}
	case in.Placements != nil && (len(in.Placements) < 1 || len(in.Placements) > popup.MaxRequestPlacements):
		refuse("/placements", "must have 1 to "+strconv.Itoa(popup.MaxRequestPlacements)+" names")
	}
	for i, name := range in.Placements {
		if name == "" || slices.Contains(in.Placements[:i], name) {
			refuse("/placements/"+strconv.Itoa(i), "must not be empty, nor be there before")
		}
		names = append(names, []byte(name))
	}
	return names
}

// attrs returns the values of the attributes, by name. What is no string is taken as it is
// written, as a poll takes it.
func (in *explainRequest) attrs(refuse func(pointer, detail string)) (attrs []popup.Attr) {
	for name, value := range in.Attributes {
		members := []json.RawMessage{value}
		if value[0] == '[' {
			_ = json.Unmarshal(value, &members) // it is an array
		}
		for _, member := range members {
			text, ok := attrText(member)
			if !ok {
				refuse("/attributes"+pointerTo(name), "must be a string, a number, true, false or an array of these")
				break
			}
			if text != nil {
				attrs = append(attrs, popup.Attr{Name: []byte(name), Value: text})
			}
		}
	}
	if len(attrs) > popup.MaxAttrs {
		refuse("/attributes", "must have at most "+strconv.Itoa(popup.MaxAttrs)+" values")
	}
	slices.SortStableFunc(attrs, func(x, y popup.Attr) int { return slices.Compare(x.Name, y.Name) })
	return attrs
}

// attrText returns the text of a string, a number or a bool, nil for null.
func attrText(value json.RawMessage) (text []byte, ok bool) {
	switch value[0] {
	case '[', '{':
		return nil, false
	case 'n':
		return nil, true
	case '"':
		var s string
		err := json.Unmarshal(value, &s)
		return []byte(s), err == nil
	}
	return value, true
}
