package browser

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/popupd/popupd/internal/testbed"
)

// consoleServer returns the popupd of the console's tests, on a MariaDB and a Redis.
var consoleServer = sync.OnceValues(func() (*testbed.Popupd, error) {
	mysql, err := bed.MySQL(testbed.StoreOptions{})
	if err != nil {
		return nil, err
	}
	dsn, err := mysql.CreateDatabase("popupd")
	if err != nil {
		return nil, err
	}
	redis, err := bed.Redis(testbed.StoreOptions{})
	if err != nil {
		return nil, err
	}
	return bed.Popupd(testbed.PopupdOptions{Binary: server.Binary, MySQL: dsn, Redis: redis.URL()})
})

// newConsole is a site of the server of [consoleServer].
func newConsole(t *testing.T, popups ...string) *site {
	t.Helper()
	t.Parallel()
	if missing != "" {
		t.Skip(missing)
	}
	p, err := consoleServer()
	if err != nil {
		t.Fatal(err)
	}
	return newSiteOf(t, p, popups...)
}

// finders are what a person looks for in a page of the console: what is visible, in the
// dialog that is open if there is one.
const finders = `
	window.find = {
		scope() { return [...document.querySelectorAll("dialog[open]")].at(-1) ?? document.body; },
		visible(e) { return e.checkVisibility({visibilityProperty: true}) && e.getClientRects().length > 0; },
		name(e) { return (e.getAttribute("aria-label") ?? e.innerText ?? "").replace(/\s+/g, " ").trim(); },
		all(selector, name) { return [...this.scope().querySelectorAll(selector)].filter((e) => this.visible(e) && this.name(e) === name); },
		one(found, what) { if (found.length !== 1) throw new Error(found.length + " " + what); return found[0]; },
		button(name) { return this.one(this.all("button, [role=button], summary, [role=tab]", name), "buttons " + name); },
		labels(name) { return [...this.scope().querySelectorAll("label")].filter((e) => e.checkVisibility() && (e.textContent ?? "").replace(/\s+/g, " ").trim() === name).map((e) => e.control).filter((e) => e && this.visible(e)); },
		field(name) { return this.one([...new Set([...this.labels(name), ...this.all("input, textarea, select, [role=textbox], [role=combobox]", name)])], "fields " + name); },
		at(e) { e.scrollIntoView({block: "center", inline: "center"}); const {x, y, width, height} = e.getBoundingClientRect(); return [x + width / 2, y + height / 2]; },
	};
	window.said = [];
	addEventListener("DOMContentLoaded", () => {
		const status = document.querySelector("[aria-live=polite]");
		if (status) new MutationObserver(() => status.textContent && said.push(status.textContent)).observe(status, {childList: true, characterData: true, subtree: true});
	});`

// operator is a tab with the console in a profile of its own.
type operator struct{ *tab }

// operator opens the log-in page of the console.
func (s *site) operator() operator {
	s.Helper()
	ctx, cancel := chromedp.NewContext(chrome, chromedp.WithNewBrowserContext())
	s.Cleanup(cancel)
	o := operator{&tab{site: s, ctx: ctx, driver: chromium{ctx}}}
	if err := chromedp.Do(ctx); err != nil { // opens the tab, which lasts as long as this context
		s.Fatal(err)
	}
	o.prepare()
	o.navigate(o.console("/"))
	return o
}

// prepare has every page of the tab begin with the finders, and note what goes wrong.
func (o operator) prepare() {
	o.Helper()
	if _, err := chromedp.Call(o.ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: openRoots + finders}); err != nil {
		o.Fatal(err)
	}
	answer := func(event any) { // of who is asked whether to leave a page with unsaved changes: yes
		if _, asked := event.(*page.EventJavascriptDialogOpening); asked {
			go chromedp.Call(o.ctx, page.HandleJavaScriptDialog, page.HandleJavaScriptDialogParams{Accept: true})
		}
	}
	if err := chromedp.Listen(o.ctx, answer); err != nil {
		o.Fatal(err)
	}
	if _, err := chromedp.Call(o.ctx, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true}); err != nil { // as if each tab was the one in front
		o.Fatal(err)
	}
	o.Cleanup(func() {
		if text, err := o.evaluate(`[...violations, ...errors]`); err == nil && text != "[]" {
			o.Errorf("the page had errors: %s", text)
		}
	})
}

// another opens another tab of the same operator.
func (o operator) another(path string) operator {
	o.Helper()
	ctx, cancel := chromedp.NewContext(o.ctx)
	o.Cleanup(cancel)
	other := operator{&tab{site: o.site, ctx: ctx, driver: chromium{ctx}}}
	if err := chromedp.Do(ctx); err != nil {
		o.Fatal(err)
	}
	other.prepare()
	other.open(path)
	return other
}

func (o operator) console(path string) string { return "http://" + o.server.Admin + path }

// open goes to a page of the console and waits until it is drawn.
func (o operator) open(path string) {
	o.Helper()
	o.navigate(o.console(path))
	o.is(`document.querySelector("main h1") !== null`)
}

// loggedIn returns an operator who has logged in with a token.
func (s *site) loggedIn(token string) operator {
	s.Helper()
	o := s.operator()
	o.fill("Token", token)
	o.button("Log in")
	o.is(`location.pathname === "/popups" && document.querySelector("main h1") !== null`)
	return o
}

// find returns an expression of what find has under a name.
func finding(kind, name string) string { return fmt.Sprintf("find.%s(%q)", kind, name) }

func (o operator) clickOn(expression string) {
	o.Helper()
	o.is(`Boolean(` + expression + `)`)
	var at [2]float64
	if _, err := fmt.Sscanf(o.js(`find.at(`+expression+`)`), "[%g,%g]", &at[0], &at[1]); err != nil {
		o.Fatal(err)
	}
	if err := chromedp.Do(o.ctx, chromedp.MouseClickXY(at[0], at[1])); err != nil {
		o.Fatal(err)
	}
}

// button clicks the one button that has a name.
func (o operator) button(name string) { o.Helper(); o.clickOn(finding("button", name)) }

// fill types into the field that has a label, in place of what is there.
func (o operator) fill(label, text string) {
	o.Helper()
	o.clickOn(finding("field", label))
	o.js(finding("field", label) + `.select?.()`)
	o.typed(text)
}

// typed types a text as a keyboard would.
func (o operator) typed(text string) {
	o.Helper()
	if _, err := chromedp.Call(o.ctx, input.InsertText, input.InsertTextParams{Text: text}); err != nil {
		o.Fatal(err)
	}
}

// value waits until a field has a value.
func (o operator) value(label, want string) {
	o.Helper()
	o.is(finding("field", label) + `.value === ` + quote(want))
}

// says waits until the live region has announced something with these words.
func (o operator) says(text string) {
	o.Helper()
	o.is(`said.some((text) => text.includes(` + quote(text) + `))`)
}

// shows waits until the page has this text where it can be seen.
func (o operator) shows(text string) {
	o.Helper()
	o.is(`find.scope().innerText.includes(` + quote(text) + `)`)
}

// dialog waits until a dialog with this name is open.
func (o operator) dialog(name string) {
	o.Helper()
	o.is(`find.scope().matches("dialog") && (find.scope().getAttribute("aria-label") ?? document.getElementById(find.scope().getAttribute("aria-labelledby"))?.textContent).trim() === ` + quote(name))
}

// quote is a text as JavaScript writes it.
func quote(text string) string {
	return "`" + strings.NewReplacer("\\", "\\\\", "`", "\\`", "${", "\\${").Replace(text) + "`"
}
