// Package e2e drives the built popupd from outside, over HTTP, on a real
// MariaDB and a real Redis, and kills all three.
package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/popupd/popupd/internal/storetest"
)

var binary string // the popupd under test

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "popupd-e2e-*")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		binary = filepath.Join(dir, "popupd")
		build := exec.Command("go", "build", "-o", binary, "github.com/popupd/popupd")
		if out, err := build.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "build popupd: %v\n%s", err, out)
			return 1
		}
		return storetest.Main(m)
	}())
}
