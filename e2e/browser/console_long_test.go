package browser

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// newLongConsole is newConsole for what make browser does.
func newLongConsole(t *testing.T, popups ...string) *site {
	t.Helper()
	if !long {
		t.Skip("make browser")
	}
	return newConsole(t, popups...)
}

// consolePages are the pages of the console, with a popup and an audience to be shown.
func consolePages(popup, audience string) map[string]string {
	return map[string]string{
		"popups": "/popups", "new": "/new", "editor": "/popups/" + popup, "report": "/popups/" + popup + "/report", "history": "/popups/" + popup + "/history",
		"audiences": "/audiences", "audience": "/audiences/" + audience, "users": "/users", "user": "/users?uid=anna", "settings": "/settings", "tokens": "/tokens", "audit": "/audit", "system": "/system",
	}
}

// width has the tab be so many pixels wide.
func (t *tab) size(width, height int64) {
	t.Helper()
	if _, err := chromedp.Call(t.ctx, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: width, Height: height, DeviceScaleFactor: 1}); err != nil {
		t.Fatal(err)
	}
}

// settled waits until the page has nothing left to load.
func (o operator) settled() {
	o.Helper()
	o.is(`!document.querySelector("[aria-busy=true]")`)
}

// TestConsoleAccessible: axe-core finds nothing in any page, light and dark, and on 360 px
// no page is wider than the window.
func TestConsoleAccessible(t *testing.T) {
	s := newLongConsole(t, content(`"title":"Sale","link":"/sale"`))
	s.admin("PUT", "/v1/admin/audiences/vip", `{"rule":{"all":[{"attr":"plan","op":"eq","value":"pro"}]}}`, http.StatusCreated, "If-None-Match", "*")
	o := s.loggedIn(s.server.Token)
	for name, path := range consolePages(s.key(0), "vip") {
		for _, scheme := range []string{"light", "dark"} {
			o.emulate(looks[scheme]...)
			o.size(1280, 800)
			o.open(path)
			o.settled()
			t.Log(name, scheme)
			o.accessible()
		}
		o.size(360, 640)
		o.open(path)
		o.settled()
		if got := o.js(`document.documentElement.scrollWidth`); got != "360" {
			t.Errorf("%s is %s px wide in a window of 360", name, got)
		}
		o.accessible()
	}
}

// TestConsoleStaleEditor: who saves what someone else has changed meanwhile is shown both, and
// loses nothing.
func TestConsoleStaleEditor(t *testing.T) {
	s := newLongConsole(t, content(`"title":"Sale"`)+`,"name":"First"`)
	o := s.loggedIn(s.server.Token)
	o.open("/popups/" + s.key(0))
	other := o.another("/popups/" + s.key(0))
	o.fill("Name", "Mine")
	other.fill("Name", "Theirs")
	other.fill("Priority", "7")
	other.button("Publish")
	other.reviewed()
	other.says("ublished")
	o.button("Publish")
	o.dialog("Changed meanwhile")
	o.shows("Mine")
	o.shows("Theirs")
	o.accessible()
	o.js(`void find.scope().querySelector("button.close, [aria-label=Close]")?.click()`)
	o.value("Name", "Mine")
	o.button("Publish")
	o.dialog("Changed meanwhile")
	o.button("Merge as chosen")
	o.reviewed()
	o.says("ublished")
	if name, priority := s.nameAndPriority(); name != "Mine" || priority != 7 {
		t.Errorf("merged into %q with priority %d", name, priority)
	}
}

// nameAndPriority are those of the site's first popup.
func (s *site) nameAndPriority() (name string, priority int) {
	s.Helper()
	var p struct {
		Name     string
		Priority int
	}
	if err := json.Unmarshal(s.admin("GET", "/v1/admin/popups/"+s.key(0), "", http.StatusOK), &p); err != nil {
		s.Fatal(err)
	}
	return p.Name, p.Priority
}

// TestConsoleLiveDraft: a draft of what visitors see stays in the browser until it is published.
func TestConsoleLiveDraft(t *testing.T) {
	s := newLongConsole(t, content(`"title":"Sale"`)+`,"name":"First"`)
	o := s.loggedIn(s.server.Token)
	o.open("/popups/" + s.key(0))
	o.fill("Name", "Second")
	o.button("Save draft")
	o.says("Visitors still see version 1")
	if name, _ := s.nameAndPriority(); name != "First" {
		t.Errorf("named %q, though that was not published", name)
	}
	o.open("/popups/" + s.key(0))
	o.value("Name", "Second")
	o.button("Pause")
	o.is(finding("button", "Resume"))
	o.value("Name", "Second")
	if name, _ := s.nameAndPriority(); name != "First" {
		t.Errorf("named %q by pausing", name)
	}
	o.button("Publish")
	o.reviewed()
	o.says("ublished")
	if name, _ := s.nameAndPriority(); name != "Second" {
		t.Errorf("named %q, published as Second", name)
	}
}

// TestConsoleUntitled: who publishes what browsers show nothing of is told so first.
func TestConsoleUntitled(t *testing.T) {
	s := newLongConsole(t, content(`"title":"Sale"`))
	o := s.loggedIn(s.server.Token)
	o.open("/new")
	o.fill("Key", s.key(0)+"-untitled")
	o.fill("Placements", s.placement)
	o.button("Publish")
	o.dialog("Review before publishing")
	o.shows("Browsers show nothing without a title.")
	o.accessible()
	o.button("Cancel")
	o.fill("Title", "Titled")
	o.button("Publish")
	o.says("ublished")
}

// TestConsoleJSON: JSON and form are the same popup; what can't be read is told by line, and not saved.
func TestConsoleJSON(t *testing.T) {
	s := newLongConsole(t, content(`"title":"Sale"`)+`,"name":"First"`)
	o := s.loggedIn(s.server.Token)
	o.open("/popups/" + s.key(0))
	o.button("JSON")
	line := func(text string) {
		t.Helper()
		o.is(`[...document.querySelectorAll(".cm-line")].some((line) => line.innerText.includes("priority"))`)
		o.js(`{
			const line = [...document.querySelectorAll(".cm-line")].find((line) => line.innerText.includes("priority"));
			document.querySelector(".cm-content").focus();
			getSelection().selectAllChildren(line);
		}`)
		o.is(`document.querySelector(".cm-selectionBackground")`)
		o.typed(text)
	}
	line(`"priority": 42,`)
	o.value("Priority", "42")
	line(`"priority": "high",`)
	o.shows("Line 4: must be a number")
	o.button("Publish")
	o.is(`document.activeElement.id === "problems"`)
	o.accessible()
	line(`"priority": 43,`)
	o.value("Priority", "43")
	o.fill("Name", "Second")
	o.is(`document.querySelector(".cm-content").innerText.includes('"name": "Second"')`)
	o.button("Publish")
	o.reviewed()
	o.says("ublished")
	if name, priority := s.nameAndPriority(); name != "Second" || priority != 43 {
		t.Errorf("saved as %q with priority %d", name, priority)
	}
}

// TestConsoleSessionEnds: what was typed is still there after the log-in, and is saved.
func TestConsoleSessionEnds(t *testing.T) {
	s := newLongConsole(t, content(`"title":"Sale"`))
	o := s.loggedIn(s.server.Token)
	o.open("/popups/" + s.key(0))
	o.fill("Title", "Typed before the session ended")
	if _, err := chromedp.Call(o.ctx, network.ClearBrowserCookies, struct{}{}); err != nil {
		t.Fatal(err)
	}
	o.button("Publish")
	o.dialog("Log in again")
	o.accessible()
	o.fill("Token", "wrong")
	o.button("Log in")
	o.is(`find.scope().querySelector(".error")`)
	o.fill("Token", s.namedToken("publisher")) // of somebody else
	o.button("Log in")
	o.reviewed()
	o.says("ublished")
	o.is(`document.querySelector(".who .name").textContent === "` + s.placement + `-publisher"`)
	if got := string(s.admin("GET", "/v1/admin/popups/"+s.key(0), "", http.StatusOK)); !strings.Contains(got, "Typed before the session ended") {
		t.Errorf("%s", got)
	}
}

// TestConsoleUnsaved: what was typed is there again after a reload.
func TestConsoleUnsaved(t *testing.T) {
	s := newLongConsole(t, content(`"title":"Sale"`))
	o := s.loggedIn(s.server.Token)
	o.open("/popups/" + s.key(0))
	o.fill("Title", "Not saved yet")
	o.press("Tab")
	o.is(`Object.keys(localStorage).some((key) => localStorage[key].includes("Not saved yet"))`)
	o.navigate(o.console("/audit"))
	o.open("/popups/" + s.key(0))
	o.value("Title", "Not saved yet")
}

// hostileTexts are tried in every field.
var hostileTexts = []string{
	`<img src=x onerror=window.hacked=1>`, `"><script>window.hacked=1</script>`, `javascript:window.hacked=1`, `' onmouseover='window.hacked=1`, `${window.hacked=1}`, `{{constructor.constructor("window.hacked=1")()}}`,
	`</textarea><svg onload=window.hacked=1>`, "\u202e\u2066evil\u2069 \u0000\ufffe", `<a href="data:text/html,<script>window.hacked=1</script>">x</a>`,
}

// TestConsoleHostileTexts: texts of popups and users are never taken for HTML.
func TestConsoleHostileTexts(t *testing.T) {
	s := newLongConsole(t)
	o := s.loggedIn(s.server.Token)
	for i, text := range hostileTexts {
		quoted := fmt.Sprintf("%q", strings.ReplaceAll(text, "\u0000", ""))
		quoted = strings.ReplaceAll(quoted, `\ufffe`, "")
		path := `"/` + quoted[1:]
		key := s.key(i)
		s.admin("POST", "/v1/admin/popups", `{"key":"`+key+`","name":`+quoted+`,"tags":["x"],"placements":["`+s.placement+`"],"status":"active","variants":[{"key":"a","content":{"title":`+quoted+`,"body":`+quoted+`,"cta":`+quoted+`,"link":`+path+`,"image":`+path+`,"more":`+quoted+`}}]}`, http.StatusCreated)
		for name, path := range consolePages(key, "none") {
			if name == "audience" {
				continue
			}
			o.open(path)
			if got := o.js(`[window.hacked ?? 0, ...Array.from(frames, (f) => { try { return f.hacked ?? 0; } catch { return 0; } })].filter(Boolean).length`); got != "0" {
				t.Fatalf("%s ran %q", path, text)
			}
		}
		o.open("/users?uid=" + strings.NewReplacer("%", "%25", "&", "%26", "#", "%23", "+", "%2B", " ", "%20", "\u0000", "").Replace(text))
		if got := o.js(`window.hacked ?? 0`); got != "0" {
			t.Fatalf("users ran %q", text)
		}
	}
}

// TestConsoleByKeyboard: a popup is made and published without a mouse.
func TestConsoleByKeyboard(t *testing.T) {
	s := newLongConsole(t)
	o := s.operator()
	o.is(`document.activeElement?.name === "token"`)
	o.typed(s.server.Token)
	o.key("\r")
	o.is(`location.pathname === "/popups" && document.querySelector("main h1")`)
	o.tabTo(`find.name(document.activeElement) === "New popup"`)
	o.key("\r")
	o.is(`location.pathname === "/new" && document.querySelector("main h1")`)
	for label, text := range map[string]string{"Key": s.key(1), "Title": "By keyboard"} {
		o.js(`void document.activeElement.blur()`)
		o.tabTo(`document.activeElement === ` + finding("field", label))
		o.typed(text)
	}
	o.js(`void document.activeElement.blur()`)
	o.tabTo(`find.name(document.activeElement) === "Publish"`)
	o.key("\r")
	o.is(finding("button", "Pause"))
	if got := string(s.admin("GET", "/v1/admin/popups/"+s.key(1), "", http.StatusOK)); !strings.Contains(got, `"active"`) {
		t.Errorf("%s", got)
	}
}

// key presses a key by the character that it types.
func (o operator) key(char string) {
	o.Helper()
	if err := chromedp.Do(o.ctx, chromedp.KeyEvent(char)); err != nil {
		o.Fatal(err)
	}
}

// tabTo presses Tab until an expression is true.
func (o operator) tabTo(expression string) {
	o.Helper()
	for range 200 {
		if o.js(`Boolean(`+expression+`)`) == "true" {
			return
		}
		o.press("Tab")
	}
	o.Fatalf("Tab does not lead to %s, but to %s", expression, o.js(`document.activeElement.outerHTML.slice(0, 200)`))
}

// choose chooses a file in the field that has a label.
func (o operator) choose(label, file string) {
	o.Helper()
	input, err := chromedp.Call(o.ctx, runtime.Evaluate, runtime.EvaluateParams{Expression: finding("field", label)})
	if err != nil {
		o.Fatal(err)
	}
	if _, err := chromedp.Call(o.ctx, dom.SetFileInputFiles, dom.SetFileInputFilesParams{Files: []string{file}, ObjectID: input.Result.ObjectID}); err != nil {
		o.Fatal(err)
	}
}

// TestConsoleUpload: a list is uploaded from a file; broken lines are told by number.
func TestConsoleUpload(t *testing.T) {
	s := newLongConsole(t)
	o := s.loggedIn(s.server.Token)
	dir := t.TempDir()
	good, broken := filepath.Join(dir, "good.txt"), filepath.Join(dir, "broken.txt")
	if os.WriteFile(good, []byte("anna\nbert\ncleo\n"), 0o600) != nil || os.WriteFile(broken, []byte("anna\n"+strings.Repeat("x", 300)+"\n"), 0o600) != nil {
		t.Fatal("no files")
	}
	for _, c := range []struct{ file, says string }{{broken, "2"}, {good, "3"}} {
		o.open("/audiences")
		o.clickOn(`find.all("button", "New audience")[0]`) // the empty page has two
		o.fill("Key", s.placement)
		o.choose("File with user ids", c.file)
		o.button("Upload")
		o.shows(c.says)
	}
	if got := string(s.admin("GET", "/v1/admin/audiences/"+s.placement, "", http.StatusOK)); !strings.Contains(got, `"members":3`) {
		t.Errorf("%s", got)
	}
}
