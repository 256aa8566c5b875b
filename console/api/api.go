// Package api is the REST API of the control plane: popups with their history and
// statistics, the events that counted, the audit trail, what is remembered of users, what
// they did on the site, and the named tokens.
//
// It lists its operations, each with the role that it takes; package console routes to them,
// asks for the token before them, and writes the errors that they return. Listeners,
// authentication, health and metrics live there, and pages do not live here.
// docs/openapi.yaml describes every operation, and the package's tests hold every
// answer against it.
//
// What a change promises. A change is one transaction of the store: when the
// call answers with 2xx it is durable. It is then loaded on this server and the
// other servers are told, before the call answers. Should that second step fail,
// because the store went away just after its commit, the answer is still a success:
// repeating the request would only run into the popup that now exists. It then
// carries the header "Popupd-In-Force: false", the failure is logged, and the
// server's own poll of the store puts the change in force once the store is back.
package api

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/popupd/popupd/console"
	"github.com/popupd/popupd/decision"
	"github.com/popupd/popupd/internal/popuplist"
	"github.com/popupd/popupd/popup"
	"github.com/popupd/popupd/snapshot"
)

// Catalog keeps the popups and the settings. A change is one transaction: once it returns
// without an error it is durable. It blocks until the store answers or ctx
// ends; then the outcome of a change is not known. Errors it may name are
// [popup.ErrNotFound], [popup.ErrExists], [popup.ErrStale] and
// [popup.ErrArchived]; any other one means that the store can't be used now.
type Catalog interface {
	Create(ctx context.Context, c popup.Change, s popup.Spec) (popup.Popup, error)
	// Put replaces the popup s.Key if its version is the one given; 0 is any.
	Put(ctx context.Context, c popup.Change, version uint32, s popup.Spec) (popup.Popup, error)
	Popup(ctx context.Context, key string) (popup.Popup, error)
	// FindPopups returns the page that a query asks for, and its popups in the order of their
	// ids there; one that was deleted by hand meanwhile may be missing.
	FindPopups(ctx context.Context, q popuplist.Query) (popuplist.Page, []popup.Popup, error)
	Settings(ctx context.Context) (popup.StoredSettings, error)
	// PutSettings replaces the settings if their version is the one given.
	PutSettings(ctx context.Context, c popup.Change, version uint32, s popup.Settings) (popup.StoredSettings, error)
}

// Trail is the record of who changed what. It blocks and fails as a [Catalog].
type Trail interface {
	// Revisions returns every version of a popup, newest first.
	Revisions(ctx context.Context, key string) ([]popup.Revision, error)
	// Audit returns at most limit entries of an object with ids below before, newest first.
	// An empty object is any; a before of 0 starts at the newest.
	Audit(ctx context.Context, object string, before int64, limit int) ([]popup.AuditEntry, error)
	// AuditUser records a change of one user, and returns the id of the entry.
	AuditUser(ctx context.Context, c popup.Change, uid string) (id int64, err error)
	// Erasure returns how far the reset has come that an entry records.
	Erasure(ctx context.Context, id int64) (popup.Erasure, error)
	// AuditServer records that a setting of this server was changed to a value.
	AuditServer(ctx context.Context, c popup.Change, value string) error
}

// Statistics returns the counts of popups for hours that start in [fromMS, toMS).
// It blocks and fails as a [Catalog].
type Statistics interface {
	// RecentStats returns those of at most 500 popups, by id, each the sum of all variants and of
	// as many hours as begin within stepMS: HourMS is when the step does, fromMS and so on.
	RecentStats(ctx context.Context, ids []uint32, fromMS, toMS, stepMS int64) (map[uint32][]popup.Counts, error)
	// Stats returns those of one popup, by hour and variant.
	Stats(ctx context.Context, id uint32, fromMS, toMS int64) ([]popup.Counts, error)
	// Experiment returns what was counted of the users of a popup's experiment, clicks and
	// conversions within so many days of the exposure.
	Experiment(ctx context.Context, id uint32, windowDays int) ([]popup.ExperimentCount, error)
	// VariantTotals sums the counts of hours that begin at fromMS or later, by variant.
	VariantTotals(ctx context.Context, id uint32, fromMS int64) ([]popup.Counts, error)
}

// WhyNot returns why a popup was not shown, as estimated from a sample of the polls, for
// hours that start in [fromMS, toMS): any number of times for one reason, to be added up.
// It blocks and fails as a [Catalog].
type WhyNot interface {
	WhyNot(ctx context.Context, id uint32, fromMS, toMS int64) ([]popup.WhyNot, error)
}

// History reads what users were shown. It blocks and fails as a [Catalog].
type History interface {
	// RecentImpressions returns the latest impressions and controls of a user, newest first,
	// at most limit, of the popups with these ids.
	RecentImpressions(ctx context.Context, user []byte, ids []uint32, limit int) ([]popup.Served, error)
}

// Exporter reads what was counted, after a cursor; from the beginning after an empty one.
// It calls send for at most limit events, some at a time, with the cursor behind them, and
// may call it without events at last. It blocks as long as send does, and fails as a
// [Catalog], or with [popup.ErrCursor] or [popup.ErrCursorLost] before it sends anything.
type Exporter interface {
	CountedEvents(ctx context.Context, after string, limit int, send func(events []popup.CountedEvent, cursor string) error) error
}

// Configurations reads and changes all that is configured at once. It blocks and fails as a
// [Catalog]; what check returns and [popup.ImportError] are errors, too.
type Configurations interface {
	// ExportCatalog calls begin once, then each with every popup that is not archived, by key.
	ExportCatalog(ctx context.Context, begin func(popup.Position, popup.StoredSettings, []popup.ExportedAudience) error, each func(popup.Popup) error) error
	// PlanImport tells what Import would do.
	PlanImport(ctx context.Context, im *popup.Import, check func(popup.Position) error) (popup.ImportResult, error)
	// Import makes all changes, as one, or none.
	Import(ctx context.Context, c popup.Change, im *popup.Import, check func(popup.Position) error) (popup.ImportResult, error)
}

// Watcher puts changes of the catalog in force on this server.
type Watcher interface {
	// Changed reads the catalog anew and tells the other servers.
	Changed(ctx context.Context) error
	// Reload reads the catalog anew.
	Reload(ctx context.Context) error
}

// Users is what this server remembers of users. It answers from memory.
type Users interface {
	// States calls fn for every popup that is remembered of the user.
	States(user []byte, fn func(id uint32, s popup.State))
	// LookUpWithin waits until it is known what these users have seen; a nil user is none.
	LookUpWithin(ctx context.Context, users ...[]byte) error
	// Reset forgets the user here and, by an event, everywhere. Once it returns
	// without an error the event survives the end of the process.
	Reset(user []byte) error
}

// Events takes what users did on the site.
type Events interface {
	// Record records events, each of them valid. Once it returns nil, what they mean for
	// goals survives the end of the process. After an error some may be recorded; those that
	// are recorded again do no harm.
	Record(events []popup.SiteEvent) error
}

// Simulator tries changes on polls that were kept. It blocks for some seconds; errors it may
// name are [popup.FieldErrors], [popup.ErrNoSample] and [popup.ErrBusy].
type Simulator interface {
	Simulate(ctx context.Context, p popup.Proposal) (popup.Simulation, error)
}

// Previews makes the tokens with which polls get a popup that they would not get.
type Previews interface {
	// Preview returns a token that shows the only variant of p until endsMS, on every
	// server. It returns [popup.ErrPreviewTooLarge] if p does not fit into one.
	Preview(p *popup.Popup, endsMS int64) (token string, err error)
}

// Explainer says what a poll would come to and why. It answers from memory and changes
// nothing. more is the position behind which the next page begins, 0 after the last one.
type Explainer interface {
	Explain(q *decision.Query) (e popup.Explanation, more int64)
}

// Tokens keeps the named tokens of the control plane. A change is in force on this server once
// it returns without an error. It blocks and fails as a [Catalog]; errors it may name are
// [popup.ErrTokenExists], [popup.ErrTooManyTokens] and [popup.ErrNoSuchToken].
type Tokens interface {
	// AdminTokens returns all tokens by name, expired ones among them.
	AdminTokens(ctx context.Context) ([]popup.AdminToken, error)
	CreateAdminToken(ctx context.Context, c popup.Change, t popup.AdminToken) error
	DeleteAdminToken(ctx context.Context, c popup.Change, name string) error
}

// Config is what an [API] works with. All fields are required unless they say otherwise.
type Config struct {
	Catalog    Catalog
	Trail      Trail
	Statistics Statistics
	WhyNot     WhyNot
	History    History
	Exporter   Exporter

	Configurations Configurations

	Watcher   Watcher
	Users     Users
	Events    Events
	Previews  Previews
	Simulator Simulator
	Explainer Explainer
	Tokens    Tokens
	Audiences Audiences
	Snapshots *snapshot.Store

	// Ready returns nil once the users' state is complete, or the reason why it
	// is not. It must not wait for a store.
	Ready func() error

	Now func() int64 // ms since the epoch, UTC; nil is the system's clock
	Log *slog.Logger // nil logs nothing

	ReportZone *time.Location // whose hours and days those of statistics are; nil is UTC

	LogLevel *slog.LevelVar // the level of the whole server's log
}

// Validate reports what is missing, and fills in the clock, the logger and the zone.
func (c *Config) Validate() error {
	if c.Now == nil {
		c.Now = func() int64 { return time.Now().UnixMilli() }
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.ReportZone == nil {
		c.ReportZone = time.UTC
	}
	switch {
	case c.Catalog == nil || c.Trail == nil || c.Statistics == nil || c.WhyNot == nil || c.History == nil || c.Exporter == nil || c.Configurations == nil:
		return errors.New("console/api: no store")
	case c.Watcher == nil || c.Snapshots == nil:
		return errors.New("console/api: no snapshot")
	case c.Users == nil || c.Events == nil || c.Previews == nil:
		return errors.New("console/api: no data plane")
	case c.Simulator == nil:
		return errors.New("console/api: no simulator")
	case c.Tokens == nil:
		return errors.New("console/api: no tokens")
	case c.Audiences == nil:
		return errors.New("console/api: no audiences")
	case c.Explainer == nil:
		return errors.New("console/api: no explainer")
	case c.Ready == nil:
		return errors.New("console/api: no readiness")
	case c.LogLevel == nil:
		return errors.New("console/api: no log level")
	}
	return nil
}

// API answers the operations of the control plane. Make one with [New].
type API struct {
	config    Config
	uploads   uploads
	importing chan struct{} // holds a value while an import is read or made
}

// New returns an API for c.
func New(c Config) (*API, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	return &API{config: c, importing: make(chan struct{}, 1)}, nil
}

// Routes lists every operation, in the order of docs/openapi.yaml, with the role that it
// takes. editing says what a publisher may do beyond an editor with the same operation, and
// importConfiguration what an admin may.
func (a *API) Routes() []console.Route {
	const (
		popups, one, settings = "/v1/admin/popups", "/v1/admin/popups/{key}", "/v1/admin/settings"
		users, user           = "/v1/admin/users", "/v1/admin/users/{uid}"
		logLevel, tokens      = "/v1/admin/log-level", "/v1/admin/tokens"
		audiences, audience   = "/v1/admin/audiences", "/v1/admin/audiences/{key}"

		viewer, editor, publisher, admin = popup.RoleViewer, popup.RoleEditor, popup.RolePublisher, popup.RoleAdmin
	)
	return []console.Route{
		route(editor, "POST", "/v1/events", a.reportEvents),
		route(viewer, "GET", popups, a.listPopups),
		route(editor, "POST", popups, a.createPopup),
		route(viewer, "GET", one, a.getPopup),
		route(editor, "PUT", one, a.replacePopup),
		route(editor, "DELETE", one, a.archivePopup),
		route(publisher, "POST", one+"/activate", a.activatePopup),
		route(publisher, "POST", one+"/pause", a.pausePopup),
		route(viewer, "GET", one+"/revisions", a.listRevisions),
		route(editor, "POST", one+"/rollback", a.rollbackPopup),
		route(editor, "POST", one+"/preview", a.previewPopup),
		route(viewer, "GET", one+"/stats", a.getStats),
		route(viewer, "GET", one+"/experiment", a.getExperiment),
		route(viewer, "GET", settings, a.getSettings),
		route(publisher, "PUT", settings, a.replaceSettings),
		route(viewer, "GET", audiences, a.listAudiences),
		route(viewer, "GET", audience, a.getAudience),
		route(editor, "PUT", audience, a.replaceAudience),
		route(editor, "DELETE", audience, a.deleteAudience),
		route(viewer, "GET", "/v1/admin/export", a.exportConfiguration),
		route(viewer, "PUT", "/v1/admin/import", a.importConfiguration),
		route(editor, "POST", "/v1/admin/simulate", a.simulate),
		route(viewer, "POST", "/v1/admin/explain", a.explain),
		route(viewer, "GET", "/v1/admin/audit", a.listAudit),
		route(admin, "GET", "/v1/admin/events", a.exportEvents),
		route(publisher, "POST", "/v1/admin/reload", a.reload),
		route(viewer, "GET", logLevel, a.getLogLevel),
		route(admin, "PUT", logLevel, a.setLogLevel),
		route(viewer, "GET", users, a.getUser),
		route(admin, "DELETE", users, a.resetUser),
		route(viewer, "GET", user, a.getUser),
		route(admin, "DELETE", user, a.resetUser),
		route(viewer, "GET", "/v1/admin/erasures/{id}", a.getErasure),
		route(admin, "GET", tokens, a.listTokens),
		route(admin, "POST", tokens, a.createToken),
		route(admin, "DELETE", tokens, a.deleteToken),
	}
}

// route is an operation whose errors may also be those of the store and of the
// popups' rules.
func route(role popup.Role, method, path string, e console.Endpoint) console.Route {
	return console.Route{Role: role, Method: method, Path: path, Endpoint: func(w http.ResponseWriter, r *http.Request) error {
		if err := e(w, r); err != nil {
			return asProblem(err)
		}
		return nil
	}}
}
