package handler

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/popupd/popupd/frequency"
)

// What a user saw and did under the id of before logging in counts under the new one.
func TestPriorUID(t *testing.T) {
	for name, poll := range map[string]func(f *fixture, uid, prior string) bool{
		"GET": func(f *fixture, uid, prior string) bool { return f.asks(uid, "&prior_uid="+prior) != nil },
		"POST": func(f *fixture, uid, prior string) bool {
			return len(f.posts(fmt.Sprintf(`{"uid":%q,"prior_uid":%q}`, uid, prior)).Popups) == 1
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := newServer(t, nil, `"frequency":{"after_impression_sec":60,"max_impressions":2}`).start()
			f.sees("anonymous", "p1")
			if poll(f, "u", "anonymous") {
				t.Error("shown again during the wait of the old id")
			}
			f.clock.advance(time.Minute)
			if !poll(f, "u", "anonymous") {
				t.Error("not shown after the wait of the old id")
			}
			f.clock.advance(2 * time.Minute)
			if poll(f, "u", "anonymous") {
				t.Error("shown a third time, the limit is 2")
			}
			if !poll(f, "u", "somebody") || !poll(f, "v", "") {
				t.Error("not shown to who had no other id")
			}
			f.journaled("anonymous impression 1", "u impression 1", "u impression 1", "v impression 1")
		})
	}
}

// Nothing is written under the old id, not even when the journal refuses.
func TestPriorUIDWritesNothing(t *testing.T) {
	f := newServer(t, func(c *Config) { c.Users = frequency.New(frequency.Config{MinGap: time.Hour}) }, "").start()
	f.events.refuse(errFull)
	f.sees("u", "", "&prior_uid=anonymous")
	f.events.refuse(nil)
	shown := f.sees("u", "p1", "&prior_uid=anonymous")
	f.does("click", shown.Token)
	f.sees("anonymous", "p1")
	f.journaled("u impression 1", "u click 1", "anonymous impression 1")
	f.sees("v", "", "&prior_uid=anonymous") // the least gap counts, too
}

// The signature is that of uid: prior_uid shows nothing that uid may not see, and
// its own state is left alone.
func TestPriorUIDAndSignature(t *testing.T) {
	f := newServer(t, func(c *Config) { c.Identity, c.IdentitySecrets = IdentityEnforce, [][]byte{[]byte("id secret")} }, "").start()
	r := f.do("GET", "/v1/poll?uid=u&prior_uid=v&sig="+sign("id secret", "v"), "")
	if r.status != http.StatusUnauthorized || r.code() != "invalid_signature" {
		t.Errorf("signed for the prior id: %d %s", r.status, r.body)
	}
	signed := func(user string) string { return "&sig=" + sign("id secret", user) }
	f.sees("u", "p1", signed("u"), "&prior_uid=v")
	f.sees("u", "", signed("u"), "&prior_uid=w") // another prior id ends no wait
	f.sees("v", "p1", signed("v"))
	f.journaled("u impression 1", "v impression 1")
}
