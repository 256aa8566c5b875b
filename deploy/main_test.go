package deploy

import (
	"os"
	"testing"

	"github.com/popupd/popupd/internal/storetest"
)

func TestMain(m *testing.M) { os.Exit(storetest.Main(m)) }
