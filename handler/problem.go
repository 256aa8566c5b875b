package handler

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/popupd/popupd/popup"
)

// problem is an error that a client can get. Its code is stable: clients,
// dashboards and the rejected items of an array name it.
type problem uint8

const (
	noProblem problem = iota
	badRequest
	requestTimeout
	bodyTooLarge
	headersTooLarge
	originNotAllowed
	notFound
	methodNotAllowed
	internalError
	notReady
	tooManyConnections
	overloaded
	invalidUID
	invalidPriorUID
	invalidRID
	invalidQuery
	tooManyAttributes
	malformedPoll
	invalidPlacements
	invalidAttribute
	invalidShowing
	invalidSignature
	invalidPreview
	previewExpired
	unsupportedMediaType
	unsupportedEncoding
	malformedJSON
	malformedAction
	unknownAction
	tooManyActions
	malformedEvent
	invalidEvent
	tooManyEvents
	rateLimited
	invalidToken
	tokenExpired
	notRecorded
	stateFull
	numProblems
)

// problems describes each problem for RFC 9457. retry is in seconds, 0 when
// asking again is of no use.
var problems = [numProblems]struct {
	status int
	code   string
	detail string
	retry  int
}{
	badRequest:           {http.StatusBadRequest, "bad_request", "The request is not valid HTTP.", 0},
	requestTimeout:       {http.StatusRequestTimeout, "request_timeout", "The request did not arrive within 5 seconds.", 0},
	bodyTooLarge:         {http.StatusRequestEntityTooLarge, "body_too_large", fmt.Sprintf("The body is longer than %d bytes, or that of a poll than %d.", maxBodySize, maxPollBody), 0},
	headersTooLarge:      {http.StatusRequestHeaderFieldsTooLarge, "headers_too_large", fmt.Sprintf("The request line and headers are longer than %d bytes.", maxHeaderSize), 0},
	originNotAllowed:     {http.StatusForbidden, "origin_not_allowed", "Pages of this origin are not allowed; -allow-origins lists those that are.", 0},
	notFound:             {http.StatusNotFound, "not_found", "There is nothing at this path.", 0},
	methodNotAllowed:     {http.StatusMethodNotAllowed, "method_not_allowed", "The path does not have this method; the Allow header lists those it has.", 0},
	internalError:        {http.StatusInternalServerError, "internal_error", "The server failed to answer.", 0},
	notReady:             {http.StatusServiceUnavailable, "not_ready", "The server is starting or stopping.", 2},
	tooManyConnections:   {http.StatusServiceUnavailable, "too_many_connections", "The server has as many connections as it can hold.", 2},
	overloaded:           {http.StatusServiceUnavailable, "overloaded", "More requests come in than the server can answer.", 2},
	invalidUID:           {http.StatusBadRequest, "invalid_uid", fmt.Sprintf("uid must be 1 to %d bytes of UTF-8 without control characters.", popup.MaxUserID), 0},
	invalidPriorUID:      {http.StatusBadRequest, "invalid_prior_uid", fmt.Sprintf("prior_uid must be 1 to %d bytes of UTF-8 without control characters, and another id than uid.", popup.MaxUserID), 0},
	invalidRID:           {http.StatusBadRequest, "invalid_rid", fmt.Sprintf("rid must be %d to %d letters, digits, '_' and '-'.", minRID, maxRID), 0},
	invalidQuery:         {http.StatusBadRequest, "invalid_query", "A parameter has a broken percent-encoding.", 0},
	tooManyAttributes:    {http.StatusBadRequest, "too_many_attributes", fmt.Sprintf("There are more than %d values of attributes.", popup.MaxAttrs), 0},
	malformedPoll:        {http.StatusBadRequest, "malformed_poll", "A poll must be one JSON object with each member at most once; uid, prior_uid, sig, rid, platform, app_version, locale, country, path, tz, trigger and preview must be strings.", 0},
	invalidPlacements:    {http.StatusBadRequest, "invalid_placements", fmt.Sprintf("placements must be an array of 1 to %d names, none of them empty or given twice.", popup.MaxRequestPlacements), 0},
	invalidAttribute:     {http.StatusBadRequest, "invalid_attribute", "attributes must be an object of strings, numbers, booleans and arrays of these, no name twice.", 0},
	invalidShowing:       {http.StatusBadRequest, "invalid_showing", fmt.Sprintf("showing must be an array of at most %d tokens.", maxShowing), 0},
	invalidSignature:     {http.StatusUnauthorized, "invalid_signature", "sig is not the signature of uid.", 0},
	invalidPreview:       {http.StatusUnauthorized, "invalid_preview", "preview is no preview token of this deployment.", 0},
	previewExpired:       {http.StatusGone, "preview_expired", "The preview is over; ask for another one.", 0},
	unsupportedMediaType: {http.StatusUnsupportedMediaType, "unsupported_media_type", "The body must be application/json or text/plain; one action or event may also be application/x-www-form-urlencoded.", 0},
	unsupportedEncoding:  {http.StatusUnsupportedMediaType, "unsupported_content_encoding", "The body must not be compressed.", 0},
	malformedJSON:        {http.StatusBadRequest, "malformed_json", "The body is not valid JSON.", 0},
	malformedAction:      {http.StatusBadRequest, "malformed_action", "An action must have one token and one action, both strings, and may have one age_ms, a whole number from 0 on.", 0},
	unknownAction:        {http.StatusBadRequest, "unknown_action", "action must be click, dismiss, convert, view or release.", 0},
	tooManyActions:       {http.StatusBadRequest, "too_many_actions", fmt.Sprintf("There are more than %d actions.", maxActions), 0},
	malformedEvent:       {http.StatusBadRequest, "malformed_event", "An event must have one uid and one event, and may have one sig, all strings.", 0},
	invalidEvent:         {http.StatusBadRequest, "invalid_event", fmt.Sprintf("event must be 1 to %d of a-z, 0-9, '_', '.' and '-', the first a letter or a digit.", popup.MaxEventName), 0},
	tooManyEvents:        {http.StatusBadRequest, "too_many_events", fmt.Sprintf("There are more than %d events.", maxEvents), 0},
	rateLimited:          {http.StatusTooManyRequests, "rate_limited", "Too many actions or events come from this address.", 5},
	invalidToken:         {http.StatusUnauthorized, "invalid_token", "The token was not issued by this deployment.", 0},
	tokenExpired:         {http.StatusGone, "token_expired", fmt.Sprintf("The token is older than %d days, or than a reset of its user.", popup.TokenLife/(24*time.Hour)), 0},
	notRecorded:          {http.StatusServiceUnavailable, "not_recorded", "The server cannot record anything now.", 5},
	stateFull:            {http.StatusServiceUnavailable, "state_full", "The server's memory for users is full.", 60},
}

func (p problem) code() string { return problems[p].code }

// body returns the problem document. Its type is left out, which says
// about:blank: the code tells problems apart, the title is the status.
func (p problem) body() []byte {
	d := &problems[p]
	b, err := json.Marshal(struct {
		Title  string `json:"title"`
		Status int    `json:"status"`
		Code   string `json:"code"`
		Detail string `json:"detail"`
	}{http.StatusText(d.status), d.status, d.code, d.detail})
	if err != nil {
		panic(err) // strings and an int
	}
	return b
}

func (p problem) retryAfter() string {
	if n := problems[p].retry; n > 0 {
		return strconv.Itoa(n)
	}
	return ""
}
