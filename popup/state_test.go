package popup

import (
	"testing"

	"pgregory.net/rapid"
)

// drawState draws from few values, so that ties are common.
func drawState(t *rapid.T, name string) State {
	small := rapid.Int64Range(0, 3)
	action := rapid.SampledFrom([]Action{Impression, Click, Dismiss, Convert, Control}).Draw(t, name+" action")
	e := Event{
		AtMS: small.Draw(t, name+" at"), ServedAtMS: small.Draw(t, name+" served at"), Action: action,
		Nth: uint32(small.Draw(t, name+" nth")), ReadyAtMS: small.Draw(t, name+" ready at"),
	}
	if action == Click || action == Convert {
		e.ClickUntilMS = e.ReadyAtMS
	}
	return e.State()
}

func merged(states ...State) State {
	var s State
	for _, o := range states {
		s.Merge(o)
	}
	return s
}

func TestMergeIsOrderFree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := drawState(t, "a"), drawState(t, "b"), drawState(t, "c")
		if x, y := merged(a, b), merged(b, a); x != y {
			t.Fatalf("a+b = %+v\nb+a = %+v", x, y)
		}
		left, right := merged(a, b), merged(b, c)
		left.Merge(c)
		a2 := a
		a2.Merge(right)
		if left != a2 {
			t.Fatalf("(a+b)+c = %+v\na+(b+c) = %+v", left, a2)
		}
		if x, y := merged(a, b, a, b, b), merged(a, b); x != y {
			t.Fatalf("repeated = %+v\nonce     = %+v", x, y)
		}
	})
}

func TestDismissDoesNotShortenClick(t *testing.T) {
	click := Event{AtMS: 10, ServedAtMS: 1, Action: Click, Nth: 1, ReadyAtMS: 1000, ClickUntilMS: 1000}
	dismiss := Event{AtMS: 20, ServedAtMS: 1, Action: Dismiss, Nth: 1, ReadyAtMS: 30}
	if got := merged(click.State(), dismiss.State()); got.NextAtMS != 1000 || got.Last != Dismiss {
		t.Errorf("after click and dismiss: %+v, want next at 1000 and last dismiss", got)
	}
}

func TestNewerEventReplacesWait(t *testing.T) {
	shown := Event{AtMS: 1, ServedAtMS: 1, Action: Impression, Nth: 1, ReadyAtMS: 1000}
	dismissed := Event{AtMS: 2, ServedAtMS: 1, Action: Dismiss, Nth: 1, ReadyAtMS: 50}
	if got := merged(shown.State(), dismissed.State()); got.NextAtMS != 50 {
		t.Errorf("next at %d, want the dismiss wait, 50", got.NextAtMS)
	}
}

func TestUntil(t *testing.T) {
	for _, c := range []struct{ now, sec, want int64 }{
		{1000, 0, 1000},
		{1000, 2, 3000},
		{1000, Forever, Never},
		{1000, 1 << 60, Never},
	} {
		if got := Until(c.now, c.sec); got != c.want {
			t.Errorf("Until(%d, %d) = %d, want %d", c.now, c.sec, got, c.want)
		}
	}
}

func TestValidUserID(t *testing.T) {
	long := make([]byte, MaxUserID+1)
	for i := range long {
		long[i] = 'x'
	}
	for _, c := range []struct {
		id   string
		want bool
	}{
		{"u", true}, {"用户-1", true}, {"a b", true}, {string(long[:MaxUserID]), true}, {"\u00a0", true}, {"\ufffd", true},
		{"", false}, {string(long), false}, {"a\nb", false}, {"a\x00", false}, {"\x7f", false}, {"\u0085", false}, {"\xff", false}, {"a\xe2\x82", false},
	} {
		if got := ValidUserID([]byte(c.id)); got != c.want {
			t.Errorf("ValidUserID(%q) = %v, want %v", c.id, got, c.want)
		}
	}
}
