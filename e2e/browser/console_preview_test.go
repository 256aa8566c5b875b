package browser

import (
	"fmt"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// TestConsolePreview: the editor shows what is typed by the SDK in a frame, each kind of popup; the
// frame takes no focus from who types, and nothing that it shows leads out of it.
func TestConsolePreview(t *testing.T) {
	s := newSite(t)
	p := &tab{site: s}
	p.ctx, p.driver = openChromium(s, openRoots+`
		window.heard = []; addEventListener("message", ({data}) => heard.push(data));
		window.last = (event) => { const at = heard.findLastIndex((data) => data.event === event); return at >= 0 && at === heard.length - 1; };
		window.field = (name) => document.querySelector("[id$=content-" + name + "]");
		window.fill = (name, value) => { const input = field(name); input.value = value; for (const type of ["input", "change"]) input.dispatchEvent(new Event(type, {bubbles: true})); };`)
	if _, err := chromedp.Call(p.ctx, network.SetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{Headers: map[string]any{"Authorization": "Bearer " + server.Token}}); err != nil {
		t.Fatal(err)
	}
	wide := emulation.SetDeviceMetricsOverrideParams{Width: 1400, Height: 900, DeviceScaleFactor: 1} // form and preview side by side: no frame is drawn that nobody sees
	if _, err := chromedp.Call(p.ctx, emulation.SetDeviceMetricsOverride, wide); err != nil {
		t.Fatal(err)
	}
	p.navigate("http://" + server.Admin + "/new")
	p.is(`last("error") && /bad title/.test(heard.at(-1).detail)`)
	for _, kind := range []string{"banner", "toast", "inline", "modal"} {
		p.js(fmt.Sprintf(`heard = [], fill("kind", %q), fill("title", "A %[1]s"), true`, kind))
		p.is(`last("show")`)
	}

	p.js(`heard = [], fill("title", ""), field("title").focus({preventScroll: true})`)
	for _, letter := range "Spring" {
		p.press(string(letter))
		p.is(`last("show") && field("title") === document.activeElement`)
		p.js(`heard = [], true`)
	}
	p.is(`field("title").value === "Spring"`)

	p.js(`heard = [], fill("link", "javascript:top.location='https://out.example'"), fill("title", "<img src=x onerror=\"top.location='https://out.example'\">"), true`)
	p.is(`last("show") && heard.some(({detail}) => /bad link/.test(detail)) && document.querySelector(".preview .told").innerText.includes("link")`)
	p.js(`heard = [], fill("link", "https://out.example"), true`)
	p.is(`last("show")`)
	const pause = `new Promise((resolve) => setTimeout(resolve, 200))`
	p.js(`document.querySelector(".preview iframe").focus()`)
	for range 3 { // the link, the cross, and out of the frame
		p.press("Tab")
	}
	p.is(`document.activeElement !== document.querySelector(".preview iframe")`)
	// The frame is of another process: keys that follow at once may come before the focus.
	for tries := 0; tries < 5 && p.js(`last("click")`) != "true"; tries++ {
		p.js(`field("title").focus({preventScroll: true}), document.querySelector(".preview iframe").focus()`)
		p.js(pause)
		p.press("Tab")
		p.js(pause)
		if p.js(`document.activeElement === document.querySelector(".preview iframe")`) == "true" {
			p.press("\r")
			p.js(pause)
		}
	}
	p.is(`last("click") && document.querySelector(".preview .told").innerText.includes("https://out.example")`)
	p.is(`location.pathname === "/new" && document.querySelector(".preview iframe").contentDocument === null`)
	p.is(`errors.length === 0 && violations.length === 0`)

	p.js(`postMessage({turn: heard.at(-1).turn, event: "error", detail: "popup x: bad kind"}), new Promise((heard) => setTimeout(heard, 100))`)
	p.is(`!document.querySelector(".preview .told").innerText.includes("kind")`)
}
