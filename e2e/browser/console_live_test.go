package browser

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/popupd/popupd/internal/testbed"
)

// countSources counts the streams that a page opens.
const countSources = `window.sources = []; const Real = EventSource;
window.EventSource = class extends Real { constructor(url) { super(url); sources.push(this); } };
window.openSources = () => sources.filter((source) => source.readyState !== 2).length;`

// TestSystemPage: the page System goes with what happens, over the end of a store, of the
// server itself and of the session, without being loaded again; it has one stream, and none
// while it is hidden.
func TestSystemPage(t *testing.T) {
	t.Parallel()
	if missing != "" {
		t.Skip(missing)
	}
	redis, err := bed.Redis(testbed.StoreOptions{})
	if err != nil {
		t.Fatal(err)
	}
	p, err := bed.Popupd(testbed.PopupdOptions{Binary: server.Binary, Redis: redis.URL(), Token: "secret-token", Flags: []string{"-demo"}})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Kill()
	tab, cancel := chromedp.NewContext(chrome, chromedp.WithNewBrowserContext()) // cookies do not tell ports apart
	defer cancel()
	do := func(actions ...chromedp.Action[chromedp.Void]) {
		t.Helper()
		if err := chromedp.Do(tab, actions...); err != nil {
			t.Fatal(err)
		}
	}
	evaluate := func(expression string) string {
		t.Helper()
		text, err := chromedp.Run(tab, chromedp.Evaluate[[]byte](expression, chromedp.EvalAwaitPromise))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	within := func(limit time.Duration, expression string) {
		t.Helper()
		for deadline := time.Now().Add(limit); evaluate(expression) != "true"; time.Sleep(50 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("not within %v: %s; the page says %s", limit, expression, evaluate("document.body.innerText"))
			}
		}
	}
	says := func(limit time.Duration, text string, yes bool) {
		t.Helper()
		within(limit, fmt.Sprintf("document.getElementById('main').innerText.includes(%q) === %v", text, yes))
	}
	do()
	if _, err := chromedp.Call(tab, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: countSources}); err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Call(tab, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true}); err != nil {
		t.Fatal(err)
	}
	do(chromedp.Navigate("http://"+p.Admin+"/system"), chromedp.SendKeys("#token", "secret-token"), chromedp.Submit("#token"), chromedp.WaitVisible(".pipeline"))
	evaluate("window.same = true")
	says(patience, "Ready", true)
	says(patience, "this one", true)
	within(patience, "document.querySelectorAll('.findings summary').length > 1")
	axe(t, evaluate)

	poll := func(user string) {
		t.Helper()
		res, err := http.Get("http://" + p.Address + "/v1/poll?placement=home&uid=" + user)
		if err != nil || res.StatusCode != http.StatusOK {
			t.Fatalf("poll: %v, %v", res, err)
		}
		res.Body.Close()
	}
	poll("one")
	within(5*time.Second, "document.querySelector('.memory strong').textContent === '1'")

	redis.Kill()
	says(patience, "Redis takes no writes.", true)
	poll("two")
	within(5*time.Second, "document.querySelector('.memory strong').textContent === '2'")
	if err := redis.Restart(); err != nil {
		t.Fatal(err)
	}
	says(patience, "Redis takes no writes.", false)

	p.Kill()
	says(15*time.Second, "No news for", true)
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	says(15*time.Second, "No news for", false)
	within(patience, "document.querySelector('.memory strong').textContent === '2' && window.same")

	if n := evaluate("openSources()"); n != "1" {
		t.Errorf("the page has %s streams, want 1", n)
	}
	hide := func(state string) {
		evaluate(`Object.defineProperty(document, "visibilityState", {configurable: true, get: () => "` + state + `"}); document.dispatchEvent(new Event("visibilitychange"))`)
	}
	hide("hidden")
	if n := evaluate("openSources()"); n != "0" {
		t.Errorf("a hidden page has %s streams", n)
	}
	poll("three")
	hide("visible")
	within(5*time.Second, "document.querySelector('.memory strong').textContent === '3' && openSources() === 1")

	evaluate(`fetch("/logout", {method: "POST"}).then((response) => response.status)`)
	hide("hidden")
	poll("four")
	hide("visible")
	do(chromedp.WaitVisible("dialog #token"), chromedp.SendKeys("dialog #token", "secret-token\r"))
	within(5*time.Second, "document.querySelector('.memory strong').textContent === '4' && openSources() === 1 && !document.querySelector('dialog') && window.same")
}

// axe checks the page against WCAG 2.2 AA and what axe-core holds for good practice.
func axe(t *testing.T, evaluate func(string) string) {
	t.Helper()
	script, err := os.ReadFile("../../console/web/node_modules/axe-core/axe.min.js")
	if err != nil {
		t.Fatalf("%v: make console-tools", err)
	}
	evaluate(string(script) + "; 0")
	found := evaluate(`axe.run({runOnly: ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"]}).then((result) =>
		result.violations.map((v) => v.id + ": " + v.nodes.map((node) => node.html).join(" ")).join("\n"))`)
	if strings.Trim(found, `"`) != "" {
		t.Errorf("axe: %s", found)
	}
}
