package browser

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/popupd/popupd/internal/testbed"
)

// maxPicture bounds a picture of the documentation, in bytes.
const maxPicture = 150_000

// TestPictures takes the pictures of docs/images: every page of the console, light, dark, on
// a small screen and in Chinese. What is shown is made up, with two weeks of counts.
func TestPictures(t *testing.T) {
	if os.Getenv("POPUPD_PICTURES") != "1" {
		t.Skip("make pictures")
	}
	s := newShop(t)
	o := s.operator()
	for _, look := range []string{"light", "dark", "small", "zh"} {
		o.picture("login", look, "/login")
	}
	o = s.loggedIn(s.server.Token)
	for name, path := range consolePages("spring-sale", "newsletter") {
		for _, look := range []string{"light", "dark", "small", "zh"} {
			o.picture(name, look, path)
		}
	}
}

// picture takes the picture of a page.
func (o operator) picture(name, look, path string) {
	o.Helper()
	scheme, lang, width, height := "light", "en", int64(1280), int64(800)
	switch look {
	case "dark":
		scheme = "dark"
	case "small":
		width, height = 360, 720
	case "zh":
		lang = "zh"
	}
	o.emulate(looks[scheme]...)
	o.size(width, height)
	o.js(`void (document.cookie = "popupd_lang=` + lang + `; path=/; samesite=strict")`)
	o.open(path)
	o.settled()
	wait := time.Second // the preview has its popup then
	if name == "system" {
		wait = 4 * time.Second // rates are of two readings, 2 s apart
	}
	time.Sleep(wait)
	shot, err := chromedp.Call(o.ctx, page.CaptureScreenshot, page.CaptureScreenshotParams{Format: "png"})
	if err != nil {
		o.Fatal(err)
	}
	if len(shot.Data) > maxPicture {
		o.Errorf("%s %s has %d bytes, want %d at most", name, look, len(shot.Data), maxPicture)
	}
	if err := os.WriteFile(filepath.Join("../../docs/images", fmt.Sprintf("console-%s-%s.png", name, look)), shot.Data, 0o644); err != nil {
		o.Fatal(err)
	}
}

// newShop is a site whose server has the popups of a shop and what two weeks of visitors leave.
func newShop(t *testing.T) *site {
	t.Helper()
	mysql, err := bed.MySQL(testbed.StoreOptions{})
	if err != nil {
		t.Fatal(err)
	}
	dsn, err := mysql.CreateDatabase("shop")
	if err != nil {
		t.Fatal(err)
	}
	redis, err := bed.Redis(testbed.StoreOptions{})
	if err != nil {
		t.Fatal(err)
	}
	p, err := bed.Popupd(testbed.PopupdOptions{Binary: server.Binary, MySQL: dsn, Redis: redis.URL(), Flags: []string{"-sample", "100"}})
	if err != nil {
		t.Fatal(err)
	}
	s := newSiteOf(t, p)
	s.admin("PUT", "/v1/admin/audiences/newsletter", "reader-1\nreader-2\nreader-3\n", http.StatusCreated, "Content-Type", "text/plain", "If-None-Match", "*")
	s.admin("PUT", "/v1/admin/audiences/big-spenders", `{"rule":{"all":[{"attr":"orders","op":"gte","value":10}]}}`, http.StatusCreated, "If-None-Match", "*")
	for _, text := range shopPopups {
		s.admin("POST", "/v1/admin/popups", text, http.StatusCreated)
	}
	s.admin("POST", "/v1/admin/tokens", `{"name":"mei","role":"publisher"}`, http.StatusCreated)
	s.admin("POST", "/v1/admin/tokens", `{"name":"dashboard","role":"viewer"}`, http.StatusCreated)
	hour := time.Now().Truncate(time.Hour).UnixMilli()
	for i, key := range []string{"spring-sale", "welcome", "free-shipping", "newsletter"} {
		for _, variant := range []string{"a", "b"} {
			_, err := mysql.Query(fmt.Sprintf("INSERT INTO shop.popup_stats (popup_id, hour, variant, impressions, users, clicks, dismisses, converts, controls, views, releases, click_users, convert_users, control_users)"+
				" WITH RECURSIVE h(n) AS (SELECT 0 UNION ALL SELECT n+1 FROM h WHERE n < 335) SELECT p.id, %d - n*3600000, '%s', v, v*0.8, v*%g, v*0.3, v*0.01, 0, v*0.93, 0, v*%g, v*0.01, 0"+
				" FROM (SELECT n, ROUND((900 + 600*SIN(n/3.82) + (n*7919 %% 211)) / %d) v FROM h) c, shop.popups p WHERE p.`key` = '%s' AND ('%s' = 'a' OR p.`key` = 'spring-sale')",
				hour, variant, map[string]float64{"a": 0.082, "b": 0.097}[variant], map[string]float64{"a": 0.079, "b": 0.093}[variant], i+1, key, variant))
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	for variant, users := range map[string]int{"a": 103_400, "b": 103_900} {
		for outcome, n := range map[string]int{"exposed": users, "clicked": users * map[string]int{"a": 820, "b": 970}[variant] / 10_000, "converted": users * map[string]int{"a": 101, "b": 104}[variant] / 10_000} {
			if _, err := mysql.Query(fmt.Sprintf("INSERT INTO shop.experiment_count SELECT id, 1, '%s', '%s', 0, %d FROM shop.popups WHERE `key` = 'spring-sale'", variant, outcome, n)); err != nil {
				t.Fatal(err)
			}
		}
	}
	s.placement, s.uid = "home", "anna"
	v := s.start("")
	v.is(shown)
	s.reported("view")
	v.click(".cta")
	s.reported("view", "click")
	return s
}

var shopPopups = []string{
	`{"key":"spring-sale","name":"Spring sale","status":"active","priority":20,"placements":["home"],"tags":["sale","spring"],"goal":{"event":"order"},
	  "schedule":{"start_at":"2026-01-01T08:00:00Z","end_at":"2099-04-30T22:00:00Z","timezone":"Europe/Berlin"},"targeting":{"all":[{"attr":"country","op":"in","value":["DE","AT","CH"]}],"none":[{"attr":"audience","op":"in","value":["newsletter"]}]},
	  "variants":[{"key":"a","weight":50,"content":{"kind":"modal","title":"Spring sale","body":"20 % off every tea until Sunday.","link":"/sale","cta":"See the teas","dismiss":"Not now"},
	    "translations":{"de":{"title":"Frühlingsaktion","body":"20 % auf alle Tees bis Sonntag.","cta":"Zu den Tees","dismiss":"Nicht jetzt"}}},
	   {"key":"b","weight":50,"content":{"kind":"modal","title":"Two days left","body":"20 % off every tea.","link":"/sale","cta":"Choose a tea","dismiss":"Not now"}}]}`,
	`{"key":"welcome","name":"Welcome","status":"active","priority":30,"placements":["home","default"],"tags":["onboarding"],"frequency":{"after_click_sec":-1},"variants":[{"key":"a","content":{"kind":"toast","title":"Welcome!","body":"Good to see you.","link":"/tour","cta":"Take the tour"}}]}`,
	`{"key":"free-shipping","name":"Free shipping","status":"active","priority":10,"placements":["checkout"],"tags":["sale"],"variants":[{"key":"a","content":{"kind":"banner","title":"Free shipping this week","body":"On every order, until Sunday.","link":"/shipping","cta":"How it works"}}]}`,
	`{"key":"newsletter","name":"Newsletter","status":"paused","priority":5,"placements":["blog"],"tags":["newsletter"],"frequency":{"max_impressions":3},"variants":[{"key":"a","content":{"kind":"toast","title":"Tea by mail","body":"One letter a month.","link":"/letter","cta":"Subscribe"}}]}`,
	`{"key":"app-update","name":"App update","status":"draft","priority":10,"placements":["app"],"targeting":{"all":[{"attr":"app_version","op":"semver_lt","value":"3.0.0"}]},"variants":[{"key":"a","content":{"kind":"modal","title":"Update the app","body":"Version 3 is here.","link":"/app","cta":"Update"}}]}`,
}
