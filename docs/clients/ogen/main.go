// The program calls every operation of popupd with the client that ogen makes of
// openapi.yaml, but for the one whose media type ogen does not know.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"strings"

	"github.com/go-faster/jx"
)

//go:generate go tool ogen --config ogen.yml --target . --package main ../../openapi.yaml

const key, user = "ogen", "user of ogen"

// bearer is the source of the token.
type bearer string

func (b bearer) Token(context.Context, OperationName) (Token, error) {
	return Token{Token: string(b)}, nil
}

func main() {
	dataURL := flag.String("data", "http://127.0.0.1:8080", "URL of the data plane")
	adminURL := flag.String("admin", "http://127.0.0.1:8081", "URL of the control plane")
	token := flag.String("token", "", "bearer token of the control plane")
	flag.Parse()
	data, err := NewClient(*dataURL, bearer(""))
	if err != nil {
		log.Fatal(err)
	}
	admin, err := NewClient(*adminURL, bearer(*token))
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	configure(ctx, admin)
	importFiles(ctx, admin)
	write(ctx, admin)
	show(ctx, data)
	preview(ctx, admin, data)
	explain(ctx, admin)
	try(ctx, admin)
	forget(ctx, admin)
	change(ctx, admin)
	read(ctx, admin)
	name(ctx, admin, *adminURL)
	operate(ctx, admin)
}

// want returns an answer of the wanted type and ends the program for any other.
func want[T any](got any, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	wanted, ok := got.(T)
	must(ok, "%T %+v, want %T", got, got, wanted)
	return wanted
}

// must ends the program unless what it is told holds.
func must(holds bool, format string, args ...any) {
	if !holds {
		log.Output(2, fmt.Sprintf(format, args...))
		log.Fatal("not as it must be")
	}
}

// configure limits what each user is shown of all popups together.
func configure(ctx context.Context, admin *Client) {
	etag := want[*SettingsHeaders](admin.GetSettings(ctx)).ETag
	settings := SettingsInput{Caps: []CapInput{{Key: "daily", Max: 20, PerSec: 86400}}}
	changed := want[*ChangedSettingsHeaders](admin.ReplaceSettings(ctx, &settings, ReplaceSettingsParams{IfMatch: etag})).Response
	must(len(changed.Caps) == 1 && changed.Holdout.Percent == 0, "settings %+v", changed)
	want[*ReplaceSettingsPreconditionFailed](admin.ReplaceSettings(ctx, &settings, ReplaceSettingsParams{IfMatch: etag}))

	list := &ReplaceAudienceReqTextPlain{Data: strings.NewReader("u-1\nu-2\nu-1\n")}
	vip := want[*ReplaceAudienceCreatedHeaders](admin.ReplaceAudience(ctx, list, ReplaceAudienceParams{Key: "vip"}))
	must(vip.Response.Members == 2 && vip.Response.Duplicates == 1, "audience %+v", vip.Response)
	named := want[*AudienceHeaders](admin.GetAudience(ctx, GetAudienceParams{Key: "vip"}))
	must(named.ETag == vip.ETag && len(want[*AudienceList](admin.ListAudiences(ctx)).Items) == 1, "audience %+v", named)
	want[*DeleteAudienceNoContent](admin.DeleteAudience(ctx, DeleteAudienceParams{Key: "vip", IfMatch: named.ETag}))
}

// importFiles makes what a dry run has shown, and finds it in the export.
func importFiles(ctx context.Context, admin *Client) {
	body := Import{Source: NewOptString("repo"), Popups: []ImportPopup{{Key: "imported", Source: NewOptString("repo:imported.yaml@1"), Priority: NewOptPriority(7)}}}
	dryRun := ImportConfigurationParams{DryRun: NewOptFlag(Flag1)}
	planned := want[*ImportedHeaders](admin.ImportConfiguration(ctx, &body, dryRun))
	must(planned.Response.DryRun && planned.Response.Objects[0].Action == ImportedObjectActionCreate, "dry run %+v", planned.Response)
	match := ImportConfigurationParams{IfMatch: NewOptString(planned.ETag)}
	want[*ImportedHeaders](admin.ImportConfiguration(ctx, &body, match))
	want[*ImportConfigurationPreconditionFailed](admin.ImportConfiguration(ctx, &body, match))
	exported := want[*ConfigurationHeaders](admin.ExportConfiguration(ctx)).Response.Popups
	must(exported[0].Key == "imported" && exported[0].Source == "repo:imported.yaml@1", "exported %+v", exported)
}

// write makes a popup for users with the plan pro.
func write(ctx context.Context, admin *Client) {
	plan := NewOptConditionValue(NewScalarConditionValue(NewStringScalar("pro")))
	popup := NewPopup{
		Key: key, Status: NewOptStatus(StatusActive), Placements: Placements{key},
		Targeting: NewOptTargetingInput(TargetingInput{All: []Condition{{Attr: "plan", Op: ConditionOpEq, Value: plan}}}),
		Variants: []VariantInput{
			{Key: "a", Content: NewOptContent(Content{"title": jx.Raw(`"Hello"`)})}, {Key: "b", Weight: NewOptInt(1)},
		},
	}
	created := want[*PopupHeaders](admin.CreatePopup(ctx, &popup, CreatePopupParams{XPopupdActor: NewOptString(key)}))
	must(created.Response.Frequency.AfterClickSec == 2592000, "created %+v", created.Response)
	want[*CreatePopupConflict](admin.CreatePopup(ctx, &popup, CreatePopupParams{}))
}

// show polls as a user with the plan pro, and reports actions in every form.
func show(ctx context.Context, data *Client) {
	params := PollParams{UID: user, Placement: NewOptString(key), Attributes: NewOptAttributes(Attributes{"a.plan": "pro"})}
	served := want[*ServedHeaders](data.Poll(ctx, params)).Response
	must(string(served.Popup.Content["title"]) == `"Hello"`, "served %+v", served)
	want[*PollNoContent](data.Poll(ctx, params))
	attributes := NewOptNilPollRequestAttributes(PollRequestAttributes{
		"plan":     NewAttributeScalarAttributeValue(NewStringAttributeScalar("pro")),
		"referrer": NewAttributeScalarAttributeValue(NewNullAttributeScalar(struct{}{})),
		"tags":     NewAttributeScalarArrayAttributeValue([]AttributeScalar{NewStringAttributeScalar("a"), NewFloat64AttributeScalar(3), NewNullAttributeScalar(struct{}{})}),
	})
	several := PollRequest{UID: "another " + user, Placements: NewOptNilStringArray([]string{"nowhere", key}), Attributes: attributes, Showing: NewOptNilStringArray([]string{served.Token})}
	posted := want[*ServedPopupsHeaders](data.PollPlacements(ctx, &several, PollPlacementsParams{})).Response
	must(len(posted.Popups) == 1 && posted.Popups[0].Popup.Placement == key && len(posted.Withdraw) == 0, "served %+v", posted)
	one := NewActionActionOrActions(Action{Token: served.Token, Action: ActionActionClick})
	want[*ActionResultsHeaders](data.Act(ctx, &one, ActParams{}))
	many := NewActionsActionOrActions(Actions{{Token: served.Token, Action: ActionActionConvert}, {Token: "v1.forged", Action: ActionActionClick}})
	taken := want[*ActionResultsHeaders](data.Act(ctx, &many, ActParams{UID: NewOptString(user)})).Response
	must(taken.Accepted == 1 && len(taken.Rejected) == 1, "taken %+v", taken)
	text := ActReqTextPlain{Data: strings.NewReader(`{"token":"` + served.Token + `","action":"dismiss"}`)}
	want[*ActionResultsHeaders](data.Act(ctx, &text, ActParams{}))
	form := Action{Token: served.Token, Action: ActionActionView, AgeMs: NewOptInt(5)}
	want[*ActionResultsHeaders](data.Act(ctx, &form, ActParams{}))
	want[*Preflight](data.PreflightPoll(ctx))
	want[*Preflight](data.PreflightActions(ctx))
	event := NewEventEventOrEvents(Event{UID: user, Event: "purchase"})
	reported := want[*ActionResults](data.ReportEvents(ctx, &event, ReportEventsParams{}))
	must(reported.Accepted == 1, "reported %+v", reported)
	want[*Preflight](data.PreflightEvents(ctx))
}

// preview looks at a draft before it is saved.
func preview(ctx context.Context, admin, data *Client) {
	draft := PopupInput{Variants: []VariantInput{{
		Key: "b", Content: NewOptContent(Content{"title": jx.Raw(`"Soon"`)}), Translations: NewOptTranslations(Translations{"de": {"title": jx.Raw(`"Bald"`)}}),
	}}}
	request := PreviewRequest{Variant: NewOptString("b"), Popup: NewOptPopupInput(draft)}
	token := want[*Preview](admin.PreviewPopup(ctx, &request, PreviewPopupParams{Key: key})).Token
	got := want[*ServedHeaders](data.Poll(ctx, PollParams{UID: user, Locale: NewOptString("de-AT"), Preview: NewOptString(token)})).Response
	must(string(got.Popup.Content["title"]) == `"Bald"` && got.Popup.Locale.Value == "de" && got.Preview.Value && got.Token == "", "previewed %+v", got)
}

// explain asks why the popup that was clicked is not returned.
func explain(ctx context.Context, admin *Client) {
	poll := ExplainInput{UID: user, Placement: NewOptString(key), Popup: NewOptString(key)}
	got := want[*Explanation](admin.Explain(ctx, &poll, ExplainParams{})).Candidates[0]
	must(!got.Eligible && !got.BlockedBy.Null && len(got.Gates) > 12 && !got.State.Null, "explained %+v", got)
}

// try has the server try a popup on the polls of before.
func try(ctx context.Context, admin *Client) {
	proposal := Proposal{Popups: []ProposedPopup{{Key: key + "-proposed", Placements: Placements{key}, Priority: NewOptPriority(9)}}}
	got := want[*Simulation](admin.Simulate(ctx, &proposal))
	must(got.Polls > 0 && got.Popups[0].WinsAfter > 0 && got.Popups[0].Fit.Value.Polls > 0 && !got.Popups[0].Reach.Null, "simulation %+v", got)
}

// forget resets users, by path and by query. It comes before the popup is
// archived, which frees what is remembered of it.
func forget(ctx context.Context, admin *Client) {
	state := want[*User](admin.GetUser(ctx, GetUserParams{UID: user}))
	must(len(state.States) == 1 && len(state.States[0].Acted) == 4, "state %+v", state)
	reset := want[*ErasureQueuedHeaders](admin.ResetUser(ctx, ResetUserParams{UID: user}))
	erasure := want[*Erasure](admin.GetErasure(ctx, GetErasureParams{ID: reset.Response.ID}))
	must(len(erasure.Kept) > 0, "erasure %+v", erasure)
	want[*User](admin.GetUserByQuery(ctx, GetUserByQueryParams{UID: ".."}))
	want[*ErasureQueuedHeaders](admin.ResetUserByQuery(ctx, ResetUserByQueryParams{UID: ".."}))
}

// change goes through the versions of the popup, up to its end.
func change(ctx context.Context, admin *Client) {
	etag := want[*CurrentPopupHeaders](admin.GetPopup(ctx, GetPopupParams{Key: key})).ETag
	renamed := PopupInput{Name: NewOptName("renamed"), Status: NewOptStatus(StatusActive)}
	want[*CurrentPopupHeaders](admin.ReplacePopup(ctx, &renamed, ReplacePopupParams{Key: key, IfMatch: etag}))
	want[*CurrentPopupHeaders](admin.PausePopup(ctx, PausePopupParams{Key: key}))
	want[*CurrentPopupHeaders](admin.ActivatePopup(ctx, ActivatePopupParams{Key: key}))
	want[*CurrentPopupHeaders](admin.RollbackPopup(ctx, &Rollback{Version: 1}, RollbackPopupParams{Key: key}))
	want[*CurrentPopupHeaders](admin.ArchivePopup(ctx, ArchivePopupParams{Key: key, IfMatch: "*"}))
}

// read looks at what was changed and shown.
func read(ctx context.Context, admin *Client) {
	list := want[*PopupPage](admin.ListPopups(ctx, ListPopupsParams{Status: []Status{StatusArchived, StatusPaused}, Stats: NewOptFlag(Flag1), Facets: NewOptFlag(Flag1)}))
	must(len(list.Items) > 0 && list.NextCursor.Null && list.Total == len(list.Items), "list %+v", list)
	must(len(list.Items[0].Stats.Value.Points) == 7 && list.Facets.Value.Statuses["archived"] > 0, "list %+v", list)
	revisions := want[*RevisionPage](admin.ListRevisions(ctx, ListRevisionsParams{Key: key, Limit: NewOptInt(2)}))
	must(len(revisions.Items) == 2 && !revisions.NextCursor.Null, "revisions %+v", revisions)
	stats := want[*Stats](admin.GetStats(ctx, GetStatsParams{Key: key, Interval: NewOptInterval(IntervalDay)}))
	days := len(stats.Series) // the last 168 hours begin within a day, but for one hour a day
	must(days == 7 || days == 8, "statistics %+v", stats)
	experiment := want[*Experiment](admin.GetExperiment(ctx, GetExperimentParams{Key: key, Goal: NewOptExperimentGoal(ExperimentGoalConvert)}))
	must(experiment.Status == ExperimentStatusTooFew && len(experiment.Arms) == 2, "experiment %+v", experiment)
	want[*AuditPage](admin.ListAudit(ctx, ListAuditParams{Object: NewOptString(key)}))
	want[*ExportEventsOKApplicationXNdjson](admin.ExportEvents(ctx, ExportEventsParams{}))
	want[*ExportEventsOKTextCsv](admin.ExportEvents(ctx, ExportEventsParams{Format: NewOptExportEventsFormat(ExportEventsFormatCsv)}))
}

// name makes a token that may read, uses it and ends it.
func name(ctx context.Context, admin *Client, adminURL string) {
	created := want[*CreatedToken](admin.CreateToken(ctx, &NewToken{Name: key, Role: RoleViewer}, CreateTokenParams{}))
	must(created.Role == RoleViewer && created.LastUsedAt.Null, "token %+v", created)
	want[*CreateTokenConflict](admin.CreateToken(ctx, &NewToken{Name: key, Role: RoleViewer}, CreateTokenParams{}))
	viewer, err := NewClient(adminURL, bearer(created.Token))
	if err != nil {
		log.Fatal(err)
	}
	want[*SettingsHeaders](viewer.GetSettings(ctx))
	refused := want[*ReloadForbidden](viewer.Reload(ctx))
	must(refused.Code == "role_required" && refused.Role.Value == RolePublisher, "refused %+v", refused)
	list := want[*TokenList](admin.ListTokens(ctx))
	must(len(list.Items) == 1 && list.Items[0].ID == created.ID, "tokens %+v", list)
	want[*DeleteTokenNoContent](admin.DeleteToken(ctx, DeleteTokenParams{Name: key}))
	want[*UnauthorizedHeaders](viewer.GetSettings(ctx))
}

// operate asks what monitoring asks.
func operate(ctx context.Context, admin *Client) {
	want[*Health](admin.Live(ctx))
	want[*Health](admin.Ready(ctx))
	want[*Reloaded](admin.Reload(ctx))
	want[*LogLevel](admin.SetLogLevel(ctx, &LogLevel{Level: LogLevelLevelWarn}, SetLogLevelParams{}))
	level := want[*LogLevel](admin.GetLogLevel(ctx))
	must(level.Level == LogLevelLevelWarn, "log level %+v", level)
	want[*MetricsOK](admin.Metrics(ctx))
	want[*ListProfilesOK](admin.ListProfiles(ctx))
	want[*GetProfileOKTextPlain](admin.GetProfile(ctx, GetProfileParams{Profile: "heap", Debug: NewOptInt(1)}))
}
