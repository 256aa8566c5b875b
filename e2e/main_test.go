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
		if err := build(binary); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		return storetest.Main(m)
	}())
}

// build compiles popupd, with the race detector if the tests have it.
func build(to string, flags ...string) error {
	if raceDetector {
		flags = append(flags, "-race", "-pgo=off")
	}
	args := append(append([]string{"build", "-o", to}, flags...), "github.com/popupd/popupd")
	if out, err := exec.Command("go", args...).CombinedOutput(); err != nil {
		return fmt.Errorf("build popupd: %w\n%s", err, out)
	}
	return nil
}
