package handler

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/popupd/popupd/snapshot"
)

// What a preview shows is, byte for byte, what polls get once it is published.
func TestPreviewIsWhatWillBeServed(t *testing.T) {
	const content = `{"html":"<a href=\"/x?a=1&b=2\">'\u2028\u0000\u007f</a>","n":1.50,"e":1e3,"big":12345678901234567890,"\u00e9":["<",null,true,{"&":{}}],"emoji":"\ud83d\ude00"}`
	const translations = `{"de":{"html":"<b>&\u2029\u00fc</b>"}}`
	f := newServer(t, nil, everyTime+`,"variants":[{"key":"b","content":`+content+`,"translations":`+translations+`}]`).start()
	token := f.previewOf(content, translations)
	for _, locale := range []string{"", "&locale=de-AT"} {
		served, previewed := f.asks("u", locale), f.asks("u", locale, "&preview="+token)
		if got, want := string(previewed.Popup.Content), string(served.Popup.Content); got != want || previewed.Popup.Locale != served.Popup.Locale {
			t.Errorf("previewed %s\n   served %s", got, want)
		}
		f.clock.advance(time.Minute)
	}
}

// A popup that is nearly as long as one may be has a preview, though escapes would make it
// longer than that.
func TestPreviewOfManyBrackets(t *testing.T) {
	f := newServer(t, nil).start()
	content := `{"x":"` + strings.Repeat("<", 30<<10) + `"}`
	var translations []string
	for _, tag := range []string{"da", "de", "es", "fi", "fr", "it", "ja", "ko", "nl", "pl", "pt", "ru", "sv", "tr", "zh"} {
		translations = append(translations, `"`+tag+`":`+content)
	}
	token := f.previewOf(content, "{"+strings.Join(translations, ",")+"}")
	if got := f.asks("u", "&locale=zh", "&preview="+token); string(got.Popup.Content) != content || got.Popup.Locale != "zh" {
		t.Errorf("%d bytes in %q", len(got.Popup.Content), got.Popup.Locale)
	}
}

// A preview is opened once, however often it is polled for, until others have taken its place.
func TestPreviewIsOpenedOnce(t *testing.T) {
	f := newServer(t, nil).start()
	first := f.previewOf(`{"title":"first"}`, `{}`)
	title := func(token string) string {
		t.Helper()
		return string(f.asks("u", "&preview="+token).Popup.Content)
	}
	if got := title(first); got != `{"title":"first"}` {
		t.Fatal(got)
	}
	// Whoever opens the token again does not get what is put in its place here.
	other := draft(t, `{"title":"remembered"}`, `{}`)
	variant, err := snapshot.NewPreview(7, 0, &other.Spec)
	if err != nil {
		t.Fatal(err)
	}
	f.previews.opened[0].variant = variant
	for range 30 {
		if got := title(first); got != `{"title":"remembered"}` {
			t.Fatalf("opened again: %s", got)
		}
	}
	for i := range maxOpened - 1 {
		title(f.previewOf(fmt.Sprintf(`{"title":"%d"}`, i), `{}`))
	}
	if got := title(first); got != `{"title":"remembered"}` {
		t.Errorf("%d others have taken its place: %s", maxOpened-1, got)
	}
	for i := range maxOpened {
		title(f.previewOf(fmt.Sprintf(`{"title":"another %d"}`, i), `{}`))
	}
	if got := title(first); got != `{"title":"first"}` || len(f.previews.opened) != maxOpened {
		t.Errorf("of %d remembered: %s", len(f.previews.opened), got)
	}
	f.clock.advance(time.Hour)
	if r := f.do("GET", "/v1/poll?uid=u&preview="+first, ""); r.code() != "preview_expired" {
		t.Errorf("remembered after its end: %d %s", r.status, r.body)
	}
}
