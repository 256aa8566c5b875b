package popup

import (
	_ "embed" // zones.txt
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// zoneNames are the names of all zones of Go's copy of IANA's database, one a line, sorted.
//
//go:embed zones.txt
var zoneNames string

// ZoneNames returns the names of the time zones that users may be in, sorted: a closed
// list, so that what is kept for each of them is bounded.
func ZoneNames() []string { return slices.Collect(strings.FieldsSeq(zoneNames)) }

// LoadZone returns the time zone with this IANA name, such as "Europe/Berlin" or "UTC".
// It refuses whatever else the files of a system offer as a zone: posixrules and
// localtime differ from one server to the next, right/ counts leap seconds, and other
// systems do not know posix/ or a name in other letter case.
func LoadZone(name string) (*time.Location, error) {
	if !isZoneName(name) {
		return nil, fmt.Errorf(`time zone %q: want an IANA name such as "Europe/Berlin", or "UTC"`, name)
	}
	location, err := loadLocation(name)
	if err != nil {
		return nil, fmt.Errorf(`time zone %q is not known: want an IANA name such as "Europe/Berlin", or "UTC"`, name)
	}
	return location, nil
}

// locations read the zones of [ZoneNames], each once: thousands of popups name the same few.
var locations = sync.OnceValue(func() map[string]func() (*time.Location, error) {
	load := map[string]func() (*time.Location, error){}
	for _, name := range ZoneNames() {
		load[name] = sync.OnceValues(func() (*time.Location, error) { return time.LoadLocation(name) })
	}
	return load
})

// loadLocation is [time.LoadLocation], which reads a file each time.
func loadLocation(name string) (*time.Location, error) {
	if load := locations()[name]; load != nil {
		return load()
	}
	return time.LoadLocation(name)
}

// isZoneName reports whether a name has the form of IANA's: words joined by slashes,
// each a capital letter and then letters, digits, _, + and -. Names of this form that
// are no place and no offset are listed.
func isZoneName(name string) bool {
	for word := range strings.SplitSeq(name, "/") {
		if word == "" || word[0] < 'A' || word[0] > 'Z' {
			return false
		}
		for _, c := range []byte(word) {
			switch {
			case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', isDigit(c), c == '_', c == '+', c == '-':
			default:
				return false
			}
		}
	}
	return name != "Local" && name != "Factory" && !strings.HasPrefix(name, "SystemV/")
}
