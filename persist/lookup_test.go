package persist

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/popupd/popupd/popup"
)

// TestLookUp: of the users who are asked for all states come, and those impressions that caps
// may count; of others nothing, whatever their ids look like.
func TestLookUp(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		const second = 1000
		u, other, control := shown("u", startMS), shown("u", startMS+second), shown("用户", startMS+second)
		other.Popup, control.Action = 9, popup.Control
		s.register(t, streamID(1))
		s.mustFlush(t, batchOf(streamID(1), 0, u, other, clicked("u", startMS, startMS+second), control, shown("u ", startMS), shown("U", startMS), shown("it's", startMS)))
		lookUp := func(sinceMS int64, users ...string) map[string]string {
			t.Helper()
			got := map[string]string{}
			var ids [][]byte
			for _, user := range users {
				ids = append(ids, []byte(user))
			}
			if err := s.LookUp(t.Context(), ids, sinceMS, func(user []byte, id uint32, st popup.State) {
				got[fmt.Sprintf("%s %d", user, id)] = fmt.Sprintf("%d %v %d %d", st.Impressions, st.Last, st.ServedAtMS-startMS, st.ShownAtMS-startMS)
			}, func(user []byte, id uint32, servedAtMS int64, acted uint8) {
				got[fmt.Sprintf("%s %d at %d", user, id, servedAtMS-startMS)] = fmt.Sprint(acted)
			}); err != nil {
				t.Fatal(err)
			}
			return got
		}
		for name, c := range map[string]struct {
			since int64
			users []string
			want  map[string]string
		}{
			"without caps": {0, []string{"u", "用户", "nobody"}, map[string]string{
				"u 1": "1 click 0 0", "u 9": "1 impression 1000 1000", "用户 1": fmt.Sprint("0 control 1000 ", -startMS),
			}},
			"with caps": {startMS, []string{"u", "用户"}, map[string]string{
				"u 1": "1 click 0 0", "u 9": "1 impression 1000 1000", "用户 1": fmt.Sprint("0 control 1000 ", -startMS), "u 9 at 1000": "0",
			}},
			"longer caps":     {startMS - 1, []string{"u"}, map[string]string{"u 1": "1 click 0 0", "u 9": "1 impression 1000 1000", "u 1 at 0": fmt.Sprint(popup.Click.Bit()), "u 9 at 1000": "0"}},
			"a quote":         {0, []string{"it's"}, map[string]string{"it's 1": "1 impression 0 0"}},
			"a space":         {0, []string{"u "}, map[string]string{"u  1": "1 impression 0 0"}},
			"another case":    {0, []string{"U"}, map[string]string{"U 1": "1 impression 0 0"}},
			"nobody":          {startMS, []string{"nobody"}, map[string]string{}},
			"the same, twice": {0, []string{"U", "U"}, map[string]string{"U 1": "1 impression 0 0"}},
		} {
			if d := cmp.Diff(c.want, lookUp(c.since, c.users...)); d != "" {
				t.Errorf("%s (-want +got):\n%s", name, d)
			}
		}
		many := make([]string, MaxLookUp)
		for i := range many {
			many[i] = fmt.Sprint("many", i)
		}
		many[MaxLookUp-1] = "U"
		if got := lookUp(startMS-1, many...); len(got) != 2 {
			t.Errorf("of %d users %v was found, want a state and an impression", len(many), got)
		}
	})
}

// TestCommitted tells how far streams are committed, those that there are.
func TestCommitted(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		s.register(t, streamID(1))
		s.register(t, streamID(2))
		s.mustFlush(t, batchOf(streamID(1), 0, shown("u", startMS), shown("v", startMS)))
		streams := []popup.StreamID{streamID(1), streamID(2), streamID(3)}
		for i := range 300 { // more than fit into a query
			streams = append(streams, popup.StreamID{9, byte(i), byte(i >> 8)})
		}
		got, err := s.Committed(t.Context(), streams)
		if d := cmp.Diff(map[popup.StreamID]uint64{streamID(1): 2, streamID(2): 0}, got); d != "" || err != nil {
			t.Errorf("%v (-want +got):\n%s", err, d)
		}
		if got, err := s.Committed(t.Context(), nil); len(got) > 0 || err != nil {
			t.Errorf("of no stream: %v, %v", got, err)
		}
	})
}

// TestRestoreOfChangesOnly reads nothing where all would have to be read, and says so.
func TestRestoreOfChangesOnly(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		s.register(t, streamID(1))
		s.mustFlush(t, batchOf(streamID(1), 0, shown("u", startMS)))
		read := func(k *Known) (Found, int) {
			t.Helper()
			n := 0
			f, err := s.Restore(t.Context(), startMS, 0, k, true, func([]byte, uint32, popup.State) { n++ })
			if err != nil {
				t.Fatal(err)
			}
			return f, n
		}
		f, n := read(nil)
		if f.Full != fullUnknown || n != 0 || f.Committed[streamID(1)] != 1 {
			t.Errorf("%q, %d states, committed %v; want none read, up to 1", f.Full, n, f.Committed)
		}
		s.mustFlush(t, batchOf(streamID(1), 1, shown("v", startMS), shown("w", startMS)))
		if f, n := read(&Known{Seqs: f.Committed, Committed: f.Committed, QuietMS: f.QuietMS}); f.Full != "" || n != 2 {
			t.Errorf("%q, %d states; want 2 that have changed", f.Full, n)
		}
	})
}
