package popup

import (
	"archive/zip"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Every zone that Go's copy of IANA's database has is taken, but the one that says
// that no zone is set.
func TestLoadZoneKnowsIANA(t *testing.T) {
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	database, err := zip.OpenReader(filepath.Join(strings.TrimSpace(string(root)), "lib", "time", "zoneinfo.zip"))
	if err != nil {
		t.Fatal(err)
	}
	defer database.Close()
	known := 0
	var names []string
	for _, f := range database.File {
		name := f.Name
		if strings.HasSuffix(name, "/") || name == "Factory" {
			continue
		}
		if location, err := LoadZone(name); err != nil || location.String() != name {
			t.Errorf("LoadZone(%q) = %v, %v", name, location, err)
		}
		known++
		names = append(names, name)
	}
	if slices.Sort(names); !slices.Equal(names, ZoneNames()) {
		t.Errorf("zones.txt has other names than Go's database: %q", names)
	}
	if known < 400 {
		t.Errorf("%d zones in Go's database, want 400 or more", known)
	}
}

func TestLoadZoneRefuses(t *testing.T) {
	for _, name := range []string{
		"", "Local", "localtime", "Factory", "posixrules", "right/UTC", "right/Europe/Berlin", "posix/Europe/Berlin", "SystemV/EST5",
		"utc", "europe/berlin", "Europe/berlin", "Mars/Olympus", "Europe", "Europe/", "/Europe/Berlin", "Europe//Berlin", "./UTC", "Europe/./Berlin",
		"Europe/../UTC", "../UTC", `Europe\Berlin`, " UTC", "UTC ", "UTC\x00", "+01:00", "Europe/Berlin\n", "zone.tab", "tzdata.zi",
	} {
		if location, err := LoadZone(name); err == nil || !strings.Contains(err.Error(), "Europe/Berlin") {
			t.Errorf("LoadZone(%q) = %v, %v; want an error that names the right form", name, location, err)
		}
	}
}

// Changes are held to it, what is stored is not.
func TestZoneOfChanges(t *testing.T) {
	doc := []byte(`{"key":"k","schedule":{"timezone":"Factory"}}`)
	wantPointer(t, doc, "/schedule/timezone")
	s, _, err := DecodeStored(doc)
	if err != nil || s.ValidateStored() != nil || s.Validate() == nil {
		t.Errorf("DecodeStored: %v, ValidateStored: %v, Validate: %v", err, s.ValidateStored(), s.Validate())
	}
}

// TestKnownLocations: zones are read once, but for other spellings of their names, of which
// there is no end.
func TestKnownLocations(t *testing.T) {
	for name, want := range map[string]bool{"Europe/Paris": true, "Europe//Paris": false, "Europe/./Paris": false} {
		first, err := loadLocation(name)
		again, _ := loadLocation(name)
		if isKept := first == again; isKept != want || err != nil {
			t.Errorf("%s is kept: %v, want %v (%v)", name, isKept, want, err)
		}
	}
}
