package snapshot

import (
	"sync"

	"github.com/popupd/popupd/popup"
)

// userZones are the time zones that users may be in, by name. All popups of a snapshot,
// and those of later ones, share them.
type userZones map[string]*userZone

// userZone makes its table when the first user of the zone polls: some hundred zones at
// once would take a quarter of a second.
type userZone struct {
	name string
	once sync.Once
	zone *zone
}

func newUserZones() userZones {
	zones := userZones{}
	for _, name := range popup.ZoneNames() {
		zones[name] = &userZone{name: name}
	}
	return zones
}

// find returns the zone with this name, nil if it is not known. It allocates for the
// first user of a zone only.
func (u userZones) find(name []byte) *zone {
	if len(u) == 0 || len(name) == 0 {
		return nil // at once, since most popups do not ask
	}
	return u.load(name)
}

func (u userZones) load(name []byte) *zone {
	found := u[string(name)]
	if found == nil {
		return nil
	}
	found.once.Do(func() {
		if location, err := popup.LoadZone(found.name); err == nil {
			found.zone = newZone(location)
		}
	})
	return found.zone
}
