package snapshot

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync/atomic"
	"time"

	"github.com/popupd/popupd/popup"
)

// Snapshot is the catalog of popups as of one revision, compiled. It is
// immutable and may be used from any goroutine. A nil Snapshot is an empty one.
type Snapshot struct {
	Revision int64

	settings    *Settings // nil: the defaults
	capsEra     uint64
	popups      []*Popup // in selection order: priority high to low, then id low to high
	active      []*Popup // those of popups that may be served
	byPlacement map[string]*placement
	hasTriggers bool
	byID        map[uint32]*Popup
	byGoal      map[string][]*Popup // those that are active or paused, by the name of their goal
	broken      map[uint32]bool     // ids of rows that could not be compiled, and of which no version is in force
	newest      uint32              // the greatest id of all rows
	changed     []*Popup            // see Changed
	removed     []*Popup            // see Removed
}

// Popup returns the popup with this id, nil if there is none. Drafts and paused
// popups are found too, since actions on what they showed may come late;
// archived ones are not.
func (s *Snapshot) Popup(id uint32) *Popup {
	if s == nil {
		return nil
	}
	return s.byID[id]
}

// IsArchived reports whether a popup has been archived. One that this snapshot is too
// old to know, or of which nothing can be read, is not.
func (s *Snapshot) IsArchived(id uint32) bool {
	return s != nil && s.byID[id] == nil && id <= s.newest && !s.broken[id]
}

// Goals returns the active and paused popups whose goal an event of this name is. The
// caller must not change the slice. It does not allocate.
func (s *Snapshot) Goals(name []byte) []*Popup {
	if s == nil {
		return nil
	}
	return s.byGoal[string(name)]
}

// All returns every popup that is not archived, in selection order. The caller
// must not change the slice.
func (s *Snapshot) All() []*Popup {
	if s == nil {
		return nil
	}
	return s.popups
}

// Changed returns the popups that are not the same ones in the snapshot that this one was
// compiled after, in selection order: all of them without one. The caller must not
// change the slice.
func (s *Snapshot) Changed() []*Popup {
	if s == nil {
		return nil
	}
	return s.changed
}

// Removed returns the popups of the snapshot before whose ids are in this one no more. The
// caller must not change the slice.
func (s *Snapshot) Removed() []*Popup {
	if s == nil {
		return nil
	}
	return s.removed
}

// Store holds the snapshot in force. Its methods may be called from any goroutine.
type Store struct {
	current atomic.Pointer[Snapshot]
}

// NewStore returns a store that holds an empty snapshot of revision 0.
func NewStore() *Store {
	s := &Store{}
	s.current.Store(&Snapshot{})
	return s
}

// Set puts a snapshot in force. Requests that are being answered keep the one
// that they have loaded.
func (s *Store) Set(next *Snapshot) { s.current.Store(next) }

// Current returns the snapshot in force. A request loads it once and uses
// nothing else, so that it sees one state of the configuration.
func (s *Store) Current() *Snapshot { return s.current.Load() }

// Broken is a row that could not be compiled.
type Broken struct {
	ID      uint32 // of the popup; 0: the row of the settings
	Version uint32
	Key     string
	Err     error
}

// Compile compiles a catalog into a snapshot. What is in previous already, from the
// same row, is taken over as it is; previous may be nil. A row that can't be compiled
// is returned in broken, and the version that previous holds, if any, stays in force.
// Archived popups are left out. The snapshot keeps the rows' Spec, which must not be
// changed later.
func Compile(from popup.Catalog, previous *Snapshot) (*Snapshot, []Broken) {
	c := newCompiler(previous)
	s := &Snapshot{Revision: from.Revision, byID: make(map[uint32]*Popup, len(from.Popups)), byGoal: map[string][]*Popup{}, broken: map[uint32]bool{}}
	var broken []Broken
	settings, err := compileSettings(&from.Settings, previous.Settings())
	if err != nil {
		broken = append(broken, Broken{Version: from.Settings.Version, Err: err})
		settings = previous.Settings()
	}
	s.settings, s.capsEra = settings, previous.CapsEra()+1
	for i := range from.Popups {
		row := &from.Popups[i]
		s.newest = max(s.newest, row.ID)
		if row.Archived {
			continue
		}
		last := previous.Popup(row.ID)
		isTaken := s.byID[row.ID] != nil || c.keys[row.Key]
		p, err := c.popup(row, last, isTaken)
		if err != nil {
			broken = append(broken, Broken{ID: row.ID, Version: row.Version, Key: row.Key, Err: err})
			if !isTaken && last != nil && last.Key == row.Key {
				p = last
			}
		}
		if p == nil {
			if err != nil {
				s.broken[row.ID] = true
			}
			continue
		}
		p = p.under(settings)
		s.byID[p.ID], c.keys[p.Key] = p, true
		s.popups = append(s.popups, p)
	}
	slices.SortFunc(s.popups, func(a, b *Popup) int {
		return cmp.Or(cmp.Compare(b.Priority, a.Priority), cmp.Compare(a.ID, b.ID))
	})
	for _, p := range s.popups {
		if previous.Popup(p.ID) != p {
			s.changed = append(s.changed, p)
		}
		if p.Status == popup.Active {
			s.active = append(s.active, p)
		}
		if p.goal != "" && (p.Status == popup.Active || p.Status == popup.Paused) {
			s.byGoal[p.goal] = append(s.byGoal[p.goal], p)
		}
	}
	for _, p := range previous.All() {
		if s.byID[p.ID] == nil {
			s.removed = append(s.removed, p)
		}
	}
	s.byPlacement = indexPlacements(s.active, previous)
	for _, p := range s.byPlacement {
		s.hasTriggers = s.hasTriggers || p.triggers != nil
	}
	return s, broken
}

// popup returns the popup of a row: last if that is from the same row, nil for an
// archived one, an error if the id or key is taken by a row before it.
func (c *compiler) popup(row *popup.Row, last *Popup, isTaken bool) (*Popup, error) {
	p, err := last, error(nil)
	if !last.isFrom(row) {
		p, err = c.compile(row)
	}
	switch {
	case err != nil:
		return nil, err
	case p.Status == popup.Archived:
		return nil, nil
	case isTaken:
		return nil, errors.New("another row has the same id or key")
	}
	return p, nil
}

// isFrom reports whether p was compiled from exactly this row. The spec is
// compared too, since a restored database gives out version numbers again.
func (p *Popup) isFrom(row *popup.Row) bool {
	return p != nil && p.row.Version == row.Version && p.row.Key == row.Key && bytes.Equal(p.row.Spec, row.Spec)
}

// compiler holds what the popups of one snapshot share.
type compiler struct {
	zones      map[string]*zone
	keys       map[string]bool
	conditions map[string]*condition // by source
	users      userZones             // nil: no schedule has asked for them
}

// newCompiler begins with the conditions of the popups that may be taken over.
func newCompiler(previous *Snapshot) *compiler {
	c := &compiler{zones: map[string]*zone{}, keys: map[string]bool{}, conditions: map[string]*condition{}}
	for _, p := range previous.All() {
		if p.schedule.users != nil {
			c.users = p.schedule.users
		}
		for _, group := range [][]*condition{p.targeting.all, p.targeting.any, p.targeting.none} {
			for _, shared := range group {
				c.conditions[shared.source] = shared
			}
		}
	}
	return c
}

// compile compiles one row. A panic is an error of this row: what one popup
// does to the compiler must not stop every server that reads the catalog.
func (c *compiler) compile(row *popup.Row) (p *Popup, err error) {
	defer func() {
		if r := recover(); r != nil {
			p, err = nil, fmt.Errorf("compile: panic: %v", r)
		}
	}()
	spec, ignored, err := popup.DecodeStored(row.Spec)
	if err != nil {
		return nil, err
	}
	switch {
	case row.ID == 0 || row.Version == 0:
		return nil, fmt.Errorf("id %d, version %d: both start from 1", row.ID, row.Version)
	case row.Key != spec.Key:
		return nil, fmt.Errorf("key %q of the row is %q in its spec", row.Key, spec.Key)
	}
	p = &Popup{
		ID:           row.ID,
		Version:      row.Version,
		Key:          spec.Key,
		Status:       spec.Status,
		Priority:     spec.Priority,
		Tags:         spec.Tags,
		Frequency:    spec.Frequency,
		Ignored:      ignored,
		row:          *row,
		trigger:      spec.Trigger,
		placements:   spec.Placements,
		rolloutShare: uint64(math.Round(spec.Rollout.Percent * rolloutSteps / 100)),
	}
	if p.goal = spec.Goal.Event; p.goal != "" {
		p.GoalWindow = time.Duration(spec.Goal.WindowSec) * time.Second
	}
	salt := spec.Rollout.Salt
	if salt == "" {
		salt = spec.Key
	}
	p.rollout = newStickyHash(purposeRollout, salt)
	if p.schedule, err = c.compileSchedule(&spec.Schedule); err != nil {
		return nil, err
	}
	if p.targeting, err = c.compileTargeting(&spec.Targeting); err != nil {
		return nil, err
	}
	if p.variants, err = compileVariants(row, &spec); err != nil {
		return nil, err
	}
	return p, nil
}

// zone returns the schedule's time zone, one table for all popups in it.
func (c *compiler) zone(s *popup.Schedule) (*zone, error) {
	if z := c.zones[s.Timezone]; z != nil {
		return z, nil
	}
	location, err := s.Location()
	if err != nil {
		return nil, err
	}
	z := newZone(location)
	c.zones[s.Timezone] = z
	return z, nil
}

// userZones returns the zones that users may be in, the same for all popups.
func (c *compiler) userZones() userZones {
	if c.users == nil {
		c.users = newUserZones()
	}
	return c.users
}
