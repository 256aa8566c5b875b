package popup

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

func translated(translations string) string {
	return `{"key":"k","variants":[{"content":{"title":"Hi","n":1,"image":{"src":"a.png","alt":"A"}},"translations":` + translations + `}]}`
}

func TestTranslationsAreLaidOver(t *testing.T) {
	s := mustDecode(t, translated(`{"ZH_hans":{"title":"你好","image":{"src":"zh.png"}},"ar":{"dir":"rtl","n":null},"en-GB":{}}`))
	v := &s.Variants[0]
	for tag, want := range map[string]string{
		"zh-Hans": `{"image":{"src":"zh.png"},"n":1,"title":"你好"}`,
		"ar":      `{"dir":"rtl","image":{"alt":"A","src":"a.png"},"n":null,"title":"Hi"}`,
		"en-GB":   `{"image":{"alt":"A","src":"a.png"},"n":1,"title":"Hi"}`,
	} {
		if got, err := v.AppendTranslation(nil, tag); string(got) != want || err != nil {
			t.Errorf("%s: %s, %v, want %s", tag, got, err, want)
		}
	}
	if got, err := v.AppendContent(nil); string(got) != `{"image":{"alt":"A","src":"a.png"},"n":1,"title":"Hi"}` || err != nil {
		t.Errorf("the content is now %s, %v", got, err)
	}
	if got := string(s.Encode()); !strings.Contains(got, `"translations":{"ar":{"dir":"rtl","n":null},"en-GB":{},"zh-Hans":{"image":{"src":"zh.png"},"title":"你好"}}`) {
		t.Errorf("encoded: %s", got)
	}
}

func TestTranslationsRefused(t *testing.T) {
	const at = "/variants/0/translations"
	long := strings.Repeat("x", MaxContent-60)
	many := map[string]map[string]any{}
	for i := range MaxTranslations + 1 {
		many["en-"+strings.Fields(knownRegions)[i]] = map[string]any{}
	}
	manyJSON, err := json.Marshal(many)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ pointer, translations string }{
		{at, `[]`}, {at, `null`}, {at + "/zh", `{"zh":"x"}`}, {at + "/zh", `{"zh":null}`}, {at + "/zh", `{"zh":[]}`},
		{at + "/xx", `{"xx":{}}`}, {at + "/english", `{"english":{}}`}, {at + "/zh-Hanz", `{"zh-Hanz":{}}`}, {at + "/en~1GB", `{"en/GB":{}}`}, {at + "/", `{"":{}}`}, {at + "/zh_xx", `{"zh_xx":{}}`},
		{at + "/zh_cn", `{"zh-CN":{},"zh_cn":{}}`}, {at + "/zh-Hans", `{"zh":{},"zh-Hans":{}}`}, {at + "/zh-TW", `{"zh-Hant-TW":{},"zh-TW":{}}`}, {at + "/no", `{"nb":{},"no":{}}`},
		{at + "/de/link", `{"de":{"link":"javascript:x"}}`}, {at + "/de/image", `{"de":{"image":"data:x"}}`}, {at + "/de/image/src", `{"de":{"image":{"src":"file:x"}}}`},
		{at + "/de", `{"de":{"body":"` + long + `"}}`}, {at, string(manyJSON)},
	} {
		wantPointer(t, []byte(translated(c.translations)), c.pointer)
	}
	if s := mustDecode(t, translated(`{"de":{"body":"`+long[:len(long)-60]+`"}}`)); len(s.Variants[0].Translations) != 1 {
		t.Errorf("just short enough: %v", s.Variants[0].Translations)
	}
}

// The contents of a popup with all its translations laid over them are bounded together,
// however little of it has to be written down.
func TestRenderedIsBounded(t *testing.T) {
	build := func(regions int) string {
		var tags []string
		for _, region := range strings.Fields(knownRegions)[:regions] {
			tags = append(tags, fmt.Sprintf(`"en-%s":{}`, region))
		}
		return `{"key":"k","variants":[{"content":{"x":"` + strings.Repeat("x", MaxContent-8) + `"},"translations":{` + strings.Join(tags, ",") + `}}]}`
	}
	mustDecode(t, build(MaxRendered/MaxContent-1))
	wantPointer(t, []byte(build(MaxRendered/MaxContent)), "/variants")
}
