package popup

import (
	"strings"
	"testing"
)

func TestRoleCovers(t *testing.T) {
	roles := Roles()
	for has, r := range roles {
		for needs, needed := range roles {
			if got, want := r.Covers(needed), has >= needs; got != want {
				t.Errorf("%s covers %s: %v, want %v", r, needed, got, want)
			}
		}
		for _, no := range []Role{"", "root", "Admin"} {
			if r.Covers(no) || no.Covers(r) || no.Covers(no) || no.Valid() {
				t.Errorf("%q is taken for a role", no)
			}
		}
	}
}

func TestNewAdminTokenSecret(t *testing.T) {
	seen := map[string]bool{}
	for range 100 {
		token, id := NewAdminTokenSecret()
		got, ok := AdminTokenID(token)
		if !ok || got != id || len(token) != len("popupd__")+16+64 || seen[id] || seen[token] {
			t.Fatalf("token %q, id %q; its id is read as %q, %v", token, id, got, ok)
		}
		seen[id], seen[token] = true, true
	}
}

func TestAdminTokenID(t *testing.T) {
	id, secret := strings.Repeat("0a", 8), strings.Repeat("f", 64)
	token := "popupd_" + id + "_" + secret
	if got, ok := AdminTokenID(token); !ok || got != id {
		t.Errorf("%q, %v; want %q", got, ok, id)
	}
	for _, bad := range []string{"", "popupd_", token[1:], token + "0", token[:len(token)-1], " " + token, token + "\n", strings.ToUpper(token), "popupd_" + id + secret, "popupd__" + secret} {
		if got, ok := AdminTokenID(bad); ok {
			t.Errorf("%q is taken for a token with the id %q", bad, got)
		}
	}
}

func TestValidAdminTokenName(t *testing.T) {
	for name, want := range map[string]bool{
		"ci": true, "0": true, "git-hub_actions.2": true, "admin2": true, strings.Repeat("a", 64): true,
		"": false, "admin": false, "-a": false, ".": false, "_a": false, "CI": false, "a b": false, "ä": false, "a\n": false, strings.Repeat("a", 65): false,
	} {
		if got := ValidAdminTokenName(name); got != want {
			t.Errorf("%q: %v, want %v", name, got, want)
		}
	}
}
