package handler

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/popupd/popupd/popup"
)

const anHour = startMS + 3_600_000

// draft returns a popup with one variant, of this content and these translations.
func draft(t testing.TB, content, translations string) *popup.Popup {
	t.Helper()
	s, err := popup.Decode([]byte(`{"key":"draft","placements":["home","side"],"variants":[{"key":"b","content":` + content + `,"translations":` + translations + `}]}`))
	if err != nil {
		t.Fatal(err)
	}
	return &popup.Popup{ID: 7, Spec: s}
}

// previewOf returns a token for a draft that is good for an hour.
func (f *fixture) previewOf(content, translations string) string {
	f.Helper()
	token, err := f.Preview(draft(f, content, translations), anHour)
	if err != nil {
		f.Fatal(err)
	}
	return token
}

// A preview is what it carries, whoever asks and wherever, and leaves no trace.
func TestPreview(t *testing.T) {
	f := newServer(t, func(c *Config) { c.Identity, c.IdentitySecrets = IdentityEnforce, [][]byte{[]byte("id secret")} }, "").start()
	token := f.previewOf(`{"title":"<b>","n":1.50}`, `{"zh-Hans":{"title":"你好"}}`)
	for range 2 {
		for _, c := range []struct{ query, placement, content, locale string }{
			{"", "default", `{"n":1.50,"title":"<b>"}`, ""},
			{"&placement=side", "side", `{"n":1.50,"title":"<b>"}`, ""},
			{"&placement=elsewhere&locale=zh_CN", "elsewhere", `{"n":1.50,"title":"你好"}`, "zh-Hans"},
			{"&placement=%22%7d&locale=zh-TW&rid=some-request", "home", `{"n":1.50,"title":"<b>"}`, ""},
		} {
			got := f.asks("u", c.query, "&preview="+token)
			if got == nil || !got.Preview || got.Token != "" || got.NextPollSec < 30 || string(got.Popup.Content) != c.content || got.Popup.Locale != c.locale ||
				got.Popup.ID != 7 || got.Popup.Version != 0 || got.Popup.Key != "draft" || got.Popup.Variant != "b" || got.Popup.Placement != c.placement {
				t.Errorf("GET %s: %+v", c.query, got)
			}
		}
		body := fmt.Sprintf(`{"uid":"u","placements":["top","side","home"],"showing":["",%q],"locale":"zh","preview":%q}`, token, token)
		got := f.posts(body)
		if len(got.Popups) != 1 || len(got.Triggers)+len(got.Withdraw) != 0 {
			t.Fatalf("POST: %+v", got)
		}
		if p := got.Popups[0]; !p.Preview || p.Token != "" || string(p.Popup.Content) != `{"n":1.50,"title":"你好"}` || p.Popup.Locale != "zh-Hans" || p.Popup.Placement != "side" {
			t.Errorf("POST: %+v", p)
		}
	}
	f.counts(10, "popupd_decisions_total", "outcome", "preview")
	f.counts(0, "popupd_decisions_total", "outcome", "served")
	f.journaled()
	f.config.Users.States([]byte("u"), func(id uint32, _ popup.State) { t.Errorf("the previews left state of popup %d", id) })
	f.sees("u", "p1", "&sig="+sign("id secret", "u"))
}

// A preview lasts until its end on every server that has the secret, whatever popups that has.
func TestPreviewLife(t *testing.T) {
	f, other := newServer(t, nil).start(), newServer(t, func(c *Config) { c.Secrets = [][]byte{[]byte("new"), []byte("secret")} }).start()
	token := f.previewOf(`{}`, `{}`)
	other.sees("u", "draft", "&preview="+token)
	if r := f.do("GET", "/v1/poll?uid=u&preview="+other.previewOf(`{}`, `{}`), ""); r.code() != "invalid_preview" {
		t.Errorf("signed with a secret that is not ours yet: %d %s", r.status, r.body)
	}
	f.clock.advance(time.Hour - time.Millisecond)
	f.sees("u", "draft", "&preview="+token)
	f.clock.advance(time.Millisecond)
	for _, r := range []reply{
		f.do("GET", "/v1/poll?uid=u&preview="+token, ""), f.do("POST", "/v1/poll", `{"uid":"u","preview":"`+token+`"}`, "Content-Type", "text/plain"),
	} {
		if r.status != http.StatusGone || r.code() != "preview_expired" {
			t.Errorf("after its end: %d %s", r.status, r.body)
		}
	}
}

// A token of a popup that was served is no preview, and a preview is no such token.
func TestForgedPreviews(t *testing.T) {
	f := newServer(t, nil, everyTime).start()
	served := f.sees("u", "p1").Token
	f.events.take()
	good := f.previewOf(`{"title":"Hi"}`, `{}`)
	forged := []string{"p1.", "x", "p2." + good[3:], good[:len(good)-1], good + "A", served, "p1." + served[3:], "v1." + good[3:]}
	for i := range good {
		bad := []byte(good)
		bad[i] ^= 1
		forged = append(forged, string(bad))
	}
	foreign := mustKeyring(t, "foreign")
	foreign.keys[0].id = mustKeyring(t, "secret").keys[0].id
	forged = append(forged, string(foreign.appendPreview(nil, &preview{endsMS: anHour, spec: []byte(`{"key":"k"}`)})))
	// Ours, over what this version can't read.
	for _, spec := range []string{``, `{`, `{"key":"k","variants":[]}`, `{"key":"k","variants":[{"weight":0}]}`, `{"key":"k","variants":[{},{"key":"b"}]}`, strings.Repeat(" ", popup.MaxSpec+9)} {
		forged = append(forged, string(mustKeyring(t, "secret").appendPreview(nil, &preview{endsMS: anHour, spec: []byte(spec)})))
	}
	for _, token := range forged {
		body, err := json.Marshal(map[string]string{"uid": "u", "preview": token})
		if err != nil {
			t.Fatal(err)
		}
		r := f.do("POST", "/v1/poll", string(body), "Content-Type", "text/plain")
		if r.status != http.StatusUnauthorized || r.code() != "invalid_preview" {
			t.Errorf("%.99q: %d %.99s, want 401", token, r.status, r.body)
		}
	}
	f.counts(float64(len(forged)), "popupd_decisions_total", "outcome", "unauthorized")
	for _, token := range []string{good, "v1." + good[3:]} {
		if r := f.act("click", token); r.status != http.StatusUnauthorized || r.code() != "invalid_token" {
			t.Errorf("an action with a preview: %d %s", r.status, r.body)
		}
	}
	f.journaled()
	f.sees("u", "draft", "&preview="+good) // else the cases above show nothing
}

// The greatest content fits into a token, and the token into a poll; a longer body does not.
func TestPreviewSize(t *testing.T) {
	f := newServer(t, nil).start()
	noise := make([]byte, popup.MaxContent*3/4-16)
	for i := range noise {
		noise[i] = byte(rand.Uint32())
	}
	content := `{"x":"` + base64.RawURLEncoding.EncodeToString(noise) + `"}`
	token := f.previewOf(content, `{}`)
	body := fmt.Sprintf(`{"uid":"u","preview":%q,"attributes":{"x":%q}}`, token, strings.Repeat("x", 15<<10))
	if got := f.posts(body); len(got.Popups) != 1 || string(got.Popups[0].Popup.Content) != content {
		t.Errorf("a poll of %d bytes has no preview", len(body))
	}
	for _, body := range []string{
		fmt.Sprintf(`{"uid":"u","preview":"p1.%s"}`, strings.Repeat("x", 64<<10)), fmt.Sprintf(`{"uid":"u","preview":%q}`, strings.Repeat("x", 17<<10)),
		fmt.Sprintf(`{"uid":"u","attributes":{"x":"p1.","y":%q}}`, strings.Repeat("x", 17<<10)),
	} {
		if r := f.do("POST", "/v1/poll", body, "Content-Type", "text/plain"); r.status != http.StatusRequestEntityTooLarge || r.code() != "body_too_large" {
			t.Errorf("a poll of %d bytes: %d %.99s", len(body), r.status, r.body)
		}
	}
	rand.Shuffle(len(noise), func(i, j int) { noise[i], noise[j] = noise[j], noise[i] })
	other := `{"de":{"x":"` + base64.RawURLEncoding.EncodeToString(noise) + `"}}`
	if _, err := f.Preview(draft(t, content, other), anHour); !errors.Is(err, popup.ErrPreviewTooLarge) {
		t.Errorf("twice as much: %v", err)
	}
	long := draft(t, `{}`, `{}`)
	long.Variants[0].Content = map[string]any{"x": strings.Repeat("x", popup.MaxSpec)} // compressed it is short
	if _, err := f.Preview(long, anHour); !errors.Is(err, popup.ErrPreviewTooLarge) {
		t.Errorf("more than a popup may have: %v", err)
	}
}

// FuzzPreview: what is accepted carries what was signed.
func FuzzPreview(f *testing.F) {
	k := mustKeyring(f, "secret", "older")
	f.Add(k.appendPreview(nil, &preview{endsMS: anHour, popup: 7, version: 3, spec: []byte(`{"key":"k"}`)}))
	f.Add([]byte("p1."))
	f.Add([]byte("v1."))
	f.Fuzz(func(t *testing.T, text []byte) {
		if got, ok := k.verifyPreview(text); ok {
			if again := k.appendPreview(nil, &got); !bytes.Equal(again, text) {
				t.Fatalf("accepted %s, which is not %s", text, again)
			}
		}
	})
}

// FuzzSignedPreview: whatever is signed, as another version might, is JSON or refused.
func FuzzSignedPreview(f *testing.F) {
	f.Add(int64(anHour), uint32(7), []byte(`{"key":"k","placements":["home"],"variants":[{"key":"a","content":{"title":"<"},"translations":{"zh":{"n":1}}}]}`), []byte("zh"))
	f.Add(int64(-1), uint32(0), []byte(`{}`), []byte(""))
	f.Fuzz(func(t *testing.T, endsMS int64, id uint32, spec, locale []byte) {
		k := mustKeyring(t, "secret")
		shown, wrong := k.openPreview(k.appendPreview(nil, &preview{endsMS: endsMS, popup: id, spec: spec}), startMS)
		if wrong != noProblem {
			return
		}
		if answer := shown.variant.AppendPopup(nil, shown.placement(&popup.Request{}), locale); !json.Valid(answer) {
			t.Fatalf("%s is shown as %s", spec, answer)
		}
	})
}
