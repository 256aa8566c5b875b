package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
)

// Here is what a page asks of the data plane; the control plane is in main.go.

// report reports what the user did on the site.
func (p popupd) report(ctx context.Context) error {
	var event EventOrEvents
	if err := event.FromEvent(Event{Uid: user, Event: "purchase"}); err != nil {
		return err
	}
	for name, client := range map[string]*ClientWithResponses{"data": p.data, "admin": p.admin} {
		reported, err := client.ReportEventsWithResponse(ctx, nil, event)
		if err := want(http.StatusAccepted, "reportEvents, "+name, reported, err); err != nil {
			return err
		}
	}
	preflight, err := p.data.PreflightEventsWithResponse(ctx)
	return want(http.StatusNoContent, "preflightEvents", preflight, err)
}

// show polls as a user with the plan pro, and reports actions in every form.
func (p popupd) show(ctx context.Context) error {
	params := PollParams{Uid: user, Placement: new(key), Attributes: &Attributes{"a.plan": "pro", "a.note": "a b&c=d"}}
	poll, err := p.data.PollWithResponse(ctx, &params)
	if err := want(http.StatusOK, "poll", poll, err); err != nil {
		return err
	}
	served := poll.JSON200
	if served.Popup.Key != key || served.Popup.Content["title"] != "Hello" {
		return fmt.Errorf("poll: %+v", served.Popup)
	}
	again, err := p.data.PollWithResponse(ctx, &params)
	if err := want(http.StatusNoContent, "poll again", again, err); err != nil {
		return err
	}
	if err := p.showSeveral(ctx, served.Token); err != nil {
		return err
	}
	click := Action{Token: served.Token, Action: ActionActionClick}
	var one, many ActionOrActions
	if err := one.FromAction(click); err != nil {
		return err
	}
	if err := many.FromActions(Actions{{Token: served.Token, Action: ActionActionConvert}, {Token: "v1.forged", Action: ActionActionClick}}); err != nil {
		return err
	}
	for name, body := range map[string]ActionOrActions{"one": one, "many": many} {
		act, err := p.data.ActWithResponse(ctx, &ActParams{Uid: new(user)}, body)
		if err := want(http.StatusAccepted, "act "+name, act, err); err != nil {
			return err
		}
		if act.JSON202.Accepted != 1 {
			return fmt.Errorf("act %s: %+v", name, *act.JSON202)
		}
	}
	act, err := p.data.ActWithTextBodyWithResponse(ctx, nil, `{"token":"`+served.Token+`","action":"dismiss"}`)
	if err := want(http.StatusAccepted, "act in text/plain", act, err); err != nil {
		return err
	}
	act, err = p.data.ActWithFormdataBodyWithResponse(ctx, nil, Action{Token: served.Token, Action: ActionActionView, AgeMs: new(5)})
	if err := want(http.StatusAccepted, "act in a form", act, err); err != nil {
		return err
	}
	if err := p.report(ctx); err != nil {
		return err
	}
	preflight, err := p.data.PreflightPollWithResponse(ctx)
	if err := want(http.StatusNoContent, "preflightPoll", preflight, err); err != nil {
		return err
	}
	preflightActions, err := p.data.PreflightActionsWithResponse(ctx)
	return want(http.StatusNoContent, "preflightActions", preflightActions, err)
}

// showSeveral polls for several placements, as another user.
func (p popupd) showSeveral(ctx context.Context, showing string) error {
	var pro, three, none AttributeScalar
	if err := errors.Join(pro.FromAttributeScalar0("pro"), three.FromAttributeScalar1(3), none.UnmarshalJSON([]byte("null"))); err != nil {
		return err
	}
	var plan, logins, tags, referrer AttributeValue
	if err := errors.Join(plan.FromAttributeScalar(pro), logins.FromAttributeScalar(three), referrer.FromAttributeScalar(none),
		tags.FromAttributeValue1([]AttributeScalar{pro, three, none})); err != nil {
		return err
	}
	body := PollRequest{
		Uid: "another " + user, Placements: &[]string{"nowhere", key}, Showing: &[]string{showing},
		Tz: new("Asia/Shanghai"), Attributes: &map[string]AttributeValue{"plan": plan, "logins": logins, "tags": tags, "referrer": referrer},
	}
	posted, err := p.data.PollPlacementsWithResponse(ctx, nil, body)
	if err := want(http.StatusOK, "pollPlacements", posted, err); err != nil {
		return err
	}
	if got := posted.JSON200; len(got.Popups) != 1 || got.Popups[0].Popup.Placement != key || len(got.Withdraw) != 0 {
		return fmt.Errorf("pollPlacements: %+v", got)
	}
	return nil
}
