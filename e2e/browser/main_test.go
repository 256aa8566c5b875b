package browser

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/popupd/popupd/internal/testbed"
)

var (
	bed     *testbed.Testbed
	server  *testbed.Popupd
	chrome  context.Context // of the browser
	missing string          // why there is no browser

	long = os.Getenv("POPUPD_BROWSER_LONG") == "1" // what make test has no time for
)

func TestMain(m *testing.M) {
	os.Exit(func() int {
		if _, err := exec.LookPath("chromium"); err != nil {
			missing = err.Error() + ": apt-get install chromium"
			if os.Getenv("POPUPD_REQUIRE_STORES") == "1" {
				fmt.Fprintln(os.Stderr, missing)
				return 1
			}
			return m.Run()
		}
		var err error
		bed, err = testbed.New(context.Background())
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer bed.Close()
		binary, err := bed.Build("../..", ".", "-pgo=off")
		if err == nil {
			server, err = bed.Popupd(testbed.PopupdOptions{Binary: binary, Flags: []string{"-demo"}})
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		allocator, cancel := chromedp.NewExecAllocator(context.Background(), append(chromedp.DefaultExecAllocatorOptions[:],
			chromedp.ExecPath("chromium"), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.Flag("headless", "new"),
			chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.WindowSize(1000, 700))...)
		defer cancel()
		var end context.CancelFunc
		chrome, end = chromedp.NewContext(allocator)
		defer end()
		if err := chromedp.Do(chrome); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		return m.Run()
	}())
}
