package explain

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/popupd/popupd/internal/cli"
	"github.com/popupd/popupd/popup"
)

// answering runs the command against a server that answers like this, and returns what it
// prints and what the server was asked.
func answering(t *testing.T, status int, answer string, c cli.Explain) (printed string, asked map[string]any, err error) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != "POST" || r.URL.String() != "/v1/admin/explain?limit=50" || r.Header.Get("Authorization") != "Bearer secret" {
			t.Errorf("asked %s %s", r.Method, r.URL)
		}
		body, _ := io.ReadAll(r.Body)
		if err := json.Unmarshal(body, &asked); err != nil {
			t.Error(err)
		}
		w.WriteHeader(status)
		io.WriteString(w, answer)
	}))
	defer server.Close()
	c.Server, c.Token, c.Limit = server.URL, "secret", 50
	var b strings.Builder
	err = Run(c, &b)
	return b.String(), asked, err
}

// explanation is an answer as servers give it.
func explanation(t *testing.T) string {
	t.Helper()
	at := time.Date(2026, 12, 24, 18, 0, 0, 0, time.UTC)
	later, cursor := at.Add(time.Hour), "more"
	because := popup.Because
	e := popup.Explanation{
		Revision: 7, At: at, NextPollSec: 60, Reason: because(popup.CooldownDismiss), NextCursor: &cursor,
		Candidates: []popup.Candidate{
			{Key: "spring-sale", PopupID: 1, Version: 3, Priority: 5, BlockedBy: because(popup.CooldownDismiss), EligibleAt: &later,
				State: &popup.StateReport{Impressions: 2, Acted: []string{"dismiss"}, LastAction: "dismiss", LastActionAt: &at},
				Gates: []popup.Gate{
					{Gate: popup.StatusGate, Open: true, Wanted: "active", Actual: "active"},
					{Gate: popup.TargetingGate, Open: true, Wanted: "all of 1, none of 1", Actual: "as wanted", Conditions: []popup.ExplainedCondition{
						{Pointer: "/targeting/all/0", Condition: popup.Condition{Attr: "plan", Op: popup.Eq, Value: "pro", IgnoreCase: true}, Actual: "Pro", Holds: true, Passes: true},
						{Pointer: "/targeting/none/0", Condition: popup.Condition{Attr: "age", Op: popup.Lt, Value: 18}, Actual: "young", Note: "is no number", Passes: true}}},
					{Gate: popup.CooldownGate, Reason: because(popup.CooldownDismiss), Wanted: "no wait", Actual: "waits until then", OpensAt: &later},
				}},
			{Key: "b", PopupID: 2, Version: 1, BlockedBy: because(popup.WrongPlacement),
				Gates: []popup.Gate{{Gate: popup.PlacementGate, Reason: because(popup.WrongPlacement), Wanted: "top", Actual: "ho\x1bme"}}},
		},
	}
	b, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestTable(t *testing.T) {
	printed, asked, err := answering(t, 200, explanation(t), cli.Explain{
		UID: "u", PriorUID: "before", Trigger: "exit", Zone: "Asia/Tokyo", At: "2026-12-24T18:00:00Z", Placements: []string{"home"},
		Attrs: []cli.Attr{{Name: "plan", Value: "pro"}, {Name: "platform", Value: "ios"}, {Name: "tag", Value: "a"}, {Name: "tag", Value: "b"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := `User u in home at 2026-12-24T18:00:00Z, popups of revision 7
Nothing is returned: the best candidate is stopped by cooldown_dismiss
Next poll in 60 s

POPUP        WHY NOT           POSSIBLE FROM         SEEN  BECAUSE
spring-sale  cooldown_dismiss  2026-12-24T19:00:00Z  2     waits until then
b            placement         never                 -     ho` + "\ufffd" + `me, wanted: top

There are more popups: -limit shows up to 500, -popup KEY a certain one.
`
	if d := cmp.Diff(want, printed); d != "" {
		t.Errorf("table (-want +got):\n%s", d)
	}
	poll := map[string]any{
		"uid": "u", "prior_uid": "before", "trigger": "exit", "tz": "Asia/Tokyo", "at": "2026-12-24T18:00:00Z", "placements": []any{"home"}, "platform": "ios",
		"attributes": map[string]any{"plan": []any{"pro"}, "tag": []any{"a", "b"}},
	}
	if d := cmp.Diff(poll, asked); d != "" {
		t.Errorf("the poll (-want +got):\n%s", d)
	}
}

func TestGatesOfOnePopup(t *testing.T) {
	printed, _, err := answering(t, 200, explanation(t), cli.Explain{UID: "u", Popup: "spring-sale"})
	if err != nil {
		t.Fatal(err)
	}
	want := `spring-sale (version 3, priority 5) is stopped by cooldown_dismiss: waits until then
Possible from: 2026-12-24T19:00:00Z
Known of the user: 2 impressions, last dismiss at 2026-12-24T18:00:00Z, with the latest impression dismiss

GATE           NOW                                 WANTED
status     ok  active                              active
targeting  ok  as wanted                           all of 1, none of 1
  all/0    ok  plan is "Pro"                       eq "pro", in any letter case
  none/0   ok  age is "young", which is no number  not lt 18
cooldown   NO  waits until then                    no wait
`
	if !strings.Contains(printed, want) {
		t.Errorf("%s\nwant in it\n%s", printed, want)
	}
}

func TestJSON(t *testing.T) {
	printed, _, err := answering(t, 200, explanation(t)+"\n", cli.Explain{UID: "u", JSON: true})
	if err != nil || printed != explanation(t)+"\n" {
		t.Errorf("%s: %v", printed, err)
	}
}

func TestRefusals(t *testing.T) {
	for _, c := range []struct {
		status  int
		answer  string
		want    string
		isUsage bool
	}{
		{401, `{"title":"Unauthorized","detail":"A token is needed."}`, "does not take this token", false},
		{404, `{"code":"popup_not_found","detail":"There is no popup with this key."}`, "404: There is no popup with this key.", false},
		{404, `{"code":"not_found","detail":"There is nothing at this path."}`, "404 Not Found: is it the control plane", false},
		{422, `{"errors":[{"pointer":"/tz","detail":"must be a zone"},{"pointer":"/uid","detail":"must be short"}]}`, "tz must be a zone; uid must be short", true},
		{503, `{"title":"Not ready"}`, "503: Not ready", false},
		{502, `<html>`, "502 Bad Gateway", false},
		{200, `<html>`, "does not answer as popupd does", false},
	} {
		printed, _, err := answering(t, c.status, c.answer, cli.Explain{UID: "u"})
		if err == nil || printed != "" || !strings.Contains(err.Error(), c.want) || errors.Is(err, cli.ErrUsage) != c.isUsage {
			t.Errorf("%d %s: %q, %v", c.status, c.answer, printed, err)
		}
	}
	server := httptest.NewServer(nil)
	server.Close()
	if err := Run(cli.Explain{UID: "u", Server: server.URL, Token: "secret", Limit: 1}, io.Discard); err == nil || !strings.Contains(err.Error(), "no answer from "+server.URL) {
		t.Errorf("a server that is away: %v", err)
	}
}
