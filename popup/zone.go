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

// locations are zones by name, which never change while a program runs. Names are of the form
// of IANA's only: a file has any number of others, as in Europe//Berlin.
var locations sync.Map

// loadLocation is [time.LoadLocation], which reads a file each time, and thousands of popups
// name the same few zones.
func loadLocation(name string) (*time.Location, error) {
	if known, ok := locations.Load(name); ok {
		return known.(*time.Location), nil
	}
	location, err := time.LoadLocation(name)
	if err == nil && isZoneName(name) {
		locations.Store(name, location)
	}
	return location, err
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
