// The program calls every operation of popupd with the client that oapi-codegen
// makes of openapi.yaml. Of an answer that it does not expect it says which.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"net/http"
	"strings"
)

//go:generate go tool oapi-codegen -generate types,client -package main -o popupd.gen.go ../../openapi.yaml

const key, user, actor = "oapi-codegen", "user of oapi-codegen", "oapi-codegen"

// popupd is a client for each plane.
type popupd struct{ data, admin *ClientWithResponses }

func main() {
	data := flag.String("data", "http://127.0.0.1:8080", "URL of the data plane")
	admin := flag.String("admin", "http://127.0.0.1:8081", "URL of the control plane")
	token := flag.String("token", "", "bearer token of the control plane")
	flag.Parse()
	var p popupd
	var err error
	if p.data, err = NewClientWithResponses(*data); err != nil {
		log.Fatal(err)
	}
	bearer := WithRequestEditorFn(func(_ context.Context, r *http.Request) error {
		r.Header.Set("Authorization", "Bearer "+*token)
		return nil
	})
	if p.admin, err = NewClientWithResponses(*admin, bearer); err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	for _, step := range []func(context.Context) error{p.configure, p.audience, p.importFiles, p.write, p.show, p.preview, p.explain, p.try, p.forget, p.change, p.read, p.name, p.operate} {
		if err := step(ctx); err != nil {
			log.Fatal(err)
		}
	}
}

// answer is what every generated answer has.
type answer interface {
	StatusCode() int
	GetBody() []byte
}

// want returns an error unless an operation was answered with this status.
func want(status int, operation string, a answer, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", operation, err)
	}
	if a.StatusCode() != status {
		return fmt.Errorf("%s: %d, want %d: %s", operation, a.StatusCode(), status, a.GetBody())
	}
	return nil
}

// configure limits what each user is shown of all popups together.
func (p popupd) configure(ctx context.Context) error {
	read, err := p.admin.GetSettingsWithResponse(ctx)
	if err := want(http.StatusOK, "getSettings", read, err); err != nil {
		return err
	}
	etag := &ReplaceSettingsParams{IfMatch: read.HTTPResponse.Header.Get("ETag")}
	settings := SettingsInput{Caps: &[]CapInput{{Key: "daily", Max: 20, PerSec: 86400}}}
	changed, err := p.admin.ReplaceSettingsWithResponse(ctx, etag, settings)
	if err := want(http.StatusOK, "replaceSettings", changed, err); err != nil {
		return err
	}
	if got := *changed.JSON200; len(got.Caps) != 1 || got.Holdout.Percent != 0 {
		return fmt.Errorf("replaceSettings: %+v", got)
	}
	stale, err := p.admin.ReplaceSettingsWithResponse(ctx, etag, settings)
	return want(http.StatusPreconditionFailed, "replaceSettings of an old version", stale, err)
}

// audience uploads a list of users, reads it back and deletes it.
func (p popupd) audience(ctx context.Context) error {
	list := strings.NewReader("u-1\nu-2\nu-1\n")
	created, err := p.admin.ReplaceAudienceWithBodyWithResponse(ctx, "vip", nil, "text/plain", list)
	if err := want(http.StatusCreated, "replaceAudience", created, err); err != nil {
		return err
	}
	if got := created.JSON201; got.Members != 2 || got.Duplicates != 1 {
		return fmt.Errorf("replaceAudience: %+v", got)
	}
	all, err := p.admin.ListAudiencesWithResponse(ctx)
	if err := want(http.StatusOK, "listAudiences", all, err); err != nil {
		return err
	}
	one, err := p.admin.GetAudienceWithResponse(ctx, "vip")
	if err := want(http.StatusOK, "getAudience", one, err); err != nil {
		return err
	}
	gone, err := p.admin.DeleteAudienceWithResponse(ctx, "vip", &DeleteAudienceParams{IfMatch: one.HTTPResponse.Header.Get("ETag")})
	return want(http.StatusNoContent, "deleteAudience", gone, err)
}

// importFiles makes what a dry run has shown, and finds it in the export.
func (p popupd) importFiles(ctx context.Context) error {
	body := Import{Source: new("repo"), Popups: &[]ImportPopup{{Key: "imported", Source: new("repo:imported.yaml@1"), Priority: new(7)}}}
	planned, err := p.admin.ImportConfigurationWithResponse(ctx, &ImportConfigurationParams{DryRun: new(N1)}, body)
	if err := want(http.StatusOK, "importConfiguration as a dry run", planned, err); err != nil {
		return err
	}
	if got := *planned.JSON200; !got.DryRun || len(got.Objects) != 1 || got.Objects[0].Action != "create" {
		return fmt.Errorf("importConfiguration as a dry run: %+v", got)
	}
	match := &ImportConfigurationParams{IfMatch: new(planned.HTTPResponse.Header.Get("ETag"))}
	made, err := p.admin.ImportConfigurationWithResponse(ctx, match, body)
	if err := want(http.StatusOK, "importConfiguration", made, err); err != nil {
		return err
	}
	again, err := p.admin.ImportConfigurationWithResponse(ctx, match, body)
	if err := want(http.StatusPreconditionFailed, "importConfiguration of an old revision", again, err); err != nil {
		return err
	}
	exported, err := p.admin.ExportConfigurationWithResponse(ctx)
	if err := want(http.StatusOK, "exportConfiguration", exported, err); err != nil {
		return err
	}
	if got := exported.JSON200.Popups; len(got) == 0 || got[0].Key != "imported" || got[0].Source != "repo:imported.yaml@1" {
		return fmt.Errorf("exportConfiguration: %+v", got)
	}
	return nil
}

// preview looks at a draft before it is saved.
func (p popupd) preview(ctx context.Context) error {
	draft := PopupInput{Variants: &[]VariantInput{{Key: "b", Content: &Content{"title": "Soon"}, Translations: &Translations{"de": {"title": "Bald"}}}}}
	preview, err := p.admin.PreviewPopupWithResponse(ctx, key, PreviewRequest{Variant: new("b"), Popup: &draft})
	if err := want(http.StatusOK, "previewPopup", preview, err); err != nil {
		return err
	}
	poll, err := p.data.PollWithResponse(ctx, &PollParams{Uid: user, Locale: new("de-AT"), Preview: &preview.JSON200.Token})
	if err := want(http.StatusOK, "poll a preview", poll, err); err != nil {
		return err
	}
	if got := poll.JSON200; got.Popup.Content["title"] != "Bald" || *got.Popup.Locale != "de" || !*got.Preview || got.Token != "" {
		return fmt.Errorf("previewed: %+v", got)
	}
	return nil
}

// explain asks why the popup that was clicked is not returned.
func (p popupd) explain(ctx context.Context) error {
	got, err := p.admin.ExplainWithResponse(ctx, &ExplainParams{}, ExplainInput{Uid: user, Placement: new(key), Popup: new(key)})
	if err := want(http.StatusOK, "explain", got, err); err != nil {
		return err
	}
	if c := got.JSON200.Candidates[0]; c.Eligible || c.BlockedBy == nil || len(c.Gates) < 13 || c.State == nil {
		return fmt.Errorf("explain: %+v", c)
	}
	return nil
}

// try has the server try a popup on the polls of before.
func (p popupd) try(ctx context.Context) error {
	proposal := Proposal{Popups: &[]ProposedPopup{{Key: key + "-proposed", Placements: &Placements{key}, Priority: new(9)}}}
	got, err := p.admin.SimulateWithResponse(ctx, proposal)
	if err := want(http.StatusOK, "simulate", got, err); err != nil {
		return err
	}
	if s := *got.JSON200; s.Polls == 0 || s.Popups[0].WinsAfter == 0 || s.Popups[0].Fit == nil || s.Popups[0].Reach == nil {
		return fmt.Errorf("simulate: %+v", s)
	}
	return nil
}

// write makes a popup for users with the plan pro.
func (p popupd) write(ctx context.Context) error {
	var plan Scalar
	if err := plan.FromScalar0("pro"); err != nil {
		return err
	}
	var value ConditionValue
	if err := value.FromScalar(plan); err != nil {
		return err
	}
	content := Content{"title": "Hello", "more": map[string]any{"list": []int{1, 2}}}
	popup := NewPopup{
		Key: key, Status: new(Active), Placements: &Placements{key},
		Targeting: &TargetingInput{All: &[]Condition{{Attr: "plan", Op: Eq, Value: &value}}},
		Variants:  &[]VariantInput{{Key: "a", Content: &content}, {Key: "b", Weight: new(1)}},
	}
	created, err := p.admin.CreatePopupWithResponse(ctx, &CreatePopupParams{XPopupdActor: new(actor)}, popup)
	if err := want(http.StatusCreated, "createPopup", created, err); err != nil {
		return err
	}
	if got := *created.JSON201; got.Frequency.AfterClickSec != 2592000 || got.Rollout.Percent != 100 {
		return fmt.Errorf("createPopup: defaults are %+v, %+v", got.Frequency, got.Rollout)
	}
	again, err := p.admin.CreatePopupWithResponse(ctx, nil, popup)
	if err := want(http.StatusConflict, "createPopup again", again, err); err != nil {
		return err
	}
	if got := again.ApplicationproblemJSON409.Code; got != "key_exists" {
		return fmt.Errorf("createPopup again: code %q", got)
	}
	return nil
}

// forget resets users, by path and by query. It comes before the popup is
// archived, which frees what is remembered of it.
func (p popupd) forget(ctx context.Context) error {
	state, err := p.admin.GetUserWithResponse(ctx, user)
	if err := want(http.StatusOK, "getUser", state, err); err != nil {
		return err
	}
	if len(state.JSON200.States) != 1 || len(state.JSON200.States[0].Acted) != 4 {
		return fmt.Errorf("getUser: %+v, want one state with four actions", *state.JSON200)
	}
	reset, err := p.admin.ResetUserWithResponse(ctx, user, nil)
	if err := want(http.StatusAccepted, "resetUser", reset, err); err != nil {
		return err
	}
	erasure, err := p.admin.GetErasureWithResponse(ctx, reset.JSON202.Id)
	if err := want(http.StatusOK, "getErasure", erasure, err); err != nil {
		return err
	}
	if len(erasure.JSON200.Kept) == 0 {
		return fmt.Errorf("getErasure: %+v, want what is kept", *erasure.JSON200)
	}
	dots, err := p.admin.GetUserByQueryWithResponse(ctx, &GetUserByQueryParams{Uid: ".."})
	if err := want(http.StatusOK, "getUserByQuery", dots, err); err != nil {
		return err
	}
	if dots.JSON200.Uid != ".." {
		return fmt.Errorf("getUserByQuery: %q", dots.JSON200.Uid)
	}
	resetDots, err := p.admin.ResetUserByQueryWithResponse(ctx, &ResetUserByQueryParams{Uid: ".."})
	return want(http.StatusAccepted, "resetUserByQuery", resetDots, err)
}

// change goes through the versions of the popup, up to its end.
func (p popupd) change(ctx context.Context) error {
	read, err := p.admin.GetPopupWithResponse(ctx, key)
	if err := want(http.StatusOK, "getPopup", read, err); err != nil {
		return err
	}
	etag := read.HTTPResponse.Header.Get("ETag")
	put, err := p.admin.ReplacePopupWithResponse(ctx, key, &ReplacePopupParams{IfMatch: etag}, PopupInput{
		Name: new("renamed"), Status: &read.JSON200.Status, Schedule: &ScheduleInput{Days: &[]Weekday{Mon, Tue}, Hours: &[]Hours{{"09:00", "18:00"}}},
	})
	if err := want(http.StatusOK, "replacePopup", put, err); err != nil {
		return err
	}
	stale, err := p.admin.ReplacePopupWithResponse(ctx, key, &ReplacePopupParams{IfMatch: etag}, PopupInput{})
	if err := want(http.StatusPreconditionFailed, "replacePopup of an old version", stale, err); err != nil {
		return err
	}
	pause, err := p.admin.PausePopupWithResponse(ctx, key, nil)
	if err := want(http.StatusOK, "pausePopup", pause, err); err != nil {
		return err
	}
	activate, err := p.admin.ActivatePopupWithResponse(ctx, key, nil)
	if err := want(http.StatusOK, "activatePopup", activate, err); err != nil {
		return err
	}
	rollback, err := p.admin.RollbackPopupWithResponse(ctx, key, nil, Rollback{Version: 1})
	if err := want(http.StatusOK, "rollbackPopup", rollback, err); err != nil {
		return err
	}
	archive, err := p.admin.ArchivePopupWithResponse(ctx, key, &ArchivePopupParams{IfMatch: "*"})
	return want(http.StatusOK, "archivePopup", archive, err)
}

// read looks at what was changed and shown.
func (p popupd) read(ctx context.Context) error {
	list, err := p.admin.ListPopupsWithResponse(ctx, &ListPopupsParams{Status: new([]Status{Archived}), Sort: new(ListPopupsParamsSortMinusUpdatedAt), Limit: new(500)})
	if err := want(http.StatusOK, "listPopups", list, err); err != nil {
		return err
	}
	if len(list.JSON200.Items) == 0 || list.JSON200.NextCursor != nil {
		return fmt.Errorf("listPopups: %+v", *list.JSON200)
	}
	revisions, err := p.admin.ListRevisionsWithResponse(ctx, key, &ListRevisionsParams{Limit: new(2)})
	if err := want(http.StatusOK, "listRevisions", revisions, err); err != nil {
		return err
	}
	older, err := p.admin.ListRevisionsWithResponse(ctx, key, &ListRevisionsParams{Cursor: revisions.JSON200.NextCursor})
	if err := want(http.StatusOK, "listRevisions from a cursor", older, err); err != nil {
		return err
	}
	if n := len(revisions.JSON200.Items) + len(older.JSON200.Items); n != 6 {
		return fmt.Errorf("listRevisions: %d in both pages, want 6", n)
	}
	stats, err := p.admin.GetStatsWithResponse(ctx, key, &GetStatsParams{Interval: new(Day)})
	if err := want(http.StatusOK, "getStats", stats, err); err != nil {
		return err
	}
	days := len(stats.JSON200.Series) // the last 168 hours begin within a day, but for one hour a day
	if days != 7 && days != 8 || len(stats.JSON200.Variants) == 0 {
		return fmt.Errorf("getStats: %+v", *stats.JSON200)
	}
	goal := ExperimentGoalConvert
	experiment, err := p.admin.GetExperimentWithResponse(ctx, key, &GetExperimentParams{Goal: &goal})
	if err := want(http.StatusOK, "getExperiment", experiment, err); err != nil {
		return err
	}
	if len(experiment.JSON200.Arms) != 2 {
		return fmt.Errorf("getExperiment: %+v", *experiment.JSON200)
	}
	for _, format := range []ExportEventsParamsFormat{Ndjson, Csv} {
		events, err := p.admin.ExportEventsWithResponse(ctx, &ExportEventsParams{Format: &format})
		if err := want(http.StatusOK, "exportEvents", events, err); err != nil {
			return err
		}
	}
	audit, err := p.admin.ListAuditWithResponse(ctx, nil)
	return want(http.StatusOK, "listAudit", audit, err)
}

// name makes a token that may read, uses it and ends it.
func (p popupd) name(ctx context.Context) error {
	named := NewToken{Name: key, Role: Viewer}
	created, err := p.admin.CreateTokenWithResponse(ctx, nil, named)
	if err := want(http.StatusCreated, "createToken", created, err); err != nil {
		return err
	}
	again, err := p.admin.CreateTokenWithResponse(ctx, nil, named)
	if err := want(http.StatusConflict, "createToken of the same name", again, err); err != nil {
		return err
	}
	viewer := func(_ context.Context, r *http.Request) error {
		r.Header.Set("Authorization", "Bearer "+created.JSON201.Token)
		return nil
	}
	read, err := p.admin.GetSettingsWithResponse(ctx, viewer)
	if err := want(http.StatusOK, "getSettings as a viewer", read, err); err != nil {
		return err
	}
	reload, err := p.admin.ReloadWithResponse(ctx, viewer)
	if err := want(http.StatusForbidden, "reload as a viewer", reload, err); err != nil {
		return err
	}
	if got := reload.ApplicationproblemJSON403; got.Code != "role_required" || got.Role == nil || *got.Role != Publisher {
		return fmt.Errorf("reload as a viewer: %+v", got)
	}
	list, err := p.admin.ListTokensWithResponse(ctx)
	if err := want(http.StatusOK, "listTokens", list, err); err != nil {
		return err
	}
	if got := list.JSON200.Items; len(got) != 1 || got[0].Id != created.JSON201.Id {
		return fmt.Errorf("listTokens: %+v", got)
	}
	ended, err := p.admin.DeleteTokenWithResponse(ctx, &DeleteTokenParams{Name: key})
	if err := want(http.StatusNoContent, "deleteToken", ended, err); err != nil {
		return err
	}
	read, err = p.admin.GetSettingsWithResponse(ctx, viewer)
	return want(http.StatusUnauthorized, "getSettings with a token that has ended", read, err)
}

// operate asks what monitoring asks.
func (p popupd) operate(ctx context.Context) error {
	live, err := p.admin.LiveWithResponse(ctx)
	if err := want(http.StatusOK, "live", live, err); err != nil {
		return err
	}
	ready, err := p.admin.ReadyWithResponse(ctx)
	if err := want(http.StatusOK, "ready", ready, err); err != nil {
		return err
	}
	reload, err := p.admin.ReloadWithResponse(ctx)
	if err := want(http.StatusOK, "reload", reload, err); err != nil {
		return err
	}
	level, err := p.admin.SetLogLevelWithResponse(ctx, nil, LogLevel{Level: LogLevelLevelWarn})
	if err := want(http.StatusOK, "setLogLevel", level, err); err != nil {
		return err
	}
	is, err := p.admin.GetLogLevelWithResponse(ctx)
	if err := want(http.StatusOK, "getLogLevel", is, err); err != nil {
		return err
	}
	metrics, err := p.admin.MetricsWithResponse(ctx)
	if err := want(http.StatusOK, "metrics", metrics, err); err != nil {
		return err
	}
	document, err := p.admin.OpenapiWithResponse(ctx)
	if err := want(http.StatusOK, "openapi", document, err); err != nil {
		return err
	}
	profiles, err := p.admin.ListProfilesWithResponse(ctx)
	if err := want(http.StatusOK, "listProfiles", profiles, err); err != nil {
		return err
	}
	heap, err := p.admin.GetProfileWithResponse(ctx, "heap", &GetProfileParams{Debug: new(1)})
	return want(http.StatusOK, "getProfile", heap, err)
}
