package deploy

import (
	"os"
	"testing"

	"github.com/popupd/popupd/internal/storetest"
)

func TestMain(m *testing.M) { os.Exit(storetest.Main(m)) }

func readFile(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
