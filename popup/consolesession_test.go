package popup

import (
	"strings"
	"testing"
	"time"
)

func TestNewSessionSecret(t *testing.T) {
	seen := map[string]bool{}
	for range 100 {
		secret, id := NewSessionSecret()
		got, ok := SessionID(secret)
		if !ok || got != id || len(secret) != 16+1+64 || seen[id] || seen[secret] {
			t.Fatalf("secret %q, id %q; its id is read as %q, %v", secret, id, got, ok)
		}
		seen[id], seen[secret] = true, true
		for _, no := range []string{"", id, secret + "0", secret[:80], strings.ToUpper(secret) + "A", " " + secret, secret + "\n", "popupd_" + secret} {
			if _, ok := SessionID(no); ok {
				t.Errorf("%q is taken for a secret", no)
			}
		}
	}
}

func TestSessionBond(t *testing.T) {
	if a, b := SessionBond("ab", "c"), SessionBond("a", "bc"); a == b || len(a) != 16 {
		t.Errorf("bonds of other parts: %s and %s", a, b)
	}
	if a, again := SessionBond("ab", "c"), SessionBond([]string{"ab", "c"}...); a != again {
		t.Errorf("the same parts have two bonds, %s and %s", a, again)
	}
}

func TestSessionOver(t *testing.T) {
	const begun = int64(1_720_005_600_000)
	for _, c := range []struct {
		name       string
		seen, ends time.Duration // after it began
		at         time.Duration
		want       bool
	}{
		{"at once", 0, SessionLife, 0, false},
		{"just in time", 0, SessionLife, SessionIdle - time.Millisecond, false},
		{"idle", 0, SessionLife, SessionIdle, true},
		{"used", time.Hour, SessionLife, SessionIdle, false},
		{"used to its end", SessionLife - 1, SessionLife, SessionLife - time.Millisecond, false},
		{"after its end", SessionLife - 1, SessionLife, SessionLife, true},
		{"logged out", 0, time.Minute, time.Minute, true},
		{"another server's clock is behind", 0, SessionLife, -5 * time.Minute, false},
		{"the clock was set back", 0, SessionLife, -5*time.Minute - time.Millisecond, true},
		{"used while the clock was ahead", 3 * time.Hour, SessionLife, time.Hour, true},
	} {
		s := ConsoleSession{CreatedMS: begun, SeenMS: begun + c.seen.Milliseconds(), EndsMS: begun + c.ends.Milliseconds()}
		if got := s.Over(begun + c.at.Milliseconds()); got != c.want {
			t.Errorf("%s: over %v, want %v", c.name, got, c.want)
		}
	}
}
