package api

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/popupd/popupd/console"
	"github.com/popupd/popupd/popup"
)

const (
	maxBody      = 1 << 20
	defaultLimit = 50
	maxLimit     = 500
	storeTimeout = 10 * time.Second
)

// reading bounds what a request reads from the store. It ends with the client.
func reading(r *http.Request) (context.Context, context.CancelFunc) {
	return context.WithTimeout(r.Context(), storeTimeout)
}

// writing bounds a change. It does not end when the client goes away: a
// transaction cut off at its commit would leave the outcome unknown.
func writing(r *http.Request) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(r.Context()), storeTimeout)
}

// readBody returns the whole body of a request that says it is JSON.
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	return readBodyUpTo(w, r, maxBody)
}

func readBodyUpTo(w http.ResponseWriter, r *http.Request, most int64) ([]byte, error) {
	mediaType, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || mediaType != "application/json" {
		return nil, console.NewProblem(http.StatusUnsupportedMediaType, "unsupported_media_type", "The body must be application/json, and Content-Type must say so.")
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, most))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, console.NewProblem(http.StatusRequestEntityTooLarge, "body_too_large", "The body is longer than "+strconv.FormatInt(most>>20, 10)+" MiB.")
	case err != nil:
		return nil, console.NewProblem(http.StatusBadRequest, "unreadable_body", "The body ended early.")
	}
	return body, nil
}

// decodePopup reads a popup.
func decodePopup(body []byte) (popup.Spec, error) {
	if err := checkJSON(body); err != nil {
		return popup.Spec{}, err
	}
	return popup.Decode(body)
}

// decodeBody reads a small object into v, a struct with a tag for each member. Other members
// are refused, and those that occur twice.
func decodeBody(body []byte, v any) error {
	if err := checkJSON(body); err != nil {
		return err
	}
	if errs := checkMembers(body, reflect.TypeOf(v).Elem()); len(errs) > 0 {
		return invalidFields(errs)
	}
	err := json.Unmarshal(body, v)
	var wrongType *json.UnmarshalTypeError
	switch {
	case errors.As(err, &wrongType):
		return invalidField(pointerTo(wrongType.Field), "must be "+kindOf(wrongType.Type))
	case err != nil:
		return invalidField("", err.Error())
	}
	return nil
}

// checkMembers compares the members of an object with the tags of a struct. Package json
// would take them in any letter case, and the last one of several.
func checkMembers(body []byte, of reflect.Type) (errs popup.FieldErrors) {
	d := json.NewDecoder(bytes.NewReader(body))
	if begin, _ := d.Token(); begin != json.Delim('{') {
		return nil // which json tells
	}
	seen := map[any]bool{}
	for d.More() {
		name, _ := d.Token()
		var value json.RawMessage
		_ = d.Decode(&value) // it is JSON
		refuse := func(detail string) {
			errs = append(errs, popup.FieldError{Pointer: "/" + escaped.Replace(name.(string)), Detail: detail})
		}
		switch known := slices.ContainsFunc(reflect.VisibleFields(of), func(f reflect.StructField) bool { return f.Tag.Get("json") == name }); {
		case !known:
			refuse("is not a known field")
		case seen[name]:
			refuse("occurs twice")
		}
		seen[name] = true
	}
	return errs
}

// kindOf names the JSON that is decoded into a type.
func kindOf(t reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "true or false"
	case reflect.Slice:
		return "an array"
	case reflect.Struct, reflect.Map:
		return "an object"
	}
	return "a whole number"
}

// checkJSON tells a body that is not one JSON value from one that says something wrong.
func checkJSON(body []byte) error {
	if len(bytes.TrimSpace(body)) == 0 {
		return console.NewProblem(http.StatusBadRequest, "malformed_json", "The body is empty.")
	}
	if json.Valid(body) {
		return nil
	}
	var value json.RawMessage
	if err := json.Unmarshal(body, &value); err != nil {
		return console.NewProblem(http.StatusBadRequest, "malformed_json", "The body is not valid JSON: "+err.Error()+".")
	}
	return nil
}

// pointerTo returns the JSON pointer (RFC 6901) to a member of the document.
func pointerTo(member string) string {
	if member == "" {
		return ""
	}
	return "/" + escaped.Replace(member)
}

// escaped escapes the name of a member in a JSON pointer.
var escaped = strings.NewReplacer("~", "~0", "/", "~1")

// queryOf returns the parameters of a list. One that is not escaped, as in tag=a;b, is refused:
// without it the list would have more than was asked for.
func queryOf(r *http.Request) (url.Values, error) {
	q, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, console.NewProblem(http.StatusBadRequest, "invalid_parameter", "The query can't be read: percent-encode % and ; in values.")
	}
	return q, nil
}

func limitOf(q url.Values) (int, error) {
	s := q.Get("limit")
	if s == "" {
		return defaultLimit, nil
	}
	limit, err := strconv.Atoi(s)
	if err != nil || limit < 1 || limit > maxLimit {
		return 0, invalidParameter("limit", "must be 1 to "+strconv.Itoa(maxLimit)+".")
	}
	return limit, nil
}

// page reads limit and cursor of a list. The cursor is the id after which the
// page starts; kind keeps one list's cursor from being used on another.
func page(r *http.Request, kind string) (after int64, limit int, err error) {
	q, err := queryOf(r)
	if err != nil {
		return 0, 0, err
	}
	if limit, err = limitOf(q); err != nil {
		return 0, 0, err
	}
	if s := q.Get("cursor"); s != "" {
		plain, err := base64.RawURLEncoding.DecodeString(s)
		id, ok := strings.CutPrefix(string(plain), kind+":")
		if after, err2 := strconv.ParseInt(id, 10, 64); err == nil && ok && err2 == nil && after > 0 {
			return after, limit, nil
		}
		return 0, 0, invalidParameter("cursor", "is not a next_cursor of this list.")
	}
	return 0, limit, nil
}

// list is a page of items. NextCursor is null on the last one.
type list[T any] struct {
	Items      []T     `json:"items"`
	NextCursor *string `json:"next_cursor"`
}

// newList makes a page of at most limit of the items; the caller asked for one
// more than that, so as to know whether another page follows.
func newList[T any](kind string, items []T, limit int, id func(T) int64) list[T] {
	if len(items) <= limit {
		return list[T]{Items: append([]T{}, items...)}
	}
	items = items[:limit]
	cursor := base64.RawURLEncoding.EncodeToString([]byte(kind + ":" + strconv.FormatInt(id(items[limit-1]), 10)))
	return list[T]{Items: items, NextCursor: &cursor}
}
