package userstate

import (
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/popupd/popupd/frequency"
	"github.com/popupd/popupd/popup"
)

// TestReset: a reset user sees the popup again, and what was known of the user
// does not come back from the journal, nor later from another server.
func TestReset(t *testing.T) {
	c := &clocked{t: t, dir: t.TempDir(), nowMS: new(atomic.Int64)}
	began := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC).UnixMilli()
	c.nowMS.Store(began)
	c.open()
	defer func() { c.end() }()
	sees := func(user string, want bool) {
		t.Helper()
		if _, token := c.ask(user); (token != "") != want {
			t.Errorf("%s is shown a popup: %v, want %v", user, token != "", want)
		}
	}
	sees("u", true)
	sees("v", true)
	c.nowMS.Add(-time.Hour.Milliseconds()) // what happened in the future goes too
	if err := c.state.Reset([]byte("u")); err != nil {
		t.Fatal(err)
	}
	c.state.Merge(&popup.Event{
		AtMS: began, ServedAtMS: began, User: []byte("u"), Popup: 1, Version: 1, Action: popup.Impression, Nth: 1, ReadyAtMS: began + shownWait.Milliseconds(),
	})
	c.state.table.States([]byte("u"), func(uint32, popup.State) { t.Error("what was reset has come back") })
	c.end()
	c.open()
	sees("u", true)
	sees("v", false)
}

// TestResetIsFinal: a token of before a reset is void, on the server that was asked,
// on one that hears of it, after a start, and where only the database tells. Whoever keeps
// something else of users is told in all these cases.
func TestResetIsFinal(t *testing.T) {
	began := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC).UnixMilli()
	open := func() *clocked {
		c := &clocked{t: t, dir: t.TempDir(), nowMS: new(atomic.Int64)}
		c.nowMS.Store(began)
		c.open()
		return c
	}
	a, b := open(), open()
	defer func() { a.end(); b.end() }()
	servedMS, token := a.ask("u")
	void := func(when string, c *clocked) {
		t.Helper()
		if status := c.act("click", token); status != http.StatusGone {
			t.Errorf("%s a click with a token of before the reset answers %d, want 410", when, status)
		}
		c.state.table.States([]byte("u"), func(uint32, popup.State) { t.Errorf("%s something is remembered", when) })
		if at := c.resets[c.state.table.Hash([]byte("u"))]; frequency.ResetAt(at) != frequency.ResetAt(began+time.Hour.Milliseconds()) {
			t.Errorf("%s a reset at %d was told", when, at)
		}
	}
	a.nowMS.Add(time.Hour.Milliseconds())
	if err := a.state.Reset([]byte("u")); err != nil {
		t.Fatal(err)
	}
	void("at once", a)
	b.nowMS.Add(time.Hour.Milliseconds())
	reset := popup.Event{AtMS: frequency.ResetAt(a.nowMS.Load()), User: []byte("u"), Action: popup.Reset}
	b.state.Merge(&reset)
	b.state.Merge(&popup.Event{ // comes late
		AtMS: servedMS, ServedAtMS: servedMS, User: []byte("u"), Popup: 1, Version: 1, Action: popup.Impression, Nth: 1, ReadyAtMS: servedMS + 1,
	})
	void("where it was heard of", b)
	a.end()
	a.open()
	void("after a start, from the journal,", a)
	a.state.save()
	a.end()
	a.open()
	void("after a start, from the dump,", a)

	c := open()
	defer func() { c.end() }()
	stream := popup.StreamID{1}
	if _, err := c.state.db.Register(t.Context(), stream, 1); err != nil {
		t.Fatal(err)
	}
	reset.Seq = 1
	if _, err := c.state.db.Flush(t.Context(), &popup.Batch{Stream: stream, Last: 1, Events: []popup.Event{reset}}); err != nil {
		t.Fatal(err)
	}
	c.end()
	c.open()
	void("after a start, from the database,", c)
}

// TestResetRefused: a reset that cannot be journaled, or has no valid id, is an
// error and drops nothing.
func TestResetRefused(t *testing.T) {
	c := &clocked{t: t, dir: t.TempDir(), nowMS: new(atomic.Int64)}
	c.nowMS.Store(time.Now().UnixMilli())
	c.open()
	defer func() { c.end() }()
	if _, token := c.ask("u"); token == "" {
		t.Fatal("nothing is shown")
	}
	if err := c.state.Reset([]byte("\n")); err == nil {
		t.Error("an id that is not valid: no error")
	}
	if err := c.state.journal.Close(); err != nil {
		t.Fatal(err)
	}
	if err := c.state.Reset([]byte("u")); err == nil {
		t.Error("a journal that refuses: no error")
	}
	known := 0
	c.state.table.States([]byte("u"), func(uint32, popup.State) { known++ })
	if known != 1 {
		t.Errorf("%d states after a reset that was refused, want 1", known)
	}
}
