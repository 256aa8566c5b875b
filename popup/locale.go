package popup

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
)

// Locale is a language with its script and region, in a form in which tags that mean the
// same are equal: zh-CN and zh_hans_cn, he and iw. The zero value is none.
type Locale struct {
	language languageCode
	script   scriptCode // zero: the one that the language is written in by default
	region   regionCode // zero: none
}

type (
	languageCode [3]byte // zh, yue
	scriptCode   [4]byte // Hant
	regionCode   [3]byte // HK, 419
)

// ParseLocale returns the locale that a request names, however it is spelled: zh-Hant-HK,
// zh_hk, zh_HK.UTF-8 and zh_HK_#Hant are the same. Variants and extensions are left out.
// Of a malformed tag it reads what comes before the mistake: en-US-USA is en-US. It reports
// false if that has no language. It does not allocate.
func ParseLocale(text []byte) (l Locale, ok bool) {
	subtag, text, more := cutSubtag(text)
	if len(subtag) < 2 || len(subtag) > 3 || !isAll(subtag, isLetter) {
		return Locale{}, false
	}
	toLower(l.language[:], subtag)
	for more {
		if subtag, text, more = cutSubtag(text); !l.add(subtag) {
			break
		}
	}
	return l.canonical(), true
}

// cutSubtag returns the text before the first separator and what follows it. A dot or an @
// ends the tag, as in the locales of POSIX, and what ends one in Accept-Language, too.
func cutSubtag(text []byte) (subtag, rest []byte, more bool) {
	for i, c := range text {
		switch c {
		case '-', '_':
			return text[:i], text[i+1:], true
		case '.', '@', ',', ';', ' ':
			return text[:i], nil, false
		}
	}
	return text, nil, false
}

// add takes a subtag after the language by its form (RFC 5646, 2.1). It reports false where
// the locale ends: at an extension, and at what is no subtag or has been there before.
func (l *Locale) add(subtag []byte) bool {
	if len(subtag) == 5 && subtag[0] == '#' {
		subtag = subtag[1:] // so Java writes a script, after the region
	}
	noScript, noRegion := l.script == scriptCode{}, l.region == regionCode{}
	switch n := len(subtag); {
	case n == 2 && noRegion && isAll(subtag, isLetter), n == 3 && noRegion && isAll(subtag, isDigit):
		toUpper(l.region[:], subtag)
	case n == 4 && noScript && isAll(subtag, isLetter):
		toLower(l.script[:], subtag)
		toUpper(l.script[:], subtag[:1])
	case n == 3 && noScript && noRegion && isAll(subtag, isLetter):
		// An extended language, as zh-cmn, is read like what it extends. So is en-USA.
		if l.language == chinese && bytes.EqualFold(subtag, cantonese[:]) {
			l.language = cantonese
		}
	default:
		return (n == 4 && isDigit(subtag[0]) || n >= 5 && n <= 8) && isAll(subtag, isAlphanumeric) // a variant
	}
	return true
}

var (
	chinese   = languageCode{'z', 'h'}
	cantonese = languageCode{'y', 'u', 'e'}
)

func isAll(text []byte, is func(c byte) bool) bool {
	for _, c := range text {
		if !is(c) {
			return false
		}
	}
	return true
}

const lowerCase = 'a' - 'A' // the bit of a letter that says so

func isLetter(c byte) bool { return 'a' <= c|lowerCase && c|lowerCase <= 'z' }

func isAlphanumeric(c byte) bool { return isLetter(c) || isDigit(c) }

// toLower copies letters.
func toLower(dst, from []byte) {
	for i, c := range from {
		dst[i] = c | lowerCase
	}
}

// toUpper copies letters and digits.
func toUpper(dst, from []byte) {
	for i, c := range from {
		if isLetter(c) {
			c &^= lowerCase
		}
		dst[i] = c
	}
}

// canonical replaces other names of the language and region, adds the script where the
// region implies another one than the default, and leaves out the default and scripts that
// there are not.
func (l Locale) canonical() Locale {
	known := knownLocales()
	if l.script != (scriptCode{}) && !known.isScript[l.script] {
		l.script = scriptCode{}
	}
	if l.region == (regionCode{'U', 'K'}) {
		l.region = regionCode{'G', 'B'}
	}
	if to, ok := known.aliases[l.language]; ok {
		l.language = to.language
		if l.script == (scriptCode{}) {
			l.script = to.script
		}
	}
	switch l.script {
	case scriptCode{}:
		l.script = known.regionScripts[l]
	case known.scripts[l.language]:
		l.script = scriptCode{}
	}
	return l
}

// Parent returns the locale whose text is used where there is none for l, as CLDR has it:
// without its region, or what the languages of several regions have in common, such as
// es-419. It reports false if there is none: what is written in another script than the
// default has no parent in that. It does not allocate.
func (l Locale) Parent() (parent Locale, ok bool) {
	if parent, ok = knownLocales().parents[l]; ok {
		return parent, true
	}
	if l.region == (regionCode{}) {
		return Locale{}, false
	}
	l.region = regionCode{}
	return l, true
}

// parseTag reads the tag of a translation: a language, then a script and a region if they
// are needed, all of them known. It returns the usual spelling and the locale, or what is
// wrong with the tag.
func parseTag(tag string) (spelling string, l Locale, wrong string) {
	subtags := strings.Split(strings.ReplaceAll(tag, "_", "-"), "-")
	language := strings.ToLower(subtags[0])
	known, text := knownLocales(), []string{language}
	var code languageCode
	if copy(code[:], language); len(language) > len(code) || !isAll([]byte(language), isLetter) || known.scripts[code] == (scriptCode{}) {
		return tag, l, fmt.Sprintf("%q is not a known language, such as zh", subtags[0])
	}
	subtags = subtags[1:]
	if len(subtags) > 0 && len(subtags[0]) == len(l.script) {
		script := strings.ToUpper(subtags[0][:1]) + strings.ToLower(subtags[0][1:])
		if !isListed(knownScripts, script) {
			return tag, l, fmt.Sprintf("%q is not a known script, such as Hant", subtags[0])
		}
		text, subtags = append(text, script), subtags[1:]
	}
	if len(subtags) > 0 && (len(subtags[0]) == 2 || len(subtags[0]) == 3) {
		region := strings.ToUpper(subtags[0])
		if !isListed(knownRegions, region) {
			return tag, l, fmt.Sprintf("%q is not a known region, such as HK or 419", subtags[0])
		}
		text, subtags = append(text, region), subtags[1:]
	}
	if len(subtags) > 0 {
		return tag, l, "must be a language with its script and region at most, such as zh-Hant-HK"
	}
	spelling = strings.Join(text, "-")
	l, _ = ParseLocale([]byte(spelling))
	return spelling, l, ""
}

// isListed reports whether a list, of words after spaces, has the word.
func isListed(list, word string) bool {
	return strings.Contains(" "+list+" ", " "+word+" ") && !strings.Contains(word, " ")
}

// localeData is what CLDR knows, by code.
type localeData struct {
	isScript      map[scriptCode]bool
	scripts       map[languageCode]scriptCode // that a language is written in by default
	regionScripts map[Locale]scriptCode       // of a language in a region, where it is another one
	aliases       map[languageCode]Locale
	parents       map[Locale]Locale // where it is not the locale without its region
}

var knownLocales = sync.OnceValue(func() *localeData {
	d := &localeData{
		isScript: map[scriptCode]bool{}, scripts: map[languageCode]scriptCode{}, regionScripts: map[Locale]scriptCode{}, aliases: map[languageCode]Locale{}, parents: map[Locale]Locale{},
	}
	for script := range strings.FieldsSeq(knownScripts) {
		d.isScript[cldrLocale("und-"+script).script] = true
	}
	for _, group := range languagesByScript {
		for language := range strings.FieldsSeq(group.languages) {
			d.scripts[cldrLocale(language).language] = cldrLocale("und-" + group.script).script
		}
	}
	for _, group := range scriptsByRegion {
		for region := range strings.FieldsSeq(group.regions) {
			d.regionScripts[cldrLocale(group.language+"-"+region)] = cldrLocale("und-" + group.script).script
		}
	}
	for _, a := range languageAliases {
		d.aliases[cldrLocale(a.alias).language] = cldrLocale(a.language)
	}
	for _, group := range parentsOfRegions {
		for region := range strings.FieldsSeq(group.regions) {
			d.parents[cldrLocale(group.language+"-"+region)] = cldrLocale(group.parent)
		}
	}
	for _, p := range parentsOfLanguages {
		d.parents[cldrLocale(p.language)] = cldrLocale(p.parent)
	}
	return d
})

// cldrLocale returns the locale of a tag of the lists, which are canonical.
func cldrLocale(tag string) (l Locale) {
	language, rest, _ := strings.Cut(tag, "-")
	copy(l.language[:], language)
	for subtag := range strings.SplitSeq(rest, "-") {
		l.add([]byte(subtag))
	}
	return l
}
