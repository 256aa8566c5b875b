package web

import (
	"embed"
	"encoding/json"
	"fmt"
	"net/http"

	"golang.org/x/text/language"
)

//go:embed messages/*/shell.json
var messageFiles embed.FS

// languages of the console, the default first. LangCookie has the one that was chosen.
var languages = []string{"en", "zh"}

// LangCookie names the cookie with the language that the operator chose.
const LangCookie = "popupd_lang"

// catalogs are the messages that shells show, by language and key.
type catalogs struct {
	texts   map[string]map[string]string
	matcher language.Matcher
}

func readMessages() (catalogs, error) {
	c := catalogs{texts: map[string]map[string]string{}}
	var tags []language.Tag
	for _, lang := range languages {
		name := "messages/" + lang + "/shell.json"
		text, err := messageFiles.ReadFile(name)
		if err != nil {
			return c, err
		}
		texts := map[string]string{}
		if err := json.Unmarshal(text, &texts); err != nil {
			return c, fmt.Errorf("%s: %w", name, err)
		}
		c.texts[lang], tags = texts, append(tags, language.Make(lang))
	}
	c.matcher = language.NewMatcher(tags)
	return c, nil
}

// of returns the translator to the language that was chosen, or that the browser asks for.
func (c catalogs) of(r *http.Request) translator {
	chosen := ""
	if cookie, err := r.Cookie(LangCookie); err == nil {
		chosen = cookie.Value
	}
	_, i := language.MatchStrings(c.matcher, chosen, r.Header.Get("Accept-Language"))
	return translator{languages[i], c.texts[languages[i]]}
}

// translator gives texts in a language.
type translator struct {
	Lang  string
	texts map[string]string
}

// T returns a text of the shell. Templates name them, and a test looks for each.
func (t translator) T(key string) (string, error) {
	text, ok := t.texts[key]
	if !ok {
		return "", fmt.Errorf("no message %q in %s", key, t.Lang)
	}
	return text, nil
}

// Name is the language in its own words.
func (t translator) Name(lang string) string {
	return map[string]string{"en": "English", "zh": "中文"}[lang]
}

// Other is the language to switch to.
func (t translator) Other() string {
	if t.Lang == "en" {
		return "zh"
	}
	return "en"
}

// HTMLLang is the language as documents name it.
func (t translator) HTMLLang() string { return map[string]string{"en": "en", "zh": "zh-Hans"}[t.Lang] }
