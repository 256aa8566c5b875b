package persist

import (
	"os"
	"regexp"
	"testing"
)

// The queries that docs/operations.md gives to analysts find nothing when all is well,
// and something when a row is missing.
func TestReconcilingQueries(t *testing.T) {
	doc, err := os.ReadFile("../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	var queries []string
	for _, m := range regexp.MustCompile("(?s)```sql\n(SELECT.*?);\n```").FindAllSubmatch(doc, -1) {
		queries = append(queries, string(m[1]))
	}
	if len(queries) != 3 {
		t.Fatalf("%d queries, want those for streams, events and users", len(queries))
	}
	eachStore(t, func(t *testing.T, s *store) {
		finds := func(when string, want ...int64) {
			t.Helper()
			for i, q := range queries {
				if got := s.number(t, "SELECT COUNT(*) FROM ("+q+") found"); got != want[i] {
					t.Errorf("%s, query %d finds %d rows, want %d", when, i+1, got, want[i])
				}
			}
		}
		finds("empty", 0, 0, 0)
		id := streamID(1)
		s.register(t, id)
		click := clicked("u", startMS, startMS+5)
		s.mustFlush(t, batchOf(id, 0, shown("u", startMS), click, click, shown("v", startMS), shown("u", startMS+90)))
		s.mustFlush(t, batchOf(id, 5, append(poisoned(6, 2), click)...))
		s.mustFlush(t, batchOf(id, 12, purchased("v", startMS+9, startMS), purchased("v", startMS+9, startMS), purchased("w", startMS, startMS)))
		finds("counted", 0, 0, 0)
		s.exec(t, "DELETE FROM event WHERE seq = 1")
		s.exec(t, "UPDATE popup_stats SET click_users = 7")
		finds("damaged", 1, 1, 1)
		s.empty(t)
	})
}
