//go:build linux

package e2e

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// targetedOnAnother: what popups that one server stores want of a request, the other
// asks of it, for conditions and schedules of each kind that read more than equal texts, and
// for translations. Both trust a proxy on loopback.
func targetedOnAnother(t *testing.T, a, b *server) {
	t.Helper()
	now := time.Now()
	ago := func(d time.Duration) string { return "a.since=" + now.Add(-d).UTC().Format(time.RFC3339) }
	tokyo := now.In(time.FixedZone("", 9*3600))
	around := fmt.Sprintf(`[["%s","%s"]]`, tokyo.Add(-time.Hour).Format("15:04"), tokyo.Add(time.Hour).Format("15:04"))
	all := func(condition string) string { return `"targeting":{"all":[{` + condition + `}]}` }
	popups := []struct {
		members  string
		yes, not []string // what polls say; "from" is of the proxy
	}{
		{all(`"attr":"tag","op":"eq","value":"b"`), []string{"a.tag=a&a.tag=b"}, []string{"a.tag=a&a.tag=c", ""}},
		{all(`"attr":"tag","op":"not_in","value":["b","c"]`), []string{"a.tag=a&a.tag=d", ""}, []string{"a.tag=a&a.tag=b"}},
		{all(`"attr":"ip","op":"in_cidr","value":["203.0.113.0/24","2001:db8::/32"]`), []string{"from 203.0.113.7", "from 192.0.2.1, 2001:db8::7"}, []string{"from 203.0.113.7, 192.0.2.1", "ip=203.0.113.7", "a.ip=203.0.113.7"}},
		{`"schedule":{"user_time":true,"timezone":"UTC","hours":` + around + `}`, []string{"tz=Asia/Tokyo", "tz=Asia%2FSeoul"}, []string{"tz=Europe/London", "tz=Mars/Olympus", ""}},
		{all(`"attr":"plan","op":"in","value":["Pro","Team"],"ignore_case":true`), []string{"a.plan=PRO", "a.plan=team"}, []string{"a.plan=free", ""}},
		{all(`"attr":"app_version","op":"semver_gte","value":"3.9"`), []string{"app_version=3.10.0", "app_version=v3.9"}, []string{"app_version=3.9-rc.1", "app_version=dev"}},
		{all(`"attr":"app_version","op":"semver_lt","value":"3.9"`), []string{"app_version=3.8.9"}, []string{"app_version=3.10", "app_version=dev"}},
		{all(`"attr":"app_version","op":"semver_gt","value":"3.9"`), []string{"app_version=3.9.1"}, []string{"app_version=3.9", ""}},
		{all(`"attr":"app_version","op":"semver_lte","value":"3.9"`), []string{"app_version=3.9"}, []string{"app_version=3.9.1", ""}},
		{all(`"attr":"app_version","op":"semver_eq","value":"3.9"`), []string{"app_version=3.9.0%2B7"}, []string{"app_version=3.9.1"}},
		{all(`"attr":"path","op":"matches","value":"^/product/[0-9]+$"`), []string{"path=/product/42"}, []string{"path=/product/42/reviews", ""}},
		{all(`"attr":"since","op":"before","value":"` + now.UTC().Format(time.DateOnly) + `"`), []string{ago(48 * time.Hour)}, []string{ago(-48 * time.Hour), "a.since=1"}},
		{all(`"attr":"since","op":"after","value":"` + now.UTC().Format(time.DateOnly) + `"`), []string{ago(-48 * time.Hour)}, []string{ago(48 * time.Hour)}},
		{all(`"attr":"since","op":"older_than","value":"90m"`), []string{ago(2 * time.Hour)}, []string{ago(time.Hour), "a.since=long"}},
		{all(`"attr":"since","op":"newer_than","value":"2d"`), []string{ago(47 * time.Hour)}, []string{ago(49 * time.Hour)}},
		{`"variants":[{"content":{"title":"Hello"},"translations":{"zh-Hans":{"title":"你好"},"en-GB":{"title":"Hullo"}}}]`,
			[]string{`locale=zh-CN gets "title":"你好"},"locale":"zh-Hans"`, `locale=en_GB.UTF-8 gets "title":"Hullo"},"locale":"en-GB"`, `locale=zh-HK gets "title":"Hello"}},"token"`}, nil},
	}
	for i, p := range popups {
		a.post(fmt.Sprintf(`{"key":"targeted-%d","status":"active","placements":["targeted-%d"],"frequency":{"after_impression_sec":0,"ignore_min_gap":true},%s}`, i, i, p.members))
	}
	b.reload()
	for i, p := range popups {
		for want, polls := range map[int][]string{http.StatusOK: p.yes, http.StatusNoContent: p.not} {
			for _, poll := range polls {
				poll, gets, _ := strings.Cut(poll, " gets ")
				from, isForwarded := strings.CutPrefix(poll, "from ")
				if isForwarded {
					poll = ""
				}
				req, err := http.NewRequest("GET", fmt.Sprintf("%s/v1/poll?uid=targeted&placement=targeted-%d&%s", b.dataURL, i, poll), nil)
				if err != nil {
					t.Fatal(err)
				}
				if isForwarded {
					req.Header.Set("X-Forwarded-For", from)
				}
				resp, err := client.Do(req)
				if err != nil {
					t.Fatal(err)
				}
				answer, err := io.ReadAll(resp.Body)
				resp.Body.Close()
				if err != nil || resp.StatusCode != want || !strings.Contains(string(answer), gets) {
					t.Errorf("%s for %s %s: %d %s, %v; want %d with %s", p.members, poll, from, resp.StatusCode, answer, err, want, gets)
				}
			}
		}
	}
}
