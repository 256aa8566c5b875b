package notice

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/popupd/popupd/popup"
)

const nowMS = 1_720_005_600_000 // 2024-07-03T11:20:00Z

// happened is a store in which the same has happened whoever asks.
type happened struct {
	ended    []popup.Popup
	starving []popup.StarvingPopup
	decided  []popup.ExperimentDecision
	err      error
	asked    []int64
}

func (h *happened) EndedPopups(_ context.Context, afterMS, toMS int64) ([]popup.Popup, error) {
	h.asked = append(h.asked, toMS-afterMS)
	return h.ended, h.err
}

func (h *happened) StarvingPopups(_ context.Context, fromMS int64, sampled uint64) ([]popup.StarvingPopup, error) {
	h.asked = append(h.asked, nowMS-fromMS, int64(sampled))
	return h.starving, h.err
}

func (h *happened) ExperimentDecisions(context.Context, int64) ([]popup.ExperimentDecision, error) {
	return h.decided, h.err
}

func sale(t *testing.T) popup.Popup {
	t.Helper()
	spec, err := popup.Decode([]byte(`{"key":"sale","name":"Sale","status":"active","schedule":{"end_at":"2024-07-03T12:00:00+02:00"}}`))
	if err != nil {
		t.Fatal(err)
	}
	return popup.Popup{ID: 7, Version: 4, Spec: spec}
}

func newTestWatch(t *testing.T, m *memory, h *happened) *Watch {
	s, _ := newTestSender(t, m, closed(t))
	s.config.Now = func() int64 { return nowMS }
	return NewWatch(s, h, slog.New(slog.DiscardHandler))
}

// everything is what a store says in which all kinds of things have happened.
func everything(t *testing.T) *happened {
	tour := popup.Popup{ID: 8, Version: 3, Spec: popup.Spec{Key: "tour", Status: popup.Active}}
	return &happened{
		ended:    []popup.Popup{sale(t)},
		starving: []popup.StarvingPopup{{Popup: tour, Polls: 1600, Sampled: 100}},
		decided:  []popup.ExperimentDecision{{PopupID: 7, Key: "sale", Goal: popup.ClickGoal, Variant: "b", AtMS: nowMS - 1_200_000, Lift: 0.125, LiftLow: 0.01, LiftHigh: 0.24}},
	}
}

// TestWatch: what has happened is told once, however many servers look, and again only if it
// is something else.
func TestWatch(t *testing.T) {
	m, h := &memory{}, everything(t)
	one, other := newTestWatch(t, m, h), newTestWatch(t, m, h)
	for i := range 3 {
		for _, w := range []*Watch{one, other} {
			if err := w.look(t.Context(), time.Unix(0, 0).Add(time.Duration(i)*starveEvery)); err != nil {
				t.Fatal(err)
			}
		}
	}
	var subjects []string
	for _, r := range m.rows {
		subjects = append(subjects, r.Subject)
	}
	wantSame(t, "told", subjects, []string{"popup.ended:7:1720000800000", "experiment.decided:7:click:b", "popup.starving:8:3"})
	wantSame(t, "notices given to the outbox, each once by each server", m.adds, 2*len(subjects))
	wantSame(t, "asked for", h.asked[:3], []int64{watchBack.Milliseconds(), starveFor.Milliseconds(), starveSample})

	later := sale(t).Schedule.EndAt.Add(time.Hour)
	h.ended[0].Schedule.EndAt, h.starving[0].Version = &later, 4
	if err := one.look(t.Context(), time.Unix(0, 0).Add(3*starveEvery)); err != nil {
		t.Fatal(err)
	}
	wantSame(t, "notices after another end and another version", len(m.rows), 5)
}

// TestManyStarve: a few are told each time, until all are.
func TestManyStarve(t *testing.T) {
	m, h := &memory{}, &happened{}
	for id := range uint32(2*starveAtOnce + 5) {
		h.starving = append(h.starving, popup.StarvingPopup{Popup: popup.Popup{ID: id, Version: 1}})
	}
	w := newTestWatch(t, m, h)
	for i, want := range []int{starveAtOnce, 2 * starveAtOnce, 2*starveAtOnce + 5, 2*starveAtOnce + 5} {
		if err := w.look(t.Context(), time.Unix(0, 0).Add(time.Duration(i)*starveEvery)); err != nil {
			t.Fatal(err)
		}
		wantSame(t, "told", len(m.rows), want)
	}
}

// TestTextOfDecision: each goal has a word of its own.
func TestTextOfDecision(t *testing.T) {
	for goal, want := range map[popup.ExperimentGoal]string{popup.ClickGoal: "differs in clicks by +10.0 %", popup.ConvertGoal: "differs in conversions by +10.0 %"} {
		if n := decisionOf(&popup.ExperimentDecision{Key: "sale", Goal: goal, Variant: "b", Lift: 0.1}); !strings.Contains(string(n.Body), want) {
			t.Errorf("%s: %s", goal, n.Body)
		}
	}
}

// TestWatchGoesOn: what could not be told is told when the store is back.
func TestWatchGoesOn(t *testing.T) {
	m, h := &memory{down: true}, everything(t)
	w := newTestWatch(t, m, h)
	now := time.Unix(0, 0)
	if err := w.look(t.Context(), now); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("with an outbox that is away: %v", err)
	}
	m.down, h.err = false, io.ErrClosedPipe
	if err := w.look(t.Context(), now); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("with a store that is away: %v", err)
	}
	h.err = nil
	if err := w.look(t.Context(), now); err != nil {
		t.Fatal(err)
	}
	wantSame(t, "told", len(m.rows), 3)
}

// TestLag: an outage is told after a minute, its end after another, and nothing in between
// or of short ones.
func TestLag(t *testing.T) {
	m := &memory{}
	s, _ := newTestSender(t, m, closed(t))
	s.config.Now = func() int64 { return nowMS }
	var oldest time.Duration
	l := NewLag(LagConfig{Sender: s, Server: "web-1", Oldest: func() time.Duration { return oldest }})
	start := time.Unix(0, 0)
	l.agreedAt = start
	now := start
	look := func(age, during time.Duration) {
		oldest = age
		for end := now.Add(during); now.Before(end); {
			now = now.Add(lookAtLag)
			l.look(t.Context(), now)
		}
	}
	look(0, time.Hour)
	look(59*time.Second, time.Hour)
	look(2*time.Minute, lagFor-lookAtLag) // a short one
	look(0, lookAtLag)
	wantSame(t, "told of what is none", len(m.rows), 0)
	look(125*time.Second, 10*time.Minute)
	look(0, lagFor-lookAtLag) // a short recovery
	look(125*time.Second, 2*lookAtLag)
	look(0, lagFor+time.Hour)
	var kinds []string
	for _, r := range m.rows {
		kind, _, _ := strings.Cut(r.Subject, ":")
		kinds = append(kinds, kind)
	}
	wantSame(t, "told", kinds, []Kind{FlushLagged, Recovered})
}

// TestLagWithoutStore: with the store away this server tells it, until it is delivered, and
// the store gets what is left when it is back.
func TestLagWithoutStore(t *testing.T) {
	m, r := &memory{down: true}, newReceiver(t, nil)
	s, _ := newTestSender(t, m, closed(t))
	n := newNotice(FlushLagged, "", nowMS, lag{Server: "web-1", Oldest: 125}, "text")
	s.Tell(t.Context(), n)
	s.step(t.Context()) // nobody answers
	s.config.URL, _ = ParseURL(r.URL)
	s.step(t.Context())
	s.step(t.Context())
	wantSame(t, "delivered", r.ids(), []string{n.ID})

	s.Tell(t.Context(), newNotice(Recovered, "", nowMS, recovery{}, "text"))
	m.down = false
	s.step(t.Context())
	wantSame(t, "kept", []int{len(m.rows), len(s.direct), len(r.ids())}, []int{1, 0, 1})
	m.down = true
	for range maxDirect + 3 {
		s.Tell(t.Context(), newNotice(Recovered, "", nowMS, recovery{}, "text"))
	}
	wantSame(t, "kept in memory", len(s.direct), maxDirect)
}

// TestRuns: all three look on by themselves and end.
func TestRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &memory{}
		ctx, cancel := context.WithCancel(t.Context())
		s := NewSender(Config{Outbox: m, Now: func() int64 { return nowMS }})
		s.config.URL, _ = ParseURL("http://127.0.0.1:1")
		w := NewWatch(s, everything(t), slog.New(slog.DiscardHandler))
		l := NewLag(LagConfig{Sender: s, Oldest: func() time.Duration { return time.Hour }})
		ended := make(chan error, 2)
		go func() { ended <- w.Run(ctx) }()
		go func() { ended <- l.Run(ctx) }()
		time.Sleep(3 * time.Minute)
		cancel()
		for range 2 {
			if err := <-ended; err != nil {
				t.Error(err)
			}
		}
		wantSame(t, "told", len(m.rows), 4)
	})
}

// TestExamples holds the bodies in the document against what is sent.
func TestExamples(t *testing.T) {
	c := changeOf(t, `{"key":"spring-sale","name":"Spring sale"}`, `{"key":"spring-sale","name":"Spring sale","status":"active"}`)
	c.Actor, c.Action, c.AtMS, c.BeforeVersion, c.After.ID, c.After.Version = "ci", "activate", 1_795_975_379_912, 1, 1, 2
	published, _ := OfChange(c)
	m := &memory{}
	w := newTestWatch(t, m, everything(t))
	if err := w.look(t.Context(), time.Unix(0, 0)); err != nil {
		t.Fatal(err)
	}
	oldest := 125 * time.Second
	l := NewLag(LagConfig{Sender: w.sender, Server: "web-1", Oldest: func() time.Duration { return oldest }})
	l.look(t.Context(), time.Unix(1e9, 0))
	oldest = 0
	l.look(t.Context(), time.Unix(1e9, 0).Add(10*time.Minute))
	bodies := [][]byte{published.Body, m.rows[0].Body, m.rows[2].Body, m.rows[1].Body, m.rows[3].Body, m.rows[4].Body}

	page, err := os.ReadFile("../../docs/webhooks.md")
	if err != nil {
		t.Fatal(err)
	}
	examples := strings.Split(string(page), "```json\n")[1:]
	if len(examples) != len(bodies) {
		t.Fatalf("%d examples, want %d", len(examples), len(bodies))
	}
	for i, example := range examples {
		example, _, _ = strings.Cut(example, "```")
		var compact bytes.Buffer
		if err := json.Compact(&compact, []byte(example)); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(string(bodies[i]), compact.String()); d != "" {
			t.Errorf("example %d (-sent +document):\n%s", i, d)
		}
	}
}
