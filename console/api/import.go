package api

import (
	"cmp"
	"context"
	"errors"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/popupd/popupd/console"
	"github.com/popupd/popupd/popup"
	"github.com/popupd/popupd/snapshot"
	"github.com/popupd/popupd/snapshot/lint"
)

const (
	maxImport = 64 << 20
	// importWait is how long an import waits for the one before it on this server, such as the
	// check of a pull request while another one is applied.
	importWait = 30 * time.Second
	// maxLinted is how many changed popups of an import get warnings, so that one of all
	// popups takes no longer than it must.
	maxLinted = 1000
)

// importAnswer is the answer to an import, and to a dry run.
type importAnswer struct {
	DryRun   bool                 `json:"dry_run"`
	Revision int64                `json:"revision"`
	Summary  importSummary        `json:"summary"`
	Objects  []popup.ObjectChange `json:"objects"`
}

// importSummary counts objects by what is done with them.
type importSummary struct {
	Create    int `json:"create"`
	Update    int `json:"update"`
	Archive   int `json:"archive"`
	Unchanged int `json:"unchanged"`
}

func summarize(objects []popup.ObjectChange) (s importSummary) {
	for i := range objects {
		switch objects[i].Action {
		case popup.ImportCreate:
			s.Create++
		case popup.ImportUpdate:
			s.Update++
		case popup.ImportArchive:
			s.Archive++
		default:
			s.Unchanged++
		}
	}
	return s
}

// importConfiguration makes many changes as one, or tells what they would be. Only making them
// takes an admin: a dry run tells what whoever may read can find out.
func (a *API) importConfiguration(w http.ResponseWriter, r *http.Request) error {
	dryRun, err := isDryRun(r)
	if err != nil {
		return err
	}
	if !dryRun {
		if err := console.CallerOf(r).Require(popup.RoleAdmin, "Importing without dry_run"); err != nil {
			return err
		}
	}
	match, err := parseIfMatch(r)
	if err != nil {
		return err
	}
	control := http.NewResponseController(w)
	_ = control.SetWriteDeadline(time.Now().Add(importWait + 3*configurationTimeout)) // in tests there may be none
	if err := a.beginImport(r.Context()); err != nil {
		return err
	}
	defer a.endImport()
	_ = control.SetReadDeadline(time.Now().Add(configurationTimeout))
	im, err := readImport(w, r)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), configurationTimeout)
	defer cancel()
	check := func(at popup.Position) error { return match.checkTag(positionTag(at), errStaleRevision) }
	var result popup.ImportResult
	change := popup.Change{Actor: actor(r), Action: "import"}
	if dryRun {
		result, err = a.config.Configurations.PlanImport(ctx, &im, check)
	} else {
		result, err = a.config.Configurations.Import(ctx, change, &im, check)
	}
	if err != nil {
		return err
	}
	answer := importAnswer{DryRun: dryRun, Revision: result.Position.Revision, Summary: summarize(result.Objects), Objects: append([]popup.ObjectChange{}, result.Objects...)}
	popups := a.config.Snapshots.Current
	if dryRun {
		popups = func() *snapshot.Snapshot { return proposed(a.config.Snapshots.Current(), answer.Objects) }
	} else if !result.IsUnchanged() {
		a.putInForce(w, r, "configuration", a.config.Log.With("revision", answer.Revision, "create", answer.Summary.Create, "update", answer.Summary.Update,
			"archive", answer.Summary.Archive, "source", im.Source, "action", change.Action, "actor", change.Actor))
	}
	a.warn(answer.Objects, popups())
	w.Header().Set("ETag", positionTag(result.Position))
	console.WriteJSON(w, http.StatusOK, answer)
	return nil
}

// beginImport waits until no other import runs on this server: one may take several times its
// size in memory.
func (a *API) beginImport(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, importWait)
	defer cancel()
	select {
	case a.importing <- struct{}{}:
		return nil
	case <-ctx.Done():
		return console.NewProblem(http.StatusServiceUnavailable, "busy", "Another import is running on this server.")
	}
}

func (a *API) endImport() { <-a.importing }

var errStaleRevision = console.NewProblem(http.StatusPreconditionFailed, "stale_revision", "Something has been changed since what If-Match names was read; read it again.")

// isDryRun refuses whatever is not understood: who has misspelt dry_run must not get an import.
func isDryRun(r *http.Request) (bool, error) {
	q, err := url.ParseQuery(r.URL.RawQuery)
	for name := range q {
		if name != "dry_run" {
			return false, invalidParameter(name, "is not a parameter of an import, which has dry_run.")
		}
	}
	switch values := q["dry_run"]; {
	case err != nil || len(values) > 1:
	case len(values) == 0 || values[0] == "0":
		return false, nil
	case values[0] == "1":
		return true, nil
	}
	return false, invalidParameter("dry_run", "must be 1 or 0, and be there once.")
}

func readImport(w http.ResponseWriter, r *http.Request) (popup.Import, error) {
	body, err := readBodyUpTo(w, r, maxImport)
	if err != nil {
		return popup.Import{}, err
	}
	if err := checkJSON(body); err != nil {
		return popup.Import{}, err
	}
	im, err := popup.DecodeImport(body)
	if errors.Is(err, popup.ErrTooManyPopups) {
		err = console.NewProblem(http.StatusRequestEntityTooLarge, "too_many_popups", "The body has more than "+strconv.Itoa(popup.MaxImportPopups)+" popups.")
	}
	return im, err
}

// warn tells of objects that change what has no effect among the popups of a snapshot.
func (a *API) warn(objects []popup.ObjectChange, among *snapshot.Snapshot) {
	linted := 0
	for i := range objects {
		o := &objects[i]
		switch {
		case o.Action == popup.ImportUnchanged || o.Action == popup.ImportArchive:
		case o.Kind == popup.SettingsObject:
			o.Warnings = lint.CheckSettings(o.Settings, among)
		case o.Kind == popup.PopupObject && linted < maxLinted:
			linted++
			o.Warnings = lint.Check(o.Spec, o.ID, among, a.config.Now())
		}
	}
}

// proposed returns the snapshot that would be in force after the changes of a dry run. New
// popups get ids that no others have, and the changes theirs.
func proposed(current *snapshot.Snapshot, objects []popup.ObjectChange) *snapshot.Snapshot {
	change := popup.CatalogChange{Revision: current.Revision}
	rows, _ := current.Audiences()
	rows = slices.Clone(rows)
	for i := range objects {
		o := &objects[i]
		switch {
		case o.Action == popup.ImportUnchanged:
		case o.Kind == popup.SettingsObject:
			change.Settings = &popup.SettingsRow{Version: o.ToVersion, Spec: o.Settings.Encode()}
		case o.Kind == popup.AudienceObject:
			rows = slices.DeleteFunc(rows, func(a popup.AudienceRow) bool { return a.Key == o.Key })
			rows = append(rows, popup.AudienceRow{ID: cmp.Or(o.ID, math.MaxUint32-uint32(i)), Version: o.ToVersion, Key: o.Key, Rule: o.Rule.Encode()})
			change.Audiences = &rows
		default:
			if o.ID == 0 {
				o.ID = math.MaxUint32 - uint32(i)
			}
			change.Popups = append(change.Popups, popup.Row{ID: o.ID, Version: o.ToVersion, Key: o.Key, Spec: o.Spec.Encode(), Archived: o.Action == popup.ImportArchive})
		}
	}
	next, _ := snapshot.Apply(current, change) // each is valid
	return next
}
