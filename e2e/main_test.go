//go:build linux

package e2e

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"testing"

	"github.com/popupd/popupd/internal/storetest"
	"github.com/popupd/popupd/internal/testbed"
)

var (
	bed    *testbed.Testbed // of every popupd here
	binary string           // the popupd under test
)

func TestMain(m *testing.M) {
	os.Exit(func() int {
		var err error
		if bed, err = testbed.New(context.Background()); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer bed.Close()
		if binary, err = build(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		return storetest.Main(tests{m})
	}())
}

// tests ends what the client keeps open. A connection on which nothing was sent yet was
// never accepted (TCP_DEFER_ACCEPT): it does not see its server end.
type tests struct{ *testing.M }

func (t tests) Run() int {
	defer http.DefaultClient.CloseIdleConnections()
	defer client.CloseIdleConnections()
	return t.M.Run()
}

// build compiles popupd, with the race detector if the tests have it. Without the profile,
// with which every package would be compiled once more.
func build(flags ...string) (path string, err error) {
	flags = append(flags, "-pgo=off")
	if raceDetector {
		flags = append(flags, "-race")
	}
	return bed.Build(".", ".", flags...)
}
