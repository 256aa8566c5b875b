package popup

import (
	"strings"
	"testing"
)

// lineage returns a locale and its ancestors as tags.
func lineage(text string) string {
	var tags []string
	l, ok := ParseLocale([]byte(text))
	for ok {
		tags = append(tags, l.String())
		l, ok = l.Parent()
	}
	return strings.Join(tags, " ")
}

// String returns the tag with its script where that is not the default.
func (l Locale) String() string {
	tag := strings.TrimRight(string(l.language[:]), "\x00")
	for _, subtag := range []string{string(l.script[:]), string(l.region[:])} {
		if subtag = strings.TrimRight(subtag, "\x00"); subtag != "" {
			tag += "-" + subtag
		}
	}
	return tag
}

func TestLocaleLineage(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"zh", "zh"}, {"zh-Hans", "zh"}, {"zh-CN", "zh-CN zh"}, {"zh-Hans-CN", "zh-CN zh"}, {"zh-SG", "zh-SG zh"}, {"zh-MY", "zh-MY zh"},
		{"zh-Hant", "zh-Hant"}, {"zh-TW", "zh-Hant-TW zh-Hant"}, {"zh-HK", "zh-Hant-HK zh-Hant"}, {"zh-MO", "zh-Hant-MO zh-Hant-HK zh-Hant"},
		{"zh-Hans-HK", "zh-HK zh"}, {"zh-Hant-CN", "zh-Hant-CN zh-Hant"}, {"zh-US", "zh-Hant-US zh-Hant"}, {"yue-HK", "yue-HK yue"}, {"yue-CN", "yue-Hans-CN yue-Hans"},
		{"en-US", "en-US en"}, {"en-GB", "en-GB en-001 en"}, {"en-UK", "en-GB en-001 en"}, {"en-AT", "en-AT en-150 en-001 en"}, {"en-IN", "en-IN en-001 en"},
		{"es-MX", "es-MX es-419 es"}, {"es-ES", "es-ES es"}, {"es-419", "es-419 es"}, {"pt", "pt"}, {"pt-BR", "pt-BR pt"}, {"pt-PT", "pt-PT pt"}, {"pt-AO", "pt-AO pt-PT pt"},
		{"nb", "no"}, {"nb-NO", "no-NO no"}, {"no-NO", "no-NO no"}, {"nn-NO", "nn-NO nn no"}, {"hi-Latn", "hi-Latn en-IN en-001 en"}, {"ht", "ht fr-HT fr"},
		{"sr", "sr"}, {"sr-Cyrl-RS", "sr-RS sr"}, {"sr-Latn", "sr-Latn"}, {"sr-Latn-RS", "sr-Latn-RS sr-Latn"}, {"sr-ME", "sr-Latn-ME sr-Latn"}, {"sr-Cyrl-ME", "sr-ME sr"}, {"sh", "sr-Latn"},
		{"uz-AF", "uz-Arab-AF uz-Arab"}, {"az-Cyrl", "az-Cyrl"}, {"pa-PK", "pa-Arab-PK pa-Arab"}, {"de-AT", "de-AT de"}, {"ru-Cyrl", "ru"},
		{"iw-IL", "he-IL he"}, {"in", "id"}, {"ji", "yi"}, {"tl-PH", "fil-PH fil"}, {"mo", "ro"}, {"cmn-Hans-CN", "zh-CN zh"},

		// However it is spelled.
		{"ZH_hk", "zh-Hant-HK zh-Hant"}, {"zh_hant_hk", "zh-Hant-HK zh-Hant"}, {"zh_CN.UTF-8", "zh-CN zh"}, {"de_DE@euro", "de-DE de"}, {"zh_HK_#Hans", "zh-HK zh"}, {"zh_TW_#Hant", "zh-Hant-TW zh-Hant"},
		{"zh-yue-HK", "yue-HK yue"}, {"zh-cmn-Hans", "zh"}, {"de-CH-1996", "de-CH de"}, {"ca-valencia", "ca"}, {"en-US-u-ca-gregory", "en-US en"}, {"en-u-rg-gbzzzz", "en"}, {"en-x-us", "en"}, {"zh-x-Hant", "zh"},
		{"xx-YY", "xx-YY xx"}, {"en_US.UTF-8", "en-US en"}, {"sr-Latn-RS.UTF-8@latin", "sr-Latn-RS sr-Latn"}, {"en-US-x-foo", "en-US en"}, {"en-US-" + strings.Repeat("variant-", 40) + "x", "en-US en"}, // 300 bytes

		// Malformed, or of subtags that there are not: what comes before, or without them.
		{"en-USA", "en"}, {"en-USA-x-GB", "en"}, {"zh-hak-TW", "zh-Hant-TW zh-Hant"}, {"zh-min-nan", "zh"}, {"ar-arb-EG", "ar-EG ar"}, {"en-US-USA", "en-US en"}, {"en-US-GB", "en-US en"},
		{"zh-Hant-Hans", "zh-Hant"}, {"zh-Hant--HK", "zh-Hant"}, {"en--GB", "en"}, {"en-", "en"}, {"en-U$-GB", "en"}, {"en US", "en"}, {"zh-TW,zh;q=0.9,en;q=0.8", "zh-Hant-TW zh-Hant"}, {"en-GB;q=0.9", "en-GB en-001 en"}, {"en-v*riant-GB", "en"},
		{"en-Abcd-US", "en-US en"}, {"de_DE_EURO", "de-DE de"}, {"en-internationalised-US", "en"}, {"no_NO_NY", "no-NO no"}, {"es-ES_tradnl", "es-ES es"}, {"en-" + strings.Repeat("x", 300), "en"}, {strings.Repeat("e", 300), ""},

		{"", ""}, {"-", ""}, {"_CN", ""}, {"C", ""}, {"C.UTF-8", ""}, {"POSIX", ""}, {"*", ""}, {"x-klingon", ""}, {"i-klingon", ""}, {"english", ""}, {"*-US", ""}, {"i-default", ""}, {"12", ""}, {"中文", ""}, {"e\x00", ""},
	} {
		if got := lineage(c.text); got != c.want {
			t.Errorf("%q is %q, want %q", c.text, got, c.want)
		}
	}
}

func TestParseTag(t *testing.T) {
	for _, c := range []struct{ tag, spelling string }{
		{"zh", "zh"}, {"ZH_hans", "zh-Hans"}, {"zh-hant-hk", "zh-Hant-HK"}, {"EN-gb", "en-GB"}, {"es-419", "es-419"}, {"nb", "nb"}, {"fil", "fil"}, {"sr-latn", "sr-Latn"}, {"en-150", "en-150"},
	} {
		if spelling, l, wrong := parseTag(c.tag); spelling != c.spelling || wrong != "" || l == (Locale{}) {
			t.Errorf("%q is %q, %v, %q, want %q", c.tag, spelling, l, wrong, c.spelling)
		}
	}
	for _, c := range []struct{ tag, wrong string }{
		{"", "language"}, {"-", "language"}, {"xx", "language"}, {"english", "language"}, {"e", "language"}, {"iw", "language"}, {"*", "language"}, {"und", "language"}, {"中文", "language"}, {" zh", "language"}, {"zh\x00", "language"},
		{"zh-Hanz", "script"}, {"zh-Han ", "script"}, {"zh-CNX", "region"}, {"en-UK", "region"}, {"en-XX", "region"}, {"en-999", "region"}, {"zh-A ", "region"},
		{"zh-", "at most"}, {"zh-Hans-", "at most"}, {"ca-valencia", "at most"}, {"zh-CN-Hans", "at most"}, {"zh-Hans-Hant", "at most"}, {"en-u-ca-gregory", "at most"}, {"en-US-x-a", "at most"}, {"zh-Hans-CN-CN", "at most"},
	} {
		if spelling, _, wrong := parseTag(c.tag); !strings.Contains(wrong, c.wrong) || spelling != c.tag {
			t.Errorf("%q is %q: %q, want %q", c.tag, spelling, wrong, c.wrong)
		}
	}
}

// Every language, script and region that is listed has the form of one, and stands once.
func TestLocaleData(t *testing.T) {
	seen := map[string]bool{}
	check := func(word, as string) {
		if tag := "en-" + as; as != "" {
			if _, _, wrong := parseTag(tag); wrong != "" {
				t.Errorf("%s: %s", tag, wrong)
			}
		} else if spelling, _, wrong := parseTag(word); wrong != "" || spelling != word {
			t.Errorf("%s is %s: %s", word, spelling, wrong)
		}
		if seen[word] {
			t.Errorf("%s stands twice", word)
		}
		seen[word] = true
	}
	for _, group := range languagesByScript {
		check(group.script, group.script)
		for _, language := range strings.Fields(group.languages) {
			check(language, "")
		}
	}
	for _, script := range strings.Fields(knownScripts) {
		delete(seen, script)
		check(script, script)
	}
	for _, region := range strings.Fields(knownRegions) {
		check(region, region)
	}
	for of, parent := range knownLocales().parents {
		if parent.canonical() != parent || of.canonical() != of {
			t.Errorf("%v, the parent of %v: not canonical", parent, of)
		}
	}
	if n := len(knownLocales().scripts); n < 300 {
		t.Errorf("%d languages, want 300 or more", n)
	}
}

// FuzzParseLocale holds the reading of what requests send against itself: whatever is
// read is the same in other letter case and with other separators, has few ancestors, and
// Chinese in the traditional script has none in the simplified one.
func FuzzParseLocale(f *testing.F) {
	for _, seed := range []string{"zh-Hant-HK", "zh_HK_#Hans", "zh_CN.UTF-8", "en-AT-u-ca-gregory", "sr-Latn", "iw", "es-419", "zh-cmn-Hans", "", "-_@.", "中文"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		l, ok := ParseLocale([]byte(text))
		if again, same := ParseLocale([]byte(strings.ReplaceAll(swapCase(text), "_", "-"))); again != l || same != ok {
			t.Fatalf("%q is %v, in other letter case %v", text, l, again)
		}
		if !ok {
			if l != (Locale{}) {
				t.Fatalf("%q is none, but %v", text, l)
			}
			return
		}
		traditional := strings.HasPrefix(l.String(), "zh-Hant")
		for n := 0; ok; n++ {
			if got := l.String(); traditional && !strings.HasPrefix(got, "zh-Hant") || n > 4 {
				t.Fatalf("%q has %v among its ancestors", text, l)
			}
			l, ok = l.Parent()
		}
	})
}

// swapCase changes the case of ASCII letters.
func swapCase(text string) string {
	b := []byte(text)
	for i, c := range b {
		if isLetter(c) {
			b[i] = c ^ lowerCase
		}
	}
	return string(b)
}
