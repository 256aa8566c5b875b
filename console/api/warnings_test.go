package api_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/popupd/popupd/internal/apitest"
)

// warned returns the warnings of an answer as "pointer code proved".
func warned(t *testing.T, a apitest.Answer) string {
	t.Helper()
	var out []string
	for _, w := range a.JSON(t)["warnings"].([]any) {
		w := w.(map[string]any)
		out = append(out, fmt.Sprint(w["pointer"], " ", w["code"], " ", w["proved"]))
	}
	return strings.Join(out, ", ")
}

// Every change of a popup is answered with the warnings of what it has become.
func TestWarnings(t *testing.T) {
	p := newPlane(t)
	const dead = `"targeting":{"all":[{"attr":"platform","op":"eq","value":"ios"},{"attr":"platform","op":"eq","value":"android"},{"attr":"locale","op":"eq","value":"zh_CN"}]}`
	const want = "/targeting/all/1 contradiction true, /targeting/all/2/value locale_format false"
	created := p.Want(201, "", "POST", popupsPath, `{"key":"a",`+dead+`}`)
	for what, a := range map[string]apitest.Answer{
		"create":   created,
		"again":    p.Want(200, "", "PUT", popupsPath+"/a", string(created.Body), "If-Match", "*"), // its warnings are ignored
		"activate": p.Want(200, "", "POST", popupsPath+"/a/activate", ""),
		"already":  p.Want(200, "", "POST", popupsPath+"/a/activate", ""),
		"pause":    p.Want(200, "", "POST", popupsPath+"/a/pause", ""),
		"rollback": p.Want(200, "", "POST", popupsPath+"/a/rollback", `{"version":1}`),
	} {
		if got := warned(t, a); got != want {
			t.Errorf("%s: %s, want %s", what, got, want)
		}
	}
	if a := p.Want(200, "", "GET", popupsPath+"/a", ""); a.JSON(t)["warnings"] != nil {
		t.Errorf("GET: %s, want no warnings", a.Body)
	}
	if got := warned(t, p.Want(200, "", "PUT", popupsPath+"/a", `{}`, "If-Match", "*")); got != "" {
		t.Errorf("mended: %s", got)
	}
	if got := warned(t, p.Want(200, "", "DELETE", popupsPath+"/a", "", "If-Match", "*")); got != "" {
		t.Errorf("archived: %s", got)
	}
}

// A popup is compared with those that are in force when it is changed.
func TestOutrankedWarning(t *testing.T) {
	p := newPlane(t)
	p.Want(201, "", "POST", popupsPath, `{"key":"top","status":"active","priority":5,"frequency":{"after_impression_sec":0,"after_click_sec":0,"after_dismiss_sec":0}}`)
	a := p.Want(201, "", "POST", popupsPath, `{"key":"a","priority":4}`)
	if got, want := warned(t, a), "/priority outranked false"; got != want || !strings.Contains(string(a.Body), "gets top") {
		t.Errorf("below: %s, want %s that names top", a.Body, want)
	}
	p.Want(200, "", "POST", popupsPath+"/top/pause", "")
	if got := warned(t, p.Want(200, "", "POST", popupsPath+"/a/activate", "")); got != "" {
		t.Errorf("below a paused one: %s", got)
	}
}
