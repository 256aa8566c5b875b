package api_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/popupd/popupd/internal/apitest"
	"github.com/popupd/popupd/popup"
)

// previews keeps what the last token is for.
type previews struct {
	of     popup.Popup
	endsMS int64
	err    error
}

func (p *previews) Preview(of *popup.Popup, endsMS int64) (string, error) {
	p.of, p.endsMS = *of, endsMS
	return "p1.token", p.err
}

func TestPreview(t *testing.T) {
	p := newPlane(t)
	p.Want(201, "", "POST", popupsPath, `{"key":"other"}`)
	p.Want(201, "", "POST", popupsPath, `{"key":"sale","status":"paused","placements":["home"],"variants":[
		{"key":"nothing","control":true},{"key":"a","weight":0,"content":{"title":"A"},"translations":{"de":{"title":"Ä"}}},{"key":"b","content":{"title":"B"}}]}`)
	const path = popupsPath + "/sale/preview"
	audited := len(p.store.audit)
	for _, c := range []struct{ body, want string }{
		{`{"variant":"b"}`, "2.1 sale [home] b 1 B 0"},
		{`{"variant":"a"}`, "2.1 sale [home] a 1 A 1"}, // has lost its weight
		{`{}`, "2.1 sale [home] a 1 A 1"},
		{`{"popup":{"variants":[{"key":"new","content":{"title":"N"}}]}}`, "2.0 sale [default] new 1 N 0"},
		{`{"variant":"y","popup":{"key":"sale","placements":["x"],"variants":[{"key":"x"},{"key":"y","content":{"title":"Y"}}]}}`, "2.0 sale [x] y 1 Y 0"},
	} {
		a := p.Want(200, "", "POST", path, c.body)
		of := p.previews.of
		v := of.Variants[0]
		got := fmt.Sprintf("%d.%d %s %s %s %d %v %d", of.ID, of.Version, of.Key, of.Placements, v.Key, v.Weight, v.Content["title"], len(v.Translations))
		if got != c.want || len(of.Variants) != 1 {
			t.Errorf("%s previews %s, want %s", c.body, got, c.want)
		}
		ends := apitest.Noon.Add(time.Hour)
		if want := `{"token":"p1.token","expires_at":"` + ends.Format(time.RFC3339) + `"}`; strings.TrimSpace(string(a.Body)) != want || p.previews.endsMS != ends.UnixMilli() {
			t.Errorf("%s: %s and %d, want %s", c.body, a.Body, p.previews.endsMS, want)
		}
	}
	// A draft may have a key that no popup has.
	p.Want(200, "", "POST", popupsPath+"/unsaved/preview", `{"popup":{}}`)
	if of := p.previews.of; of.ID != 0 || of.Key != "unsaved" {
		t.Errorf("the preview of an unsaved popup has the id %d and key %s", of.ID, of.Key)
	}
	if len(p.store.audit) != audited || len(p.store.popups) != 2 {
		t.Error("a preview changed the store")
	}
}

func TestPreviewRefused(t *testing.T) {
	p := newPlane(t)
	p.Want(201, "", "POST", popupsPath, `{"key":"sale","variants":[{"key":"a"},{"key":"nothing","control":true}]}`)
	const path = popupsPath + "/sale/preview"
	for _, c := range []struct {
		path, body string
		status     int
		code       string
		pointer    string // of the only error of a 422
	}{
		{popupsPath + "/absent/preview", `{}`, 404, "popup_not_found", ""},
		{popupsPath + "/Absent/preview", `{"popup":{}}`, 404, "popup_not_found", ""},
		{path, `{`, 400, "malformed_json", ""},
		{path, `[]`, 422, "invalid_fields", ""},
		{path, `{"draft":{}}`, 422, "invalid_fields", "/draft"},
		{path, `{"variant":1}`, 422, "invalid_fields", "/variant"},
		{path, `{"variant":"b"}`, 422, "invalid_fields", "/variant"},
		{path, `{"variant":"nothing"}`, 422, "invalid_fields", "/variant"},
		{path, `{"popup":{"variants":[{"key":"a","control":true}]}}`, 422, "invalid_fields", "/variant"},
		{path, `{"popup":null}`, 422, "invalid_fields", "/popup"},
		{path, `{"popup":{"key":"other"}}`, 422, "invalid_fields", "/popup/key"},
		{path, `{"popup":{"priority":"high"}}`, 422, "invalid_fields", "/popup/priority"},
		{path, `{"popup":{"variants":[{"key":"a","content":{"link":"javascript:x"}}]}}`, 422, "invalid_fields", "/popup/variants/0/content/link"},
		{path, `{"popup":{"variants":[{"key":"a","translations":{"xx":{}}}]}}`, 422, "invalid_fields", "/popup/variants/0/translations/xx"},
	} {
		a := p.Want(c.status, c.code, "POST", c.path, c.body)
		if c.status == 422 && !strings.Contains(string(a.Body), `"errors":[{"pointer":"`+c.pointer+`"`) {
			t.Errorf("%s: %s, want an error at %s", c.body, a.Body, c.pointer)
		}
	}
	p.Want(415, "unsupported_media_type", "POST", path, `{}`, "Content-Type", "text/plain")
	p.previews.err = popup.ErrPreviewTooLarge
	if a := p.Want(422, "invalid_fields", "POST", path, `{}`); !strings.Contains(string(a.Body), `"/variant"`) {
		t.Errorf("too large: %s", a.Body)
	}
}
