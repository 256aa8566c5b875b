package api_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/popupd/popupd/internal/apitest"
	"github.com/popupd/popupd/popup"
)

// simulator answers every proposal alike.
type simulator struct {
	proposal popup.Proposal // the last one
	answer   popup.Simulation
	err      error
}

func (s *simulator) Simulate(_ context.Context, p popup.Proposal) (popup.Simulation, error) {
	s.proposal = p
	return s.answer, s.err
}

const simulatePath = "/v1/admin/simulate"

func TestSimulate(t *testing.T) {
	p := newPlane(t)
	p.simulator.answer = popup.Simulation{
		From: apitest.Noon, To: apitest.Noon, Users: 2, Polls: 9, AnsweredBefore: 3, AnsweredAfter: 4,
		Popups: []popup.SimulatedPopup{
			{Key: "new", WinsAfter: 4, Fit: &popup.Fit{Polls: 8, Users: 2}, Reach: &popup.Reach{Days: 7, Users: 2, Reached: 1, Share: 0.5, ShareLow: 0.1, ShareHigh: 0.9}},
			{Key: "old", WinsBefore: 3, Starved: true},
		},
	}
	var got popup.Simulation
	p.Want(200, "", "POST", simulatePath, `{"popups":[{"key":"new","priority":7},{"key":"old","status":"paused"}],"settings":{"min_gap_sec":60}}`).Decode(t, &got)
	if d := cmp.Diff(p.simulator.answer, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	asked := p.simulator.proposal
	if asked.Popups[0].Status != popup.Active || asked.Popups[0].Priority != 7 || asked.Popups[1].Status != popup.Paused ||
		asked.Settings.MinGapSec != 60 || asked.ReachDays != popup.DefaultReachDays {
		t.Errorf("proposed: %+v", asked)
	}
	if len(p.store.popups) != 0 || len(p.store.audit) != 0 {
		t.Error("a simulation changed the store")
	}

	p.Want(400, "malformed_json", "POST", simulatePath, `{"popups":`)
	p.Want(415, "unsupported_media_type", "POST", simulatePath, `{}`, "Content-Type", "text/plain")
	p.Want(413, "body_too_large", "POST", simulatePath, strings.Repeat(" ", 1<<20)+"{}")
	p.simulator.err = popup.ErrNoSample
	p.Want(409, "no_sample", "POST", simulatePath, `{}`)
	p.simulator.err = popup.ErrBusy
	if a := p.Want(503, "busy", "POST", simulatePath, `{}`); a.Header.Get("Retry-After") == "" {
		t.Error("503 without Retry-After")
	}
	p.SetReady(errors.New("restoring the users' state")) // who was reset is not known yet
	p.Want(503, "not_ready", "POST", simulatePath, `{}`)
}

// Whatever is wrong is named by its place in the proposal.
func TestBadProposals(t *testing.T) {
	p := newPlane(t)
	for body, want := range map[string][]string{
		`[]`:                   {""},
		`{"popup":[]}`:         {"/popup"},
		`{"popups":{}}`:        {"/popups"},
		`{"popups":[7]}`:       {"/popups/0"},
		`{"reach_days":-1}`:    {"/reach_days"},
		`{"reach_days":31}`:    {"/reach_days"},
		`{"reach_days":"7"}`:   {"/reach_days"},
		`{"settings":{"a":1}}`: {"/settings/a"},
		`{"settings":{"caps":[{"key":"a","max":0,"per_sec":1}]}}`:                                        {"/settings/caps/0/max"},
		`{"popups":[{"key":"a"},{"key":"B","priority":"x"},{"key":"a"}]}`:                                {"/popups/1/priority", "/popups/1/key", "/popups/2/key"},
		`{"popups":[{"key":"a"},{"key":"b","targeting":{"all":[{"attr":"plan","op":"no","value":1}]}}]}`: {"/popups/1/targeting/all/0/op"},
		`{"popups":[` + strings.Repeat(`{"key":"a"},`, popup.MaxProposed) + `{"key":"a"}]}`:              {"/popups"},
		`{"popups":[{"key":"a"}],"popups":[]}`:                                                           {"/popups"},
	} {
		var got struct{ Errors popup.FieldErrors }
		p.Want(422, "invalid_fields", "POST", simulatePath, body).Decode(t, &got)
		var at []string
		for _, e := range got.Errors {
			at = append(at, e.Pointer)
		}
		if d := cmp.Diff(want, at); d != "" {
			t.Errorf("%.80s (-want +got):\n%s", body, d)
		}
	}
}
