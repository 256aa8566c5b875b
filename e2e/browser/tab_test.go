package browser

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// openRoots has shadow roots open, in window.roots, and notes what goes wrong.
const openRoots = `
	window.roots = []; window.violations = []; window.errors = []; window.failures = []; window.warnings = [];
	addEventListener("error", (event) => errors.push(String(event.message)));
	addEventListener("unhandledrejection", (event) => errors.push(String(event.reason)));
	addEventListener("securitypolicyviolation", (event) => violations.push(event.violatedDirective + " " + event.blockedURI));
	{ const warn = console.warn; console.warn = (...args) => { warnings.push(args.join(" ")); warn(...args); }; }
	{ const attach = Element.prototype.attachShadow;
	Element.prototype.attachShadow = function (options) {
		const root = attach.call(this, { ...options, mode: "open" });
		roots.push(root);
		return root;
	}; }`

// errLeft says that a page was left before it could answer.
var errLeft = errors.New("the page was left")

// driver is a tab as its browser sees it.
type driver interface {
	// evaluate returns what an expression, or the promise that it is, gives, as JSON.
	evaluate(ctx context.Context, expression string) (string, error)
	// navigate returns when the page is loaded.
	navigate(ctx context.Context, url string) error
	// back goes to the page of before.
	back(ctx context.Context) error
	// offline cuts the tab off, or connects it again.
	offline(ctx context.Context, yes bool) error
	// press presses a key that has this name in KeyboardEvent.key.
	press(ctx context.Context, key string) error
}

// tab is a tab of Chromium, or of Firefox in subtests of TestFirefox.
type tab struct {
	*site
	driver driver
	ctx    context.Context // of chromedp, if it is Chromium
}

// open opens a tab at a path of the page; scripts run before any of the page's own.
func (s *site) open(path string, scripts ...string) *tab {
	s.Helper()
	t := &tab{site: s}
	scripts = append([]string{openRoots}, scripts...)
	if s.firefox == nil {
		t.ctx, t.driver = openChromium(s, strings.Join(scripts, "\n"))
	} else {
		t.driver = s.firefox.open(s, strings.Join(scripts, "\n"))
	}
	t.navigate(s.origin + path)
	return t
}

// start opens a tab whose script makes window.client, with these options beside the usual ones.
func (s *site) start(options string, scripts ...string) *tab {
	s.Helper()
	t := s.open("/empty", scripts...)
	t.init(options)
	return t
}

func (t *tab) init(options string) {
	t.Helper()
	t.js(`import("` + t.endpoint + `/sdk.js").then(() => {
		window.client = popupd.init({endpoint: "` + t.endpoint + `", uid: "` + t.uid + `", placement: "` + t.placement + `", ` + options + `});
		client.on("error", ({error}) => failures.push(error.message));
	})`)
}

// do fails the test if a driver does.
func (t *tab) do(act func(ctx context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	if err := act(ctx); err != nil {
		t.Fatal(err)
	}
}

func (t *tab) navigate(url string) {
	t.Helper()
	t.do(func(ctx context.Context) error { return t.driver.navigate(ctx, url) })
}

func (t *tab) offline(yes bool) {
	t.Helper()
	t.do(func(ctx context.Context) error { return t.driver.offline(ctx, yes) })
}

func (t *tab) press(key string) {
	t.Helper()
	t.do(func(ctx context.Context) error { return t.driver.press(ctx, key) })
}

// js returns what an expression evaluates to, as JSON.
func (t *tab) js(expression string) string {
	t.Helper()
	text, err := t.evaluate(expression)
	if err != nil {
		t.Fatalf("%s: %v", expression, err)
	}
	return text
}

func (t *tab) evaluate(expression string) (string, error) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	return t.driver.evaluate(ctx, expression)
}

// is fails the test unless an expression soon is true, of the next page if the tab leaves
// this one meanwhile.
func (t *tab) is(expression string) {
	t.Helper()
	look := `new Promise((resolve, reject) => {
		const end = Date.now() + 8000;
		const look = () => {
			let yes = false, why = "";
			try { yes = ` + expression + `; } catch (error) { why = error; }
			yes ? resolve(true) : Date.now() > end ? reject(new Error("not true: " + ` + "`" + strings.ReplaceAll(expression, "`", "'") + "`" + ` + why)) : setTimeout(look, 20);
		};
		look();
	})`
	_, err := t.evaluate(look)
	for left := 3; left > 0 && errors.Is(err, errLeft); left-- {
		_, err = t.evaluate(look)
	}
	if err != nil {
		t.Fatalf("%s: %v", expression, err)
	}
}

// click clicks a part of the popup shown last.
func (t *tab) click(selector string) {
	t.Helper()
	t.js(`roots.at(-1).querySelector(` + fmt.Sprintf("%q", selector) + `).click()`)
}
