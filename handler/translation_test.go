package handler

import (
	"fmt"
	"testing"
	"time"
)

// The locale of a poll chooses the translation, in the answer to a repeated poll too.
func TestTranslations(t *testing.T) {
	const spec = everyTime + `,"variants":[{"content":{"title":"Hi","n":1},"translations":{"zh-Hans":{"title":"你好"},"zh-Hant":{"title":"妳好"}}}]`
	const own, simplified, traditional = `{"n":1,"title":"Hi"}`, `{"n":1,"title":"你好"}`, `{"n":1,"title":"妳好"}`
	f := newServer(t, nil, spec).start()
	for i, c := range []struct{ locale, want, content string }{
		{"zh-CN", "zh-Hans", simplified}, {"ZH_tw", "zh-Hant", traditional}, {"zh-HK", "zh-Hant", traditional}, {"en", "", own}, {"", "", own}, {"中文", "", own},
	} {
		f.clock.advance(time.Minute)
		get := f.sees("u", "p1", "&locale="+c.locale)
		f.clock.advance(time.Minute)
		body := fmt.Sprintf(`{"uid":"u","rid":"request-%d","locale":%q}`, i, c.locale)
		for _, got := range []servedBody{*get, f.posts(body).Popups[0], f.posts(body).Popups[0]} {
			if got.Popup.Locale != c.want || string(got.Popup.Content) != c.content {
				t.Errorf("%s: locale %q, %s", c.locale, got.Popup.Locale, got.Popup.Content)
			}
		}
	}
}
