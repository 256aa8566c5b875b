package browser

import (
	"os"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// accessible fails the test if axe-core finds something in the page.
func (t *tab) accessible() {
	t.Helper()
	axe, err := os.ReadFile("../../sdk/node_modules/axe-core/axe.min.js")
	if err != nil {
		if os.Getenv("POPUPD_REQUIRE_STORES") == "1" {
			t.Fatalf("%v: make sdk-tools", err)
		}
		t.Skipf("%v: make sdk-tools", err)
	}
	t.js(string(axe) + ";0")
	if got := t.js(`axe.run(document).then((found) => found.violations.map((v) => v.id + ": " + v.nodes.map((n) => n.html + n.failureSummary)))`); got != "[]" {
		t.Errorf("%s", got)
	}
}

// emulate sets media features of a tab, by name and value.
func (t *tab) emulate(features ...string) {
	t.Helper()
	var all []*emulation.MediaFeature
	for i := 0; i < len(features); i += 2 {
		all = append(all, &emulation.MediaFeature{Name: features[i], Value: features[i+1]})
	}
	if _, err := chromedp.Call(t.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: all}); err != nil {
		t.Fatal(err)
	}
}

// TestAccessible: axe-core finds nothing in any kind, light or dark.
func TestAccessible(t *testing.T) {
	for _, scheme := range []string{"light", "dark"} {
		for _, kind := range []string{"modal", "banner", "toast", "inline"} {
			t.Run(scheme+"-"+kind, func(t *testing.T) {
				s := newSite(t, content(`"kind":"`+kind+`","label":"Ad","title":"Sale","body":"`+strings.Repeat("20 % off. ", 200)+`","link":"/sale","dismiss":"No"`))
				p := s.open("/empty")
				p.emulate("prefers-color-scheme", scheme)
				p.init(`container: "#slot"`)
				p.is(shown)
				p.accessible()
				if got, want := p.js(`roots[0].host.getAttribute("theme")`), `"`+scheme+`"`; got != want {
					t.Errorf("theme %s, want %s", got, want)
				}
			})
		}
	}
}

// TestDemo: the demo shop shows a popup of each kind, in the page's language, is
// accessible, and keeps to its own policy.
func TestDemo(t *testing.T) {
	for path, c := range map[string]struct{ host, banner, modal string }{ // a host each: visitors of one origin share what they have seen
		"/demo":    {"127.0.0.1", "Free shipping this week", "10 % off your first tea"},
		"/demo/zh": {"localhost", "本周全场包邮", "首单九折"},
	} {
		t.Run(path, func(t *testing.T) {
			s := newSite(t)
			s.origin = "http://" + strings.Replace(server.Address, "127.0.0.1", c.host, 1)
			p := s.open(path)
			title := func(text string) string {
				return `roots.some((root) => root.host.isConnected && root.querySelector(".title").textContent === "` + text + `")`
			}
			p.is(title(c.banner))
			p.is(`document.querySelector("#offer popupd-host").getBoundingClientRect().height > 90`)
			p.accessible()
			p.js(`void document.querySelector("#welcome").click()`)
			p.is(title(c.modal))
			p.is(`roots.at(-1).querySelector("img").naturalWidth === 640`)
			p.accessible()
			p.click(".dismiss")
			p.is(`document.querySelectorAll("popupd-host").length === 2`)
			p.js(`void scrollTo(0, 9999)`)
			p.is(`roots.at(-1).querySelector(".toast") && document.querySelectorAll("popupd-host").length === 3`)
			if got := p.js(`[...violations, ...errors, ...warnings]`); got != "[]" {
				t.Errorf("%s", got)
			}
		})
	}
}
