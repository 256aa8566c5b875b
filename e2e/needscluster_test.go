//go:build linux

package e2e

import (
	"os"
	"testing"
)

// needsCluster skips a test that starts a whole cluster and takes up to two minutes,
// unless it is make cluster that runs it.
func needsCluster(t *testing.T) {
	t.Helper()
	if os.Getenv("POPUPD_CLUSTER") == "" {
		t.Skip("takes long: make cluster")
	}
}
