package cli

import (
	"slices"
	"strings"
)

// Keys returns the keys of a flag that takes a key, or new,old while rotating;
// none if the flag is empty.
func Keys(list string) (keys [][]byte) {
	if list == "" {
		return nil
	}
	for key := range strings.SplitSeq(list, ",") {
		keys = append(keys, []byte(strings.TrimSpace(key)))
	}
	return keys
}

func hasEmpty(keys [][]byte) bool {
	return slices.ContainsFunc(keys, func(k []byte) bool { return len(k) == 0 })
}

// shortKey is the length in bytes below which a key could be found by trying:
// that of -secret with a single token, and nobody would notice.
const shortKey = 16

// ShortKeys returns the flags whose keys are too short to be safe.
func (c *Serve) ShortKeys() (flags []string) {
	isShort := func(k []byte) bool { return len(k) < shortKey }
	for _, f := range []struct{ name, value string }{{"-secret", c.Secret}, {"-identity-secret", c.IdentitySecret}} {
		if slices.ContainsFunc(Keys(f.value), isShort) {
			flags = append(flags, f.name)
		}
	}
	if c.AdminToken != "" && len(c.AdminToken) < shortKey {
		flags = append(flags, "-admin-token")
	}
	return flags
}
