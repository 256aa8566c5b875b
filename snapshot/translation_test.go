package snapshot

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/popupd/popupd/popup"
)

// translated returns the only variant of a popup with these translations, of which each
// has its tag as its title.
func translated(t testing.TB, tags ...string) *Variant {
	t.Helper()
	var members []string
	for _, tag := range tags {
		members = append(members, fmt.Sprintf(`%q:{"title":%q}`, tag, tag))
	}
	return mustCompile(t, row(1, `"variants":[{"content":{"title":"own","body":"b"},"translations":{`+strings.Join(members, ",")+`}}]`)).Popup(1).Variant([]byte("u"))
}

// TestPublishedTranslations says which translation a locale gets; "" is the content itself.
func TestPublishedTranslations(t *testing.T) {
	for _, c := range []struct{ translations, locale, want string }{
		{"zh-Hans zh-Hant en", "zh-CN", "zh-Hans"},
		{"zh-Hans zh-Hant en", "zh", "zh-Hans"},
		{"zh-Hans zh-Hant en", "zh_SG", "zh-Hans"},
		{"zh-Hans zh-Hant en", "zh-Hans-HK", "zh-Hans"},
		{"zh-Hans zh-Hant en", "zh-HK", "zh-Hant"},
		{"zh-Hans zh-Hant en", "zh-TW", "zh-Hant"},
		{"zh-Hans zh-Hant en", "zh-MO", "zh-Hant"},
		{"zh-Hans zh-Hant en", "zh_Hant_CN", "zh-Hant"},
		{"zh-Hans zh-Hant en", "ZH-tw", "zh-Hant"},
		{"zh-Hans zh-Hant en", "en-US", "en"},
		{"zh-Hans zh-Hant en", "fr", ""},
		{"zh-Hans zh-Hant en", "", ""},
		{"zh-Hans zh-Hant en", "*", ""}, {"zh-Hans zh-Hant en", "i-klingon", ""}, {"zh-Hans zh-Hant en", strings.Repeat("zh", 150), ""},
		{"zh-Hans zh-Hant en", "en-USA", "en"}, {"zh-Hans zh-Hant en en-GB", "en-US-x-foo", "en"}, {"zh-Hans zh-Hant en", "en_US.UTF-8", "en"}, {"zh-Hans zh-Hant en", "zh-Hant-HK", "zh-Hant"},
		{"zh-Hans zh-Hant en", "zh_CN", "zh-Hans"}, {"zh-Hans zh-Hant en", "sr-Latn", ""}, {"zh-Hans zh-Hant en sr-Latn", "sr_Latn_RS", "sr-Latn"}, {"zh-Hans zh-Hant en", "zh-TWN", "zh-Hans"},

		// Traditional Chinese is never answered with Simplified, nor the other way round.
		{"zh-Hans", "zh-HK", ""}, {"zh-Hans", "zh-TW", ""}, {"zh-Hans", "zh-MO", ""}, {"zh-Hans", "zh-Hant", ""}, {"zh-Hans", "zh-Hant-HK", ""},
		{"zh", "zh-HK", ""}, {"zh", "zh-TW", ""}, {"zh", "zh-Hant", ""}, {"zh-CN", "zh-HK", ""}, {"zh", "zh-CN", "zh"}, {"zh", "zh-Hans-HK", "zh"},
		{"zh-Hant", "zh-CN", ""}, {"zh-Hant", "zh", ""}, {"zh-TW", "zh-CN", ""}, {"zh-Hant", "zh-US", "zh-Hant"},
		{"zh-HK", "zh-MO", "zh-HK"}, {"zh-HK", "zh-TW", ""}, {"zh-TW", "zh-HK", ""}, {"zh-TW", "zh-Hant-TW", "zh-TW"}, {"zh-Hant-TW", "zh-TW", "zh-Hant-TW"},

		{"en en-001 en-GB", "en-GB", "en-GB"}, {"en en-001 en-GB", "en-AU", "en-001"}, {"en en-001 en-GB", "en-IE", "en-001"}, {"en en-001 en-GB", "en-US", "en"}, {"en en-GB", "en-AU", "en"},
		{"en-GB", "en", ""}, {"en-GB", "en-US", ""}, {"en-150 en", "en-DE", "en-150"}, {"en-001 en", "en-DE", "en-001"},
		{"es es-419", "es-MX", "es-419"}, {"es es-419", "es-ES", "es"}, {"es", "es-AR", "es"}, {"es-MX", "es-AR", ""},
		{"pt pt-PT", "pt-BR", "pt"}, {"pt pt-PT", "pt-AO", "pt-PT"}, {"pt", "pt-PT", "pt"}, {"pt-BR", "pt-PT", ""}, {"pt-PT", "pt", ""}, {"pt-PT", "pt-BR", ""},
		{"nb", "no", "nb"}, {"no", "nb-NO", "no"}, {"nb", "nb", "nb"}, {"no", "nn", "no"}, {"nn", "nb", ""},
		{"sr", "sr-Latn", ""}, {"sr-Latn", "sr", ""}, {"sr sr-Latn", "sr-ME", "sr-Latn"}, {"sr sr-Latn", "sr-RS", "sr"}, {"sr-Latn", "sh", "sr-Latn"}, {"sr-Cyrl", "sr-RS", "sr-Cyrl"},
		{"he", "iw-IL", "he"}, {"id", "in", "id"}, {"fil", "tl-PH", "fil"},
		{"de", "de-CH-1996", "de"}, {"de de-CH", "de_CH.UTF-8", "de-CH"}, {"ar", "ar-EG-u-nu-latn", "ar"}, {"ca", "ca-valencia", "ca"},
	} {
		v := translated(t, strings.Fields(c.translations)...)
		title, locale := "own", ""
		if c.want != "" {
			title, locale = c.want, `,"locale":"`+c.want+`"`
		}
		want := `{"id":1,"key":"p1","version":1,"variant":"a","placement":"home","content":{"body":"b","title":"` + title + `"}` + locale + `}`
		if got := string(v.AppendPopup(nil, []byte("home"), []byte(c.locale))); got != want {
			t.Errorf("%q of %q:\n got %s\nwant %s", c.locale, c.translations, got, want)
		}
	}
}

// BenchmarkHotTranslation compares answers without translations and with eight of them,
// for locales that have one at once, after three parents, and not at all.
func BenchmarkHotTranslation(b *testing.B) {
	dst := make([]byte, 0, 1024)
	own, eight := translated(b), translated(b, "zh-Hans", "zh-Hant", "en", "es", "pt", "ar", "de", "fr")
	for _, c := range []struct {
		name, locale string
		v            *Variant
	}{{"none", "zh-CN", own}, {"first", "zh-Hant", eight}, {"third", "en-AT", eight}, {"missing", "zh-Latn-CN", eight}} {
		locale := []byte(c.locale)
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				dst = c.v.AppendPopup(dst[:0], defaultPlacement, locale)
			}
		})
	}
}

// BenchmarkTranslationMemory says what a popup with translations keeps in memory beside
// its spec, for two variants with a content of 400 bytes.
func BenchmarkTranslationMemory(b *testing.B) {
	tags := []string{"ar", "de", "en", "es", "fr", "hi", "it", "ja", "ko", "nl", "pl", "pt", "ru", "th", "tr", "vi", "zh-Hans", "zh-Hant", "id", "uk"}
	for _, n := range []int{0, 2, 10, 20} {
		var members []string
		for _, tag := range tags[:n] {
			members = append(members, fmt.Sprintf(`%q:{"title":%q,"body":%q}`, tag, strings.Repeat("t", 40), strings.Repeat("b", 200)))
		}
		variant := `"content":{"title":"` + strings.Repeat("t", 40) + `","body":"` + strings.Repeat("b", 200) + `","link":"` + strings.Repeat("l", 120) + `"},"translations":{` + strings.Join(members, ",") + `}}`
		rows := make([]popup.Row, 1000)
		for i := range rows {
			rows[i] = row(uint32(i+1), `"variants":[{"key":"a",`+variant+`,{"key":"b",`+variant+`]`)
		}
		b.Run(fmt.Sprint("translations=", n), func(b *testing.B) {
			var before, after runtime.MemStats
			for b.Loop() {
				runtime.GC()
				runtime.ReadMemStats(&before)
				s := mustCompile(b, rows...)
				runtime.GC()
				runtime.ReadMemStats(&after)
				runtime.KeepAlive(s)
			}
			b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/float64(len(rows)), "B/popup")
		})
	}
}
