package browser

import (
	"context"
	"encoding/json"
	"maps"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/popupd/popupd/internal/testbed"
)

// firefox is a running Firefox.
type firefox struct{ *bidi }

// startFirefox starts a Firefox that lasts as long as the test, with these lines in its
// profile.
func startFirefox(t *testing.T, prefs ...string) *firefox {
	t.Helper()
	if missing != "" {
		t.Skip(missing)
	}
	if _, err := testbed.LookPath("firefox-esr"); err != nil {
		t.Skipf("%v: make sdk-tools", err) // not every Linux has it
	}
	t.Log(testbed.Version("firefox-esr", "--version"))
	profile := t.TempDir()
	prefs = append(prefs, `user_pref("network.proxy.type", 0);`)
	if err := os.WriteFile(filepath.Join(profile, "user.js"), []byte(strings.Join(prefs, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	var url string
	process, err := bed.Start(testbed.Program{
		Name: "firefox", Args: []string{"firefox-esr", "--headless", "--no-remote", "--remote-debugging-port=0", "--profile", profile},
		Ready: func(line string) (ready bool) {
			_, url, ready = strings.Cut(line, "WebDriver BiDi listening on ")
			return ready
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { process.Kill() })
	b, err := dialBidi(t.Context(), strings.TrimSpace(url))
	if err != nil {
		t.Fatal(err)
	}
	return &firefox{b}
}

// create opens a tab, of a window of its own or of another one's.
func (f *firefox) create(ctx context.Context, params map[string]any) (bidiTab, error) {
	f.front.Lock()
	defer f.front.Unlock()
	made, err := f.call(ctx, "browsingContext.create", params)
	if err != nil {
		return bidiTab{}, err
	}
	var created struct{ Context string }
	err = json.Unmarshal(made, &created)
	return bidiTab{f.bidi, created.Context}, err
}

// prepare has a script run before any of the pages' own.
func (f *firefox) prepare(ctx context.Context, tab bidiTab, script string) error {
	_, err := f.call(ctx, "script.addPreloadScript", map[string]any{"functionDeclaration": "() => {" + script + "\n}", "contexts": []string{tab.id}})
	return err
}

// open opens a window that lasts as long as the test: of several tabs in a window all but
// one are hidden.
func (f *firefox) open(s *site, script string) driver {
	s.Helper()
	ctx, cancel := context.WithTimeout(s.Context(), 2*patience)
	defer cancel()
	tab, err := f.create(ctx, map[string]any{"type": "window"})
	if err == nil {
		err = f.prepare(ctx, tab, script)
	}
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
		defer cancel()
		f.call(ctx, "browsingContext.close", map[string]any{"context": tab.id}) // else it lasts as long as Firefox
	})
	return tab
}

// firefoxes are the running ones, by the names of the tests whose subtests they run.
var firefoxes sync.Map

// inFirefox runs tests as subtests, in a Firefox of their own.
func inFirefox(t *testing.T, tests map[string]func(*testing.T), prefs ...string) {
	t.Helper()
	t.Parallel()
	firefoxes.Store(t.Name(), startFirefox(t, prefs...))
	for name, test := range tests {
		t.Run(name, test)
	}
}

// firefoxOf returns the Firefox that a test runs in, nil if it is Chromium.
func firefoxOf(t *testing.T) *firefox {
	for name := t.Name(); name != "."; name = path.Dir(name) {
		if found, ok := firefoxes.Load(name); ok {
			return found.(*firefox)
		}
	}
	return nil
}

// TestFirefox runs the core flows in Firefox, and with make browser all that need
// no means of Chromium's own, as virtual time.
func TestFirefox(t *testing.T) {
	tests := map[string]func(*testing.T){
		"Kinds": TestKinds, "Inline": TestInline, "ModalKeys": TestModalKeys, "LinkAway": TestLinkAway, "Offline": TestOffline, "TwoTabs": TestTwoTabs,
		"HiddenTab": testHiddenTab, "Route": TestRoute, "ContentSecurityPolicy": TestContentSecurityPolicy,
	}
	if long {
		maps.Copy(tests, map[string]func(*testing.T){
			"NoContainer": TestNoContainer, "HostDialog": TestHostDialog, "Release": TestRelease, "HostileContent": TestHostileContent, "BadAnswers": TestBadAnswers,
			"HostilePage": TestHostilePage, "Twice": TestTwice, "InitAgain": TestInitAgain, "LostAnswer": TestLostAnswer, "NextPoll": TestNextPoll,
			"Blocked": TestBlocked, "Backoff": TestBackoff, "RetryAfter": TestRetryAfter, "RouteDuringPoll": TestRouteDuringPoll, "Triggers": TestTriggers, "Withdraw": TestWithdraw,
			"Frame": TestFrame, "Identify": TestIdentify, "Track": TestTrack, "ConvertLater": TestConvertLater, "Positions": TestPositions,
			"FailedImage": TestFailedImage, "Examples": TestExamples,
		})
	}
	inFirefox(t, tests)
}

// TestFirefoxWithoutStorage: localStorage is null, or its getter throws.
func TestFirefoxWithoutStorage(t *testing.T) {
	if !long {
		t.Skip("make browser")
	}
	tests := map[string]func(*testing.T){"Kinds": TestKinds, "Inline": TestInline, "LinkAway": TestLinkAway, "Route": TestRoute}
	t.Run("disabled", func(t *testing.T) { inFirefox(t, tests, `user_pref("dom.storage.enabled", false);`) })
	t.Run("refused", func(t *testing.T) { inFirefox(t, tests, `user_pref("network.cookie.cookieBehavior", 2);`) })
}

// testHiddenTab: a tab that is opened in the background polls once it is looked at.
func testHiddenTab(t *testing.T) {
	s := newSite(t, content(`"kind":"toast","title":"Sale"`))
	p := s.open("/empty")
	window := p.driver.(bidiTab)
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	behind, err := s.firefox.create(ctx, map[string]any{"type": "tab", "referenceContext": window.id, "background": true})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.firefox.prepare(ctx, behind, openRoots); err != nil {
		t.Fatal(err)
	}
	p.driver = behind
	p.navigate(s.origin)
	p.is(`document.visibilityState === "hidden" && !!window.popupd?.version`)
	p.js(`new Promise((resolve) => setTimeout(resolve, 300))`)
	s.polled(0)
	s.firefox.front.Lock()
	err = behind.activate(ctx)
	s.firefox.front.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	p.is(shown)
	s.polled(1)
}
