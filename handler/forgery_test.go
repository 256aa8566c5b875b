package handler

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// A forged token is refused before anything of it is looked at, and leaves no
// trace: nothing is recorded, and the user's waits are as before.
func TestForgedTokens(t *testing.T) {
	f := newServer(t, nil, `"frequency":{"after_impression_sec":0}`).start()
	good := f.sees("u", "p1").Token
	f.events.take()
	raw, err := base64.RawURLEncoding.DecodeString(good[3:])
	if err != nil {
		t.Fatal(err)
	}
	encode := func(b []byte) string { return "v1." + base64.RawURLEncoding.EncodeToString(b) }
	forged := map[string]string{
		"other version": "v2." + good[3:],
		"old prefix":    good[3:],
		"empty":         "",
		"key id alone":  encode(raw[:keyIDSize]),
		"no MAC":        encode(raw[:len(raw)-tokenMAC]),
		"MAC of zeroes": encode(append(raw[:len(raw)-tokenMAC:len(raw)-tokenMAC], make([]byte, tokenMAC)...)),
		"MAC twice":     encode(append(raw[:len(raw):len(raw)], raw[len(raw)-tokenMAC:]...)),
	}
	for i := range raw {
		b := []byte(string(raw))
		b[i] ^= 0x80
		forged[fmt.Sprint("byte ", i)] = encode(b)
		forged[fmt.Sprint("cut at ", i)] = encode(raw[:i])
	}
	sample := token{user: []byte("u"), popup: 1, version: 1, variant: []byte("a"), servedAtMS: startMS}
	foreign := mustKeyring(t, "foreign")
	forged["foreign key"] = string(foreign.append(nil, &sample))
	foreign.keys[0].id = mustKeyring(t, "secret").keys[0].id
	forged["foreign key under the id of ours"] = string(foreign.append(nil, &sample))
	ours := mustKeyring(t, "secret")
	ours.keys[0].id = mustKeyring(t, "foreign").keys[0].id
	forged["our key under another id"] = string(ours.append(nil, &sample))

	for what, text := range forged {
		if r := f.act("click", text); r.status != http.StatusUnauthorized || r.code() != "invalid_token" {
			t.Errorf("%s: %d %s, want 401 invalid_token", what, r.status, r.body)
		}
	}
	f.journaled()
	f.counts(float64(len(forged)), "popupd_actions_total", "action", "click", "result", "forged")
	f.clock.advance(time.Second)
	f.sees("u", "p1") // a click would have hidden it for 30 days

	if got := string(mustKeyring(t, "secret").append(nil, &sample)); f.act("click", got).status != http.StatusAccepted {
		t.Error("what the test signs itself is refused: the cases above show nothing")
	}
}

// However often and however a token is used again, it is journaled, since the database
// decides what counts, and this server takes all but one action for repeats.
func TestReplay(t *testing.T) {
	f := newServer(t, nil, "").start()
	shown := f.sees("u", "p1")
	f.journaled("u impression 1")
	item := fmt.Sprintf(`{"token":%q,"action":"click"}`, shown.Token)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 20 {
				if r := f.act("click", shown.Token); r.status != http.StatusAccepted {
					t.Errorf("%d %s, want 202", r.status, r.body)
				}
			}
			body := "[" + item + strings.Repeat(","+item, maxActions-1) + "]"
			if r := f.do("POST", "/v1/actions", body, "Content-Type", "text/plain"); r.status != http.StatusAccepted || r.body != `{"accepted":50,"rejected":[]}` {
				t.Errorf("%d %s, want all taken", r.status, r.body)
			}
		})
	}
	wg.Wait()
	const sent = 8 * (20 + maxActions)
	f.journaled(slices.Repeat([]string{"u click 1"}, sent)...)
	f.counts(1, "popupd_actions_total", "action", "click", "result", "counted")
	f.counts(sent-1, "popupd_actions_total", "action", "click", "result", "repeated")
	// Another action is another one.
	f.does("convert", shown.Token)
	f.does("convert", shown.Token)
	f.journaled("u convert 1", "u convert 1")
	f.counts(1, "popupd_actions_total", "action", "convert", "result", "counted")
}

// A token speaks for the user it was made for, whoever sends it and whatever
// the query says: uid there is for load balancers.
func TestTokenOfAnotherUser(t *testing.T) {
	f := newServer(t, nil, "").start()
	shown := f.sees("victim", "p1")
	f.sees("attacker", "p1")
	f.events.take()
	body := fmt.Sprintf(`{"token":%q,"action":"click","uid":"attacker","user":"attacker"}`, shown.Token)
	if r := f.do("POST", "/v1/actions?uid=attacker", body, "Content-Type", "text/plain"); r.status != http.StatusAccepted {
		t.Fatalf("%d %s", r.status, r.body)
	}
	f.journaled("victim click 1")
}
