package bench

import (
	"fmt"
	"testing"
	"time"

	"github.com/popupd/popupd/popup"
	"github.com/popupd/popupd/snapshot"
)

// startMS is a Tuesday afternoon, the time at which benchmarks begin.
var startMS = time.Date(2026, 9, 1, 14, 0, 0, 0, time.UTC).UnixMilli()

// catalog is a catalog of as many popups as it says.
type catalog int

// rows returns popups as a shop has them. Every fifth fits the requests of
// these benchmarks; the others are stopped by placement, platform, version,
// locale, or an attribute.
func (n catalog) rows() []popup.Row {
	rows := make([]popup.Row, n)
	for i := range rows {
		spec := fmt.Sprintf(`{"key":"p%d","status":"active","priority":%d,%s,
			"variants":[{"key":"a","weight":60,"content":%s},{"key":"b","weight":40,"content":%[4]s}]`,
			i+1, i%7, members(i), `{"title":"Spring sale","body":"Up to 40 % off, today only.","image":"https://img.example/spring.webp","link":"https://shop.example/sale"}`)
		if i%4 == 0 {
			spec += `,"schedule":{"start_at":"2026-08-20T00:00:00Z","end_at":"2026-12-01T00:00:00Z"}`
		} else if i%9 == 1 {
			spec += `,"schedule":{"timezone":"Asia/Shanghai","days":["mon","tue","wed","thu","fri"],"hours":[["08:00","23:59"]]}`
		}
		rows[i] = popup.Row{ID: uint32(i + 1), Version: 1, Key: fmt.Sprintf("p%d", i+1), Spec: []byte(spec + "}")}
	}
	return rows
}

// fits is how many of n popups fit.
func (n catalog) fits() int { return (int(n) + 4) / 5 }

// members returns what decides whom popup i is for.
func members(i int) string {
	apps := `{"attr":"platform","op":"in","value":["ios","android"]}`
	switch i % 5 {
	case 0:
		return fmt.Sprintf(`"placements":["home","list"],"targeting":{"all":[%s,{"attr":"app_version","op":"semver_gte","value":"3.%d"},
			{"attr":"country","op":"in","value":["CN","HK","TW","SG"]}],"none":[{"attr":"segment","op":"eq","value":"staff"}]}`, apps, i%3)
	case 1:
		return fmt.Sprintf(`"placements":["cart","checkout"],"targeting":{"all":[%s,{"attr":"locale","op":"prefix","value":"zh"}]}`, apps)
	case 2:
		return fmt.Sprintf(`"placements":["home"],"targeting":{"all":[{"attr":"platform","op":"eq","value":"web"},{"attr":"country","op":"eq","value":%q}]}`,
			[]string{"CN", "US", "DE", "FR", "JP"}[i/5%5])
	case 3:
		return fmt.Sprintf(`"placements":["home"],"targeting":{"all":[%s,{"attr":"app_version","op":"semver_gte","value":"4.%d"}],
			"any":[{"attr":"locale","op":"prefix","value":"zh"},{"attr":"locale","op":"eq","value":"en-SG"}]}`, apps, i/5%40)
	}
	return fmt.Sprintf(`"placements":["home","profile"],"targeting":{"all":[%s,{"attr":"segment","op":"in","value":["s%d","s%d"]},
		{"attr":"orders","op":"gte","value":%d}]},"rollout":{"percent":50}`, apps, i/5%500, i/5%500+1, i/5%10)
}

// compiled keeps snapshots from one benchmark to the next: compiling 10,000
// popups takes longer than measuring.
var compiled = map[catalog]*snapshot.Store{}

func (n catalog) store(b *testing.B) *snapshot.Store {
	b.Helper()
	if compiled[n] == nil {
		s := snapshot.NewStore()
		popups, broken := snapshot.Compile(popup.Catalog{Revision: 1, Popups: n.rows()}, nil)
		if len(broken) != 0 {
			b.Fatalf("broken popups: %v", broken)
		}
		s.Set(popups)
		if got := len(s.Current().All()); got != int(n) {
			b.Fatalf("%d popups compiled, want %d", got, n)
		}
		compiled[n] = s
	}
	return compiled[n]
}
