package web

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/popupd/popupd/popup"
)

// TestTexts: the modules ask for no text that there is none of. What begins a key is the
// beginning of one.
func TestTexts(t *testing.T) {
	asked := regexp.MustCompile("\\b(?:t|has)\\((?:\"(\\w+)\\.([^\"]*)\"( \\+)?|`(\\w+)\\.([^$`]*))")
	files, n := map[string]map[string]any{}, 0
	err := filepath.WalkDir("src", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(name) != ".js" {
			return err
		}
		source, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		for _, m := range asked.FindAllStringSubmatch(string(source), -1) {
			file, key, begins := m[1]+m[4], m[2]+m[5], m[3] != "" || m[4] != ""
			if files[file] == nil {
				files[file] = readFile(t, "messages/en/"+file+".json")
			}
			if n++; files[file][key] == nil && !(begins && hasPrefix(files[file], key)) {
				t.Errorf("%s asks for %s.%s", name, file, key)
			}
		}
		return nil
	})
	if err != nil || n < 100 {
		t.Fatalf("%d texts are asked for, %v", n, err)
	}
}

func hasPrefix(texts map[string]any, prefix string) bool {
	for key := range texts {
		if strings.HasPrefix(key, prefix) {
			return true
		}
	}
	return false
}

// TestReasons: each reason why a popup is not shown, and each gate that it has to pass, is told in words.
func TestReasons(t *testing.T) {
	reasons, users := readFile(t, "messages/en/reasons.json"), readFile(t, "messages/en/users.json")
	for r := popup.Eligible + 1; r < popup.NumReasons; r++ {
		if reasons[r.String()] == nil || reasons[r.String()+".do"] == nil {
			t.Errorf("%s: %v, %v", r, reasons[r.String()], reasons[r.String()+".do"])
		}
	}
	for _, gate := range []string{
		popup.StatusGate, popup.ScheduleGate, popup.PlacementGate, popup.TriggerGate, popup.TargetingGate, popup.RolloutGate, popup.HoldoutGate,
		popup.ControlGate, popup.CooldownGate, popup.MaxImpressionsGate, popup.MinGapGate, popup.CapGate, popup.RankGate, popup.MemoryGate,
	} {
		if users["gate."+gate] == nil || users["passed."+gate] == nil {
			t.Errorf("gate %s: %v, %v", gate, users["gate."+gate], users["passed."+gate])
		}
	}
}
