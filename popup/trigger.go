package popup

import (
	"strconv"
	"strings"
)

// DefaultTrigger is what a popup waits for, and what has happened when a page asks, if
// they do not say: the page was loaded.
const DefaultTrigger = "load"

// ValidTrigger reports whether a popup may wait for it: load, exit (the user is about to
// leave the page), scroll:PERCENT (1 to 100), delay:SECONDS (1 to 3600) or event:NAME,
// which the page itself raises. Numbers are written without leading zeros: a request
// names a trigger as the popup does, byte by byte.
func ValidTrigger(s string) bool {
	kind, arg, has := strings.Cut(s, ":")
	switch kind {
	case DefaultTrigger, "exit":
		return !has
	case "scroll":
		return isCount(arg, maxScroll)
	case "delay":
		return isCount(arg, maxDelay)
	case "event":
		return ValidEventName(arg)
	}
	return false
}

func isCount(s string, most int) bool {
	n, err := strconv.Atoi(s)
	return err == nil && 1 <= n && n <= most && strconv.Itoa(n) == s
}

// ValidEventName reports whether s names something that a user does on a page: 1 to 64
// of a-z, 0-9, _, . and -, the first a letter or a digit.
func ValidEventName[T string | []byte](s T) bool { return isName(s, MaxEventName, "_.-") }
