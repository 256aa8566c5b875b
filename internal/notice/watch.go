package notice

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"time"

	"github.com/popupd/popupd/internal/retry"
	"github.com/popupd/popupd/popup"
)

const (
	watchEvery   = time.Minute
	watchTimeout = 20 * time.Second

	// watchBack is how far back is looked for what nobody has told, also after servers were
	// down. It is shorter than notices are kept, so that nothing is told twice.
	watchBack = 3 * 24 * time.Hour

	// A popup starves if it was as it is for starveFor, fits at least starveSample polls of
	// the sample in that time, and was shown in none.
	starveFor    = 24 * time.Hour
	starveSample = 100
	starveEvery  = 15 * time.Minute // how often that is looked for
	starveAtOnce = 20               // of how many it is told then, so that they don't crowd out what is urgent
)

// Store says what happens without anybody changing a popup. Calls block until it answers or
// ctx ends.
type Store interface {
	// EndedPopups returns the active popups whose schedules ended after a time and up to
	// another.
	EndedPopups(ctx context.Context, afterMS, toMS int64) ([]popup.Popup, error)
	// StarvingPopups returns the active popups, unchanged since fromMS, of which at least so
	// many sampled polls say that another one went first, and that were never shown since.
	StarvingPopups(ctx context.Context, fromMS int64, sampled uint64) ([]popup.StarvingPopup, error)
	// ExperimentDecisions returns the decisions of afterMS and later.
	ExperimentDecisions(ctx context.Context, afterMS int64) ([]popup.ExperimentDecision, error)
}

// Watch tells what nobody has done: that a schedule has ended, a popup starves or an
// experiment tells a variant apart. All servers look, and the outbox keeps one notice of each.
type Watch struct {
	sender *Sender
	store  Store
	outage retry.Outage

	told      map[string]bool // subjects that the outbox has
	forgetAt  time.Time       // when told is emptied, so that it does not grow
	starvesAt time.Time       // when starving popups are looked for
}

// NewWatch returns one that tells nothing before [Watch.Run].
func NewWatch(s *Sender, store Store, log *slog.Logger) *Watch {
	return &Watch{sender: s, store: store, outage: retry.Outage{
		Log: log, Begins: "the store does not say which popups have ended or starve", Ends: "the store says again which popups have ended or starve",
	}}
}

// Run looks once a minute until ctx ends, and then returns nil.
func (w *Watch) Run(ctx context.Context) error {
	if !w.sender.Enabled() {
		return nil
	}
	for {
		err := w.look(ctx, time.Now())
		if ctx.Err() != nil {
			return nil
		}
		w.outage.Report(err)
		if retry.Pause(ctx, watchEvery) != nil {
			return nil
		}
	}
}

func (w *Watch) look(ctx context.Context, now time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, watchTimeout)
	defer cancel()
	if !now.Before(w.forgetAt) {
		w.told, w.forgetAt = map[string]bool{}, now.Add(watchBack)
	}
	nowMS := w.sender.config.Now()
	ended, err := w.store.EndedPopups(ctx, nowMS-watchBack.Milliseconds(), nowMS)
	if err != nil {
		return err
	}
	for i := range ended {
		if err := w.tell(ctx, endOf(&ended[i])); err != nil {
			return err
		}
	}
	decisions, err := w.store.ExperimentDecisions(ctx, nowMS-watchBack.Milliseconds())
	if err != nil {
		return err
	}
	for i := range decisions {
		if err := w.tell(ctx, decisionOf(&decisions[i])); err != nil {
			return err
		}
	}
	if now.Before(w.starvesAt) {
		return nil
	}
	starving, err := w.store.StarvingPopups(ctx, nowMS-starveFor.Milliseconds(), starveSample)
	if err != nil {
		return err
	}
	newOnes := 0
	for i := range starving {
		n := starvingOf(&starving[i], nowMS)
		if w.told[n.Subject] {
			continue
		}
		if newOnes++; newOnes > starveAtOnce {
			break // the next time
		}
		if err := w.tell(ctx, n); err != nil {
			return err
		}
	}
	w.starvesAt = now.Add(starveEvery)
	return nil
}

// tell gives a notice to the outbox, unless it has one of the subject.
func (w *Watch) tell(ctx context.Context, n popup.Notice) error {
	if w.told[n.Subject] {
		return nil
	}
	err := w.sender.add(ctx, n)
	if err == nil {
		w.told[n.Subject] = true
	}
	return err
}

func endOf(p *popup.Popup) popup.Notice {
	data := struct {
		Popup about     `json:"popup"`
		EndAt time.Time `json:"end_at"`
	}{aboutPopup(p), p.Schedule.EndAt.UTC()}
	endMS := p.Schedule.EndAt.UnixMilli()
	text := fmt.Sprintf("Popup %s has ended, as its schedule says", data.Popup.title())
	return newNotice(Ended, fmt.Sprintf("%d:%d", p.ID, endMS), endMS, data, text)
}

func starvingOf(p *popup.StarvingPopup, nowMS int64) popup.Notice {
	data := struct {
		Popup   about  `json:"popup"`
		Version uint32 `json:"version"`
		Hours   int    `json:"hours"`
		Polls   uint64 `json:"outranked_polls"` // as estimated
		Sampled uint64 `json:"sampled_polls"`
	}{aboutPopup(&p.Popup), p.Version, int(starveFor / time.Hour), p.Polls, p.Sampled}
	text := fmt.Sprintf("Popup %s fits and is never shown: in %d hours another popup went first in about %d polls", data.Popup.title(), data.Hours, p.Polls)
	return newNotice(Starving, fmt.Sprintf("%d:%d", p.ID, p.Version), nowMS, data, text)
}

func decisionOf(d *popup.ExperimentDecision) popup.Notice {
	data := struct {
		Popup    experimentOf         `json:"popup"`
		Goal     popup.ExperimentGoal `json:"goal"`
		Variant  string               `json:"variant"`
		Lift     float64              `json:"lift"`
		LiftLow  float64              `json:"lift_low"`
		LiftHigh float64              `json:"lift_high"`
	}{experimentOf{d.PopupID, d.Key, "/v1/admin/popups/" + d.Key + "/experiment"}, d.Goal, d.Variant, d.Lift, d.LiftLow, d.LiftHigh}
	did := "clicks"
	if d.Goal == popup.ConvertGoal {
		did = "conversions"
	}
	text := fmt.Sprintf("Popup %s: variant %s differs in %s by %+.1f %% (%+.1f %% to %+.1f %%)", d.Key, words(d.Variant), did,
		percent(d.Lift), percent(d.LiftLow), percent(d.LiftHigh))
	return newNotice(Decided, fmt.Sprintf("%d:%s:%s", d.PopupID, d.Goal, d.Variant), d.AtMS, data, text)
}

// experimentOf says which popup an experiment is of, and where the API has it.
type experimentOf struct {
	ID   uint32 `json:"id"`
	Key  string `json:"key"`
	Path string `json:"path"`
}

// percent returns a share as JSON and people can have it.
func percent(share float64) float64 { return math.Round(share*1000) / 10 }
