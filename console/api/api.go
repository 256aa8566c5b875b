// Package api is the REST API of the control plane: popups with their history and
// statistics, the events that counted, the audit trail, what is remembered of users, and what
// they did on the site.
//
// It lists its operations; package console routes to them, asks for the token
// before them, and writes the errors that they return. Listeners, tokens, health
// and metrics live there, and pages do not live here.
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
	// Popups returns at most limit popups with ids above after, by id; an empty status is all.
	Popups(ctx context.Context, status popup.Status, after uint32, limit int) ([]popup.Popup, error)
	Settings(ctx context.Context) (popup.StoredSettings, error)
	// PutSettings replaces the settings if their version is the one given.
	PutSettings(ctx context.Context, c popup.Change, version uint32, s popup.Settings) (popup.StoredSettings, error)
}

// Trail is the record of who changed what. It blocks and fails as a [Catalog].
type Trail interface {
	// Revisions returns every version of a popup, newest first.
	Revisions(ctx context.Context, key string) ([]popup.Revision, error)
	// Audit returns at most limit entries with ids below before, newest first.
	// A before of 0 starts at the newest.
	Audit(ctx context.Context, before int64, limit int) ([]popup.AuditEntry, error)
	// AuditUser records a change of one user, and returns the id of the entry.
	AuditUser(ctx context.Context, c popup.Change, uid string) (id int64, err error)
	// Erasure returns how far the reset has come that an entry records.
	Erasure(ctx context.Context, id int64) (popup.Erasure, error)
	// AuditServer records that a setting of this server was changed to a value.
	AuditServer(ctx context.Context, c popup.Change, value string) error
}

// Statistics returns the counts of a popup for hours that start in [fromMS, toMS).
// It blocks and fails as a [Catalog].
type Statistics interface {
	Stats(ctx context.Context, id uint32, fromMS, toMS int64) ([]popup.Counts, error)
}

// WhyNot returns why a popup was not shown, as estimated from a sample of the polls, for
// hours that start in [fromMS, toMS): any number of times for one reason, to be added up.
// It blocks and fails as a [Catalog].
type WhyNot interface {
	WhyNot(ctx context.Context, id uint32, fromMS, toMS int64) ([]popup.WhyNot, error)
}

// Exporter reads what was counted, after a cursor; from the beginning after an empty one.
// It calls send for at most limit events, some at a time, with the cursor behind them, and
// may call it without events at last. It blocks as long as send does, and fails as a
// [Catalog], or with [popup.ErrCursor] or [popup.ErrCursorLost] before it sends anything.
type Exporter interface {
	CountedEvents(ctx context.Context, after string, limit int, send func(events []popup.CountedEvent, cursor string) error) error
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

// Config is what an [API] works with. All fields are required unless they say otherwise.
type Config struct {
	Catalog    Catalog
	Trail      Trail
	Statistics Statistics
	WhyNot     WhyNot
	Exporter   Exporter
	Watcher    Watcher
	Users      Users
	Events     Events
	Previews   Previews
	Simulator  Simulator
	Explainer  Explainer
	Snapshots  *snapshot.Store

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
	case c.Catalog == nil || c.Trail == nil || c.Statistics == nil || c.WhyNot == nil || c.Exporter == nil:
		return errors.New("console/api: no store")
	case c.Watcher == nil || c.Snapshots == nil:
		return errors.New("console/api: no snapshot")
	case c.Users == nil || c.Events == nil || c.Previews == nil:
		return errors.New("console/api: no data plane")
	case c.Simulator == nil:
		return errors.New("console/api: no simulator")
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
type API struct{ config Config }

// New returns an API for c.
func New(c Config) (*API, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	return &API{config: c}, nil
}

// Routes lists every operation, in the order of docs/openapi.yaml.
func (a *API) Routes() []console.Route {
	const popups, one = "/v1/admin/popups", "/v1/admin/popups/{key}"
	const users, user = "/v1/admin/users", "/v1/admin/users/{uid}"
	return []console.Route{
		route("POST", "/v1/events", a.reportEvents),
		route("GET", popups, a.listPopups),
		route("POST", popups, a.createPopup),
		route("GET", one, a.getPopup),
		route("PUT", one, a.replacePopup),
		route("DELETE", one, a.archivePopup),
		route("POST", one+"/activate", a.activatePopup),
		route("POST", one+"/pause", a.pausePopup),
		route("GET", one+"/revisions", a.listRevisions),
		route("POST", one+"/rollback", a.rollbackPopup),
		route("POST", one+"/preview", a.previewPopup),
		route("GET", one+"/stats", a.getStats),
		route("GET", "/v1/admin/settings", a.getSettings),
		route("PUT", "/v1/admin/settings", a.replaceSettings),
		route("POST", "/v1/admin/simulate", a.simulate),
		route("POST", "/v1/admin/explain", a.explain),
		route("GET", "/v1/admin/audit", a.listAudit),
		route("GET", "/v1/admin/events", a.exportEvents),
		route("POST", "/v1/admin/reload", a.reload),
		route("GET", "/v1/admin/log-level", a.getLogLevel),
		route("PUT", "/v1/admin/log-level", a.setLogLevel),
		route("GET", users, a.getUser),
		route("DELETE", users, a.resetUser),
		route("GET", user, a.getUser),
		route("DELETE", user, a.resetUser),
		route("GET", "/v1/admin/erasures/{id}", a.getErasure),
	}
}

// route is an operation whose errors may also be those of the store and of the
// popups' rules.
func route(method, path string, e console.Endpoint) console.Route {
	return console.Route{Method: method, Path: path, Endpoint: func(w http.ResponseWriter, r *http.Request) error {
		if err := e(w, r); err != nil {
			return asProblem(err)
		}
		return nil
	}}
}
