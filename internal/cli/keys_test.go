package cli

import (
	"strings"
	"testing"
)

func TestShortKeys(t *testing.T) {
	const long = "0123456789abcdef"
	for _, c := range []struct{ secret, identity, admin, want string }{
		{"", "", "", ""},
		{long, long + "," + long, long, ""},
		{long + ",0123456789abcde", "", "", "-secret"},
		{long, "x", "", "-identity-secret"},
		{"x", "x", "x", "-secret -identity-secret -admin-token"},
	} {
		given := Serve{Secret: c.secret, IdentitySecret: c.identity, AdminToken: c.admin}
		if got := strings.Join(given.ShortKeys(), " "); got != c.want {
			t.Errorf("%+v: short are %q, want %q", c, got, c.want)
		}
	}
}
