package api

import (
	"net/http"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/popupd/popupd/console"
)

const (
	defaultActor  = "admin"
	maxActorBytes = 64
)

// actor is who the audit trail names: the name of the token, or of whom single sign-on has let in,
// which nothing in the request changes. Of -admin-token it is what X-Popupd-Actor says, without control characters and cut
// to 64 bytes, else "admin": whoever holds that one may write any name there, so it says who
// it was among trusted people, not whom to trust.
func actor(r *http.Request) string {
	if token := console.CallerOf(r).Token; token != "" {
		return token
	}
	name := strings.Map(func(c rune) rune {
		if c == utf8.RuneError || !unicode.IsPrint(c) {
			return -1
		}
		return c
	}, r.Header.Get("X-Popupd-Actor"))
	for len(name) > maxActorBytes {
		_, n := utf8.DecodeLastRuneInString(name)
		name = name[:len(name)-n]
	}
	if name = strings.TrimSpace(name); name == "" {
		return defaultActor
	}
	return name
}
