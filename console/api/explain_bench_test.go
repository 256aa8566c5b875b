package api_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/popupd/popupd/internal/apitest"
	"github.com/popupd/popupd/popup"
)

// shopPopup returns one of the popups of a shop: most are targeted, some have hours, variants
// or a rollout, and all are under two caps.
func shopPopup(i int) string {
	apps := `{"attr":"platform","op":"in","value":["ios","android"]}`
	members := []string{
		fmt.Sprintf(`"targeting":{"all":[%s,{"attr":"app_version","op":"semver_gte","value":"3.%d"},
			{"attr":"country","op":"in","value":["HK","TW","SG"]}],"none":[{"attr":"segment","op":"eq","value":"staff"}]}`, apps, i%3),
		fmt.Sprintf(`"targeting":{"all":[%s,{"attr":"signup","op":"older_than","value":"%dd"}]},"frequency":{"after_impression_sec":3600}`, apps, i%90),
		fmt.Sprintf(`"schedule":{"days":["mon","tue","sat"],"hours":[["0%d:00","12:30"],["18:00","23:00"]],"timezone":"Europe/Berlin","user_time":%v}`, i%9, i%8 == 2),
		fmt.Sprintf(`"targeting":{"all":[%s,{"attr":"segment","op":"in","value":["s%d","s%d"]},{"attr":"orders","op":"gte","value":%d}]},
			"rollout":{"percent":50},"variants":[{"key":"a"},{"key":"none","control":true}]`, apps, i/4%500, i/4%500+1, i/4%10),
	}
	return fmt.Sprintf(`{"key":"popup-%d","status":"active","priority":%d,%s}`, i, i%7, members[i%4])
}

// BenchmarkExplain explains a page of ten thousand popups over HTTP, for a user who has seen
// two hundred of them, or half of them.
func BenchmarkExplain(b *testing.B) {
	p := newPlane(b)
	for i := range 10_000 {
		s, err := popup.Decode([]byte(shopPopup(i)))
		if err != nil {
			b.Fatal(err)
		}
		p.store.popups = append(p.store.popups, popup.Popup{ID: uint32(i + 1), Version: 1, Spec: s})
	}
	p.store.settings = popup.StoredSettings{Version: 1, UpdatedAt: &apitest.Noon, Settings: popup.Settings{MinGapSec: 60, Caps: []popup.Cap{{Key: "day", Max: 3, PerSec: 86_400, Tags: []string{}}, {Key: "week", Max: 20, PerSec: 604_800, Tags: []string{}}}}}
	p.Want(200, "", "POST", "/v1/admin/reload", "")
	at := apitest.Noon.UnixMilli()
	for user, seen := range map[string]int64{"some": 200, "many": 5000} {
		u := p.table.Lock([]byte(user))
		for i := range seen {
			ev := popup.Event{User: []byte(user), Popup: uint32(i*10_000/seen + 1), Version: 1, Action: popup.Impression, AtMS: at - i*10_000}
			u.Serve(&ev, &popup.Frequency{AfterImpressionSec: 86400})
		}
		u.Unlock()
	}
	const poll = `{"uid":%q,"platform":"ios","app_version":"3.2.1","country":"CN","tz":"Asia/Shanghai","attributes":{"segment":"s7","orders":3,"signup":"2026-02-01"}%s}`
	const later = `,"at":"2026-06-01T07:30:00Z"`
	for _, c := range []struct{ user, query, more string }{
		{"some", "?limit=1", ""}, {"some", "?limit=50", ""}, {"some", "?limit=500", ""}, {"some", "?limit=500", later},
		{"many", "?limit=1", ""}, {"many", "?limit=500", ""}, {"many", "?limit=500", later},
	} {
		b.Run("seen="+c.user+"/"+c.query[1:]+c.more[:min(len(c.more), 4)], func(b *testing.B) {
			client := &http.Client{}
			defer client.CloseIdleConnections()
			size := 0
			for b.Loop() {
				r, err := http.NewRequest("POST", p.URL+explainPath+c.query, strings.NewReader(fmt.Sprintf(poll, c.user, c.more)))
				if err != nil {
					b.Fatal(err)
				}
				r.Header.Set("Authorization", "Bearer "+token)
				r.Header.Set("Content-Type", "application/json")
				response, err := client.Do(r)
				if err != nil {
					b.Fatal(err)
				}
				n, err := io.Copy(io.Discard, response.Body)
				if err != nil || response.StatusCode != 200 {
					b.Fatal(response.Status, err)
				}
				response.Body.Close()
				size = int(n)
			}
			b.ReportMetric(float64(size), "bytes")
		})
	}
}
