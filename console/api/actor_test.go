package api_test

import (
	"strings"
	"testing"
)

func TestActor(t *testing.T) {
	p := newPlane(t)
	for _, c := range []struct{ name, sent, want string }{
		{"absent", "", "admin"},
		{"given", "maria", "maria"},
		{"spaces around", "  maria lee ", "maria lee"},
		{"another script", "李雷", "李雷"},
		{"only spaces", "   ", "admin"},
		{"tab inside", "a\tb", "ab"},
		{"line separator", "a\u2028b", "ab"},
		{"not UTF-8", "a\xffb", "ab"},
		{"long", strings.Repeat("x", 100), strings.Repeat("x", 64)},
		{"long, cut between characters", strings.Repeat("é", 100), strings.Repeat("é", 32)},
		{"long, cut at a space", strings.Repeat("x", 63) + " y", strings.Repeat("x", 63)},
	} {
		t.Run(c.name, func(t *testing.T) {
			p.Want(202, "", "DELETE", "/v1/admin/users/u", "", "X-Popupd-Actor", c.sent)
			if got := p.store.audit[len(p.store.audit)-1].Actor; got != c.want {
				t.Errorf("actor %q, want %q", got, c.want)
			}
		})
	}
}
