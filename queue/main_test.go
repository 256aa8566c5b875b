package queue

import (
	"flag"
	"os"
	"testing"

	"github.com/popupd/popupd/internal/storetest"
)

var deep = flag.Bool("deep", false, "explore the larger rows of the model too")

// TestMain also looks for goroutines that are left.
func TestMain(m *testing.M) { os.Exit(storetest.Main(m)) }
