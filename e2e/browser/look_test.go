package browser

import (
	"os"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// accessible fails the test if axe-core finds something in the page. It reads the colours of
// the page, so that it cannot judge those that the user's system forces on it.
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
	if got := t.js(`axe.run(document, {rules: {"color-contrast": {enabled: !matchMedia("(forced-colors: active)").matches}}}).then((found) => found.violations.map((v) => v.id + ": " + v.nodes.map((n) => n.html + n.failureSummary)))`); got != "[]" {
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

// looks are the media features that change how popups look.
var looks = map[string][]string{
	"light":  {"prefers-color-scheme", "light"},
	"dark":   {"prefers-color-scheme", "dark"},
	"forced": {"prefers-color-scheme", "dark", "forced-colors", "active"},
}

// TestAccessible: axe-core finds nothing in any kind, light, dark or in forced colours.
func TestAccessible(t *testing.T) {
	t.Parallel()
	for scheme, features := range looks {
		for _, kind := range []string{"modal", "banner", "toast", "inline"} {
			t.Run(scheme+"-"+kind, func(t *testing.T) {
				s := newSite(t, content(`"kind":"`+kind+`","label":"Ad","title":"Sale","body":"`+strings.Repeat("20 % off. ", 200)+`","link":"/sale","dismiss":"No"`))
				p := s.open("/empty")
				p.emulate(features...)
				p.init(`container: "#slot"`)
				p.is(shown)
				p.accessible()
				if got := p.js(`getComputedStyle(roots[0].querySelector(".card")).backgroundColor`); (got == `"rgb(255, 255, 255)"`) != (scheme == "light") {
					t.Errorf("background %s", got)
				}
			})
		}
	}
}

// TestDemo: the demo shop shows a popup of each kind, in the page's language, is
// accessible, and keeps to its own policy.
func TestDemo(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ look, path, banner, modal string }{
		{"light", "/demo", "Free shipping this week", "10 % off your first tea"},
		{"dark", "/demo", "Free shipping this week", "10 % off your first tea"},
		{"forced", "/demo", "Free shipping this week", "10 % off your first tea"},
		{"dark", "/demo/zh", "本周全场包邮", "首单九折"},
		{"light", "/demo/ar", "الشحن مجاني هذا الأسبوع", "خصم ١٠٪ على أول شاي لك"},
	} {
		t.Run(c.look+c.path, func(t *testing.T) {
			s := newSite(t)
			_, port, _ := strings.Cut(server.Address, ":")
			s.origin = "http://" + c.look + strings.ReplaceAll(c.path, "/", "-") + ".localhost:" + port // a host each: visitors of one origin share what they have seen
			p := s.open("/demo/cup.svg")
			p.emulate(looks[c.look]...)
			p.navigate(s.origin + c.path)
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
			p.accessible()
			p.is(`roots.filter((root) => root.host.isConnected).every((root) => getComputedStyle(root.querySelector(".card")).direction === getComputedStyle(document.body).direction)`)
			if got := p.js(`[...violations, ...errors, ...warnings]`); got != "[]" {
				t.Errorf("%s", got)
			}
		})
	}
}

// mocked shows popups of these contents, one after the other, by way of popupd.mock, and
// returns what an expression of root says of each.
func (t *tab) mocked(contents, expression string) string {
	t.Helper()
	return t.js(`Promise.all([import("/mock.mjs"), import("` + t.endpoint + `/sdk.js")]).then(async ([{mock}]) => {
		const found = [];
		for (const content of ` + contents + `) {
			const server = mock({popups: [{popup: {content: {title: "Sale", ...content}}}]});
			const client = popupd.init({endpoint: "mock" + roots.length, uid: "u", fetch: server.fetch});
			await new Promise((resolve) => client.on("show", resolve));
			const root = roots.at(-1);
			const box = (name) => { const {left, right, top, bottom} = root.querySelector(name).getBoundingClientRect(); return {left, right, top, bottom}; };
			found.push(` + expression + `);
			client.destroy();
			if (server.polls.length !== 1 || server.actions.length !== 1 || server.actions[0].action !== "release") {
				throw new Error("mock heard of " + JSON.stringify(server));
			}
		}
		return found;
	})`)
}

// TestPositions: a popup is where its content says, one of nine places, and turns around
// where text runs from right to left.
func TestPositions(t *testing.T) {
	p := newSite(t).open("/empty")
	got := p.mocked(`["top", "center", "bottom"].flatMap((a) => ["start", "center", "end"].map((b) => ({kind: "toast", position: a + "-" + b})))`,
		`(({left, right, top, bottom}) => [top < 20 ? "top" : bottom > innerHeight - 20 ? "bottom" : "center", left < 20 ? "start" : right > innerWidth - 20 ? "end" : "center"].join("-"))(box(".card"))`)
	want := `["top-start","top-center","top-end","center-start","center-center","center-end","bottom-start","bottom-center","bottom-end"]`
	if got != want {
		t.Errorf("at %s, want %s", got, want)
	}
	if got := p.mocked(`["ltr", "rtl"].map((dir) => ({dir}))`, `box(".close").left < box(".title").left`); got != "[false,true]" {
		t.Errorf("close button before the title: %s, want it with rtl only", got)
	}
}

// TestSmall: on 320 px, with 30 KB of text, a popup fits and can be closed.
func TestSmall(t *testing.T) {
	p := newSite(t).open("/empty")
	if _, err := chromedp.Call(p.ctx, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: 320, Height: 568, DeviceScaleFactor: 1}); err != nil {
		t.Fatal(err)
	}
	got := p.mocked(`["modal", "banner", "toast"].map((kind) => ({kind, body: "x".repeat(30000), cta: "Buy this now", dismiss: "Not now, thanks", image: {src: "/empty.png", width: 4000, height: 10}}))`,
		`(({left, right, top, bottom}) => [document.documentElement.scrollWidth <= 320, left >= 0 && right <= 320 && top >= 0 && bottom <= 568,
			right - left >= 24 && bottom - top >= 24, root.elementFromPoint((left + right) / 2, (top + bottom) / 2).id, box(".card").bottom <= 568, box(".card").right <= 320, (root.querySelector(".cta").scrollIntoView(), box(".cta").bottom <= 568)])(box(".close"))`)
	if want := `[true,true,true,"close",true,true,true]`; got != "["+want+","+want+","+want+"]" {
		t.Errorf("%s", got)
	}
}

// TestFailedImage: a popup whose image does not load is shown without, and told of.
func TestFailedImage(t *testing.T) {
	s := newSite(t, content(`"kind":"toast","title":"Sale","image":{"src":"/no-image.png","width":40,"height":30}`))
	p := s.start("")
	p.is(shown)
	p.is(`failures.length === 1 && failures[0].includes("no-image.png") && !roots[0].querySelector("img")`)
	s.reported("view")
}
