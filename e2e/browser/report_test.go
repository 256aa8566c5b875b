package browser

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestLinkAway: of a click on a link to another site exactly one action arrives.
func TestLinkAway(t *testing.T) {
	s := newSite(t, content(`"kind":"banner","title":"Sale","link":"https://shop.invalid/sale","cta":"See"`))
	p := s.open("/")
	p.is(shown)
	s.reported("view")
	p.js(`void setTimeout(() => roots[0].querySelector(".cta").click())`)
	s.reported("view", "click")
	time.Sleep(300 * time.Millisecond) // in which nothing more may come
	s.reported("view", "click")
}

// TestLeave: a popup that was on screen for less than a second when the page went is
// released. Without a beacon the page may not hear the answer, and the next page repeats it.
func TestLeave(t *testing.T) {
	t.Parallel()
	for name, script := range map[string]string{"beacon": ``, "no beacon": `Navigator.prototype.sendBeacon = () => false;`} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, content(`"kind":"toast","title":"Sale"`))
			p := s.open("/", script, `window.IntersectionObserver = class { observe() {} disconnect() {} };`)
			p.is(shown)
			p.navigate(s.origin + "/empty")
			s.until("release", func(_ []map[string]any, actions []string) bool { return len(actions) > 0 })
			p.init("")
			p.is(`(localStorage["popupd.out.` + s.endpoint + `"] ?? "[]") === "[]"`)
			_, actions := s.seen()
			if want := []string{"release", "release"}; !slices.Equal(actions, want[:1]) && !(name == "no beacon" && slices.Equal(actions, want)) {
				t.Errorf("actions %q", actions)
			}
			count := ""
			for limit := time.Now().Add(patience); !strings.Contains(count, `"releases":1,`); time.Sleep(50 * time.Millisecond) {
				if time.Now().After(limit) {
					t.Fatalf("want one release: %s", count)
				}
				count = string(s.admin("GET", "/v1/admin/popups/"+s.key(0)+"/stats?interval=day", "", http.StatusOK))
			}
		})
	}
}

// TestLostClick: a click on a link that leaves the page while the server is down arrives
// from the next page, once, with its age.
func TestLostClick(t *testing.T) {
	s := newSite(t, content(`"kind":"toast","title":"Sale","link":"/empty"`))
	p := s.open("/")
	p.is(shown)
	s.reported("view")
	s.setDown(true)
	p.js(`void setTimeout(() => roots[0].querySelector(".cta").click())`)
	p.is(`location.pathname === "/empty"`)
	p.js(`new Promise((resolve) => setTimeout(resolve, 200))`)
	s.setDown(false)
	for range 2 {
		p.init("")
		p.is(`localStorage["popupd.out.` + s.endpoint + `"] === "[]"`)
		s.reported("view", "click")
		p.navigate(s.origin + "/empty")
	}
	if age, ok := s.actions[1]["age_ms"].(float64); !ok || age < 200 {
		t.Errorf("age_ms %v, want 200 or more", s.actions[1]["age_ms"])
	}
}

func (s *site) setDown(down bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = down
}

// TestRelease: what shouldShow refuses, or a render that throws, is released.
func TestRelease(t *testing.T) {
	t.Parallel()
	for name, option := range map[string]string{"veto": `shouldShow: () => false`, "throw": `render() { throw new Error("no") }`} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, content(`"title":"Sale"`))
			p := s.start(option)
			s.reported("release")
			p.is(`!` + shown)
		})
	}
}

// TestOffline: an action that happens offline arrives later, once, with its age.
func TestOffline(t *testing.T) {
	s := newSite(t, content(`"kind":"toast","title":"Sale"`))
	p := s.open("/")
	p.is(shown)
	s.reported("view")
	p.offline(true)
	p.click(".close")
	p.is(`!` + shown)
	p.js(`new Promise((resolve) => setTimeout(resolve, 300))`)
	s.reported("view")
	p.offline(false)
	s.reported("view", "dismiss")
	if age, ok := s.actions[1]["age_ms"].(float64); !ok || age < 250 {
		t.Errorf("age_ms %v, want 250 or more", s.actions[1]["age_ms"])
	}
	p.is(`localStorage["popupd.out.` + s.endpoint + `"] === "[]"`)
}

// TestHostileContent: whatever is in a field becomes text, or is refused.
func TestHostileContent(t *testing.T) {
	t.Parallel()
	for i, text := range []string{
		`<img src=x onerror=errors.push(1)>`, `<script>errors.push(1)</script>`, `"><svg onload=errors.push(1)>`, `javascript:errors.push(1)`,
		` java\nscript:errors.push(1)`, `data:text/html,<script>errors.push(1)</script>`, `{{constructor.constructor('errors.push(1)')()}}`, `vbscript:x`, `blob:https://a/b`, `//user@[`,
	} {
		t.Run(string(rune('a'+i)), func(t *testing.T) {
			quoted := `"` + strings.NewReplacer(`"`, `\"`).Replace(text) + `"`
			s := newSite(t)
			s.body = `{"popups":[{"popup":{"key":"k","placement":"` + s.placement + `","content":{"title":` + quoted + `,"body":` + quoted + `,"link":` + quoted + `,"image":` + quoted + `,"cta":` + quoted + `,"dismiss":` + quoted +
				`,"label":` + quoted + `,"dir":` + quoted + `,"theme":` + quoted + `,"position":` + quoted + `}},"token":"t"}],"next_poll_sec":60}`
			p := s.open("/")
			p.is(shown)
			if got := p.js(`[...roots[0].querySelectorAll("a")].map((a) => a.href).filter((href) => !/^(https:|mailto:|http:.{2}localhost)/.test(href)).concat([...roots[0].querySelectorAll("script,svg")].map(String))`); got != "[]" {
				t.Errorf("%s", got)
			}
			p.click(".cta")
			p.is(`!` + shown) // on this page, or the one that the link led to
			if got := p.js(`errors`); got != "[]" {
				t.Errorf("%s", got)
			}
		})
	}
}

// TestBadAnswers: nothing breaks the page; one line and one event tell of it.
func TestBadAnswers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status  int
		body    string
		release bool
	}{
		"no JSON":       {200, `<html>`, false},
		"no object":     {200, `null`, false},
		"not found":     {404, `{}`, false},
		"no title":      {200, `{"popups":[{"popup":{"key":"k","content":{}},"token":"t"}]}`, true},
		"unknown kind":  {200, `{"popups":[{"popup":{"key":"k","content":{"kind":"page","title":"a"}},"token":"t"}]}`, true},
		"no content":    {200, `{"popups":[{"popup":{"key":"k"},"token":"t"}]}`, true},
		"popup is null": {200, `{"popups":[null,{"popup":null},{"popup":{"key":"k","content":[]},"token":"t"}]}`, true},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			s.refuse, s.body = c.status, c.body
			p := s.open("/")
			p.is(`warnings.length === 1 && warnings[0].startsWith("popupd: ")`)
			if c.release {
				s.reported("release")
			}
			if got := p.js(`errors`); got != "[]" {
				t.Errorf("errors %s", got)
			}
			p.is(`!` + shown)
		})
	}
}

// TestPreview: a page shows what the preview token in its address carries, before the time
// of the next poll and whatever the user has seen, and reports nothing. The options are
// those of docs/frontend.md.
func TestPreview(t *testing.T) {
	const options = `...(preview => preview && {storage: "none",
		fetch: (url, o) => fetch(url, { ...o, body: JSON.stringify({ ...JSON.parse(o.body), preview }) })})(new URLSearchParams(location.search).get("popupd_preview"))`
	s := newSite(t, content(`"title":"Sale"`))
	var preview struct{ Token string }
	draft := `{"popup":{"variants":[{"key":"b","content":{"kind":"toast","title":"Draft"},"translations":{"de":{"title":"Entwurf"}}}]}}`
	if err := json.Unmarshal(s.admin("POST", "/v1/admin/popups/"+s.key(0)+"/preview", draft, http.StatusOK), &preview); err != nil {
		t.Fatal(err)
	}
	p := s.start(options)
	p.is(shown)
	s.reported("view")
	for range 2 {
		p.navigate(s.origin + "/empty?popupd_preview=" + preview.Token)
		p.init(`locale: "de-AT", ` + options)
		p.is(shown + ` && roots.at(-1).textContent.includes("Entwurf")`)
		p.click(".close")
		p.is(`!` + shown)
	}
	s.reported("view")
}
