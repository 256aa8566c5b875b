package journal

import (
	"os"
	"testing"

	"github.com/popupd/popupd/internal/storetest"
)

// TestMain also looks for goroutines that are left.
func TestMain(m *testing.M) { os.Exit(storetest.Main(m)) }
