package browser

import (
	"context"
	"fmt"
	"strings"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// chromium is a tab of Chromium; the context is chromedp's.
type chromium struct{ tab context.Context }

// openChromium opens a tab that lasts as long as the test.
func openChromium(s *site, script string) (context.Context, driver) {
	s.Helper()
	ctx, cancel := chromedp.NewContext(chrome)
	s.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil { // opens the tab, which lasts as long as this context
		s.Fatal(err)
	}
	if _, err := chromedp.Call(ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: script}); err != nil {
		s.Fatal(err)
	}
	if _, err := chromedp.Call(ctx, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true}); err != nil { // as if each tab was the one in front
		s.Fatal(err)
	}
	return ctx, chromium{ctx}
}

// within returns the context of the tab, with the end of another one.
func (c chromium) within(ctx context.Context) (context.Context, context.CancelFunc) {
	end, _ := ctx.Deadline()
	return context.WithDeadline(c.tab, end)
}

func (c chromium) evaluate(ctx context.Context, expression string) (string, error) {
	ctx, cancel := c.within(ctx)
	defer cancel()
	text, err := chromedp.Run(ctx, chromedp.Evaluate[[]byte](expression, chromedp.EvalAwaitPromise))
	if err != nil && strings.Contains(err.Error(), "navigated or closed") {
		err = fmt.Errorf("%w: %w", errLeft, err)
	}
	return string(text), err
}

func (c chromium) navigate(ctx context.Context, url string) error {
	ctx, cancel := c.within(ctx)
	defer cancel()
	return chromedp.Do(ctx, chromedp.Navigate(url))
}

func (c chromium) back(ctx context.Context) error {
	_, err := c.evaluate(ctx, `void history.back()`) // chromedp's own would wait for the page to load, which one out of the cache does not
	return err
}

func (c chromium) offline(ctx context.Context, yes bool) error {
	ctx, cancel := c.within(ctx)
	defer cancel()
	conditions := network.EmulateNetworkConditionsByRuleParams{MatchedNetworkConditions: []*network.Conditions{{Offline: yes, DownloadThroughput: -1, UploadThroughput: -1}}}
	if _, err := chromedp.Call(ctx, network.EmulateNetworkConditionsByRule, conditions); err != nil {
		return err
	}
	_, err := chromedp.Call(ctx, network.OverrideNetworkState, network.OverrideNetworkStateParams{Offline: yes, DownloadThroughput: -1, UploadThroughput: -1}) // navigator.onLine
	return err
}

func (c chromium) press(ctx context.Context, key string) error {
	ctx, cancel := c.within(ctx)
	defer cancel()
	if named := map[string]string{"Tab": kb.Tab, "Escape": kb.Escape}[key]; named != "" {
		key = named
	}
	return chromedp.Do(ctx, chromedp.KeyEvent(key))
}
