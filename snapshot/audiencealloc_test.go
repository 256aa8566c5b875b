//go:build !race

package snapshot

import (
	"fmt"
	"testing"

	"github.com/popupd/popupd/popup"
)

// TestAudiencesDoNotAllocate has lists and rules in play, that the user is in and is not, in a
// segment of one batch and of many.
func TestAudiencesDoNotAllocate(t *testing.T) {
	for _, n := range []int{30, 3000} {
		audiences := []popup.AudienceRow{
			listRow(1, "vip", 1), listRow(2, "blocked", 1), ruleRow(3, "pro", `"all":[{"attr":"plan","op":"eq","value":"pro"}],"none":[`+in("in", "blocked")+`]`),
			ruleRow(4, "both", `"all":[`+in("in", "vip")+`,`+in("in", "pro")+`]`),
		}
		var popups []popup.Row
		for i := range n {
			popups = append(popups, row(uint32(i+1), fmt.Sprintf(`"targeting":{"all":[%s],"none":[%s],"any":[%s,%s]}`,
				in("in", "vip", "pro"), in("in", "blocked"), in("in", "both"), in("not_in", "pro"))), row(uint32(n+i+1), `"targeting":{"all":[`+in("in", "unknown")+`]}`))
		}
		s, _ := Compile(popup.Catalog{Popups: popups, Audiences: audiences, AudienceKey: audienceKey}, nil)
		s = s.WithList(listOf(t, audiences[0], "u")).WithList(listOf(t, audiences[1], "x"))
		if s = Compact(s); s.audiences.joint == nil {
			t.Fatal("no joint of lists")
		}
		var m, other Matches
		for _, user := range []string{"u", "v"} {
			r := request(user)
			r.Attrs = []popup.Attr{{Name: []byte("plan"), Value: []byte("pro")}}
			found := m.all(s, r)
			for what, f := range map[string]func(){
				"Match": func() { m.all(s, r) },
				"Match that shares the user": func() {
					other.ShareUser(&m)
					if got := other.all(s, r); got != found {
						t.Fatalf("found %d, want %d", got, found)
					}
				},
			} {
				m.all(s, r)
				if got := testing.AllocsPerRun(100, f); got != 0 {
					t.Errorf("%d popups, %s, user %s: %v allocations, want 0", n, what, user, got)
				}
			}
			if want := map[string]int{"u": n, "v": 0}[user]; found != want {
				t.Errorf("user %s: %d popups, want %d", user, found, want)
			}
		}
	}
}
