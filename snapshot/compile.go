package snapshot

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math"
	"sync"
	"time"

	"github.com/popupd/popupd/audience"
	"github.com/popupd/popupd/popup"
)

// Compile compiles a catalog into a snapshot. What is in previous already, from the
// same row, is taken over as it is; previous may be nil. A row that can't be compiled
// is returned in broken, and the version that previous holds, if any, stays in force.
// Archived popups are left out. The snapshot keeps the rows' Spec, which must not be
// changed later.
func Compile(from popup.Catalog, previous *Snapshot) (*Snapshot, []Broken) {
	c := newCompiler(previous)
	s := &Snapshot{Revision: from.Revision, broken: map[uint32]bool{}}
	broken := c.settings(&from.Settings, s)
	broken = append(broken, c.audiences(from.Audiences, from.AudienceKey, s)...)
	popups, keys := make(map[uint32]*Popup, len(from.Popups)), make(map[string]bool, len(from.Popups))
	compiled := c.compileAll(from.Popups)
	for i := range from.Popups {
		row := &from.Popups[i]
		s.newest = max(s.newest, row.ID)
		if row.Archived {
			continue
		}
		isTaken := popups[row.ID] != nil || keys[row.Key]
		p, err := c.inForce(row, compiled[i], isTaken)
		if err != nil {
			broken = append(broken, Broken{ID: row.ID, Version: row.Version, Key: row.Key, Err: err})
			if p == nil {
				s.broken[row.ID] = true
			}
		}
		if p != nil {
			p = p.under(s.settings)
			popups[p.ID], keys[p.Key] = p, true
		}
	}
	var changes changes
	if previous != nil {
		previous.byID.each(func(p *Popup) {
			if popups[p.ID] != p {
				changes.out = append(changes.out, p)
			}
		})
	}
	for id, p := range popups {
		if previous.Popup(id) != p {
			changes.in = append(changes.in, p)
		}
	}
	c.finish(s, changes)
	return s, broken
}

// Apply puts a change in force on top of previous, which may be nil. It is [Compile] of all
// rows as they are after the change, but that broken only has rows of the change, and
// takes time and memory for the change.
func Apply(previous *Snapshot, change popup.CatalogChange) (*Snapshot, []Broken) {
	if previous == nil {
		previous = &Snapshot{}
	}
	c := newCompiler(previous)
	s := &Snapshot{Revision: change.Revision, newest: previous.newest}
	settings := previous.Settings().Row()
	if change.Settings != nil {
		settings = *change.Settings
	}
	broken := c.settings(&settings, s)
	audiences, key := previous.Audiences()
	if change.Audiences != nil {
		audiences = *change.Audiences
	}
	broken = append(broken, c.audiences(audiences, key, s)...)
	popups, keys := make(map[uint32]*Popup, len(change.Popups)), make(map[string]uint32, len(change.Popups))
	if s.settings != previous.Settings() { // which all popups are under
		previous.byID.each(func(p *Popup) { popups[p.ID] = p.under(s.settings) })
	}
	for i := range change.Popups {
		popups[change.Popups[i].ID] = nil
	}
	s.broken = maps.Clone(previous.broken)
	compiled := c.compileAll(change.Popups)
	for i := range change.Popups {
		row := &change.Popups[i]
		s.newest = max(s.newest, row.ID)
		delete(s.broken, row.ID)
		if row.Archived {
			continue
		}
		isTaken := popups[row.ID] != nil || keys[row.Key] != 0
		if id := previous.byKey.get(hashString(row.Key), row.Key); id != 0 && !isTaken {
			now, isChanged := popups[id]
			isTaken = id != row.ID && (!isChanged || now != nil && now.Key == row.Key)
		}
		p, err := c.inForce(row, compiled[i], isTaken)
		if err != nil {
			broken = append(broken, Broken{ID: row.ID, Version: row.Version, Key: row.Key, Err: err})
			if p == nil {
				if s.broken == nil {
					s.broken = map[uint32]bool{}
				}
				s.broken[row.ID] = true
			}
		}
		if p != nil {
			popups[p.ID], keys[p.Key] = p.under(s.settings), p.ID
		}
	}
	var changes changes
	for id, p := range popups {
		last := previous.Popup(id)
		if last == p {
			continue
		}
		if last != nil {
			changes.out = append(changes.out, last)
		}
		if p != nil {
			changes.in = append(changes.in, p)
		}
	}
	c.finish(s, changes)
	return s, broken
}

// settings puts the settings of a row in force in s.
func (c *compiler) settings(row *popup.SettingsRow, s *Snapshot) (broken []Broken) {
	settings, err := compileSettings(row, c.previous.Settings())
	if err != nil {
		broken = append(broken, Broken{Version: row.Version, Err: err})
		settings = c.previous.Settings()
	}
	s.settings, s.capsEra = settings, c.previous.CapsEra()+1
	return broken
}

// audiences puts audiences in force in s.
func (c *compiler) audiences(rows []popup.AudienceRow, key audience.Key, s *Snapshot) (broken []Broken) {
	s.audienceKey = key
	s.audiences, broken = c.compileAudiences(rows, key, c.previous.currentAudiences())
	return broken
}

// result is what compiling a row came to.
type result struct {
	popup *Popup // nil with an error
	err   error
}

// compileAll compiles rows, but for archived ones. It takes over what is in previous from the
// same row.
func (c *compiler) compileAll(rows []popup.Row) []result {
	results := make([]result, len(rows))
	compileOne := func(i int) {
		row := &rows[i]
		if row.Archived {
			return
		}
		if last := c.previous.Popup(row.ID); last.isFrom(row) {
			results[i].popup = last
			return
		}
		results[i].popup, results[i].err = c.compile(row)
	}
	inParallel(len(rows), c.workers(), compileOne)
	return results
}

// inForce returns the popup that is in force for a row, nil if none is. With an error it is
// the version that previous holds; the id or key may be taken by a row before it.
func (c *compiler) inForce(row *popup.Row, compiled result, isTaken bool) (*Popup, error) {
	err := compiled.err
	switch p := compiled.popup; {
	case err != nil:
	case p.Status == popup.Archived:
		return nil, nil
	case isTaken:
		err = errors.New("another row has the same id or key")
	default:
		return p, nil
	}
	if last := c.previous.Popup(row.ID); !isTaken && last != nil && last.Key == row.Key {
		return last, err
	}
	return nil, err
}

// isFrom reports whether p was compiled from exactly this row. The spec is
// compared too, since a restored database gives out version numbers again.
func (p *Popup) isFrom(row *popup.Row) bool {
	return p != nil && p.row.Version == row.Version && p.row.Key == row.Key && bytes.Equal(p.row.Spec, row.Spec)
}

// compiler holds what the popups of one snapshot share.
type compiler struct {
	previous *Snapshot // may be nil

	mu         sync.Mutex            // guards the rest: rows are compiled in parallel
	zones      map[string]*zone      // that previous does not have
	conditions map[string]*condition // by source
	users      userZones             // nil: no schedule has asked for them
}

func newCompiler(previous *Snapshot) *compiler {
	c := &compiler{previous: previous, zones: map[string]*zone{}, conditions: map[string]*condition{}}
	if previous != nil {
		c.users = previous.users
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
	c.mu.Lock()
	defer c.mu.Unlock()
	if z := c.zones[s.Timezone]; z != nil {
		return z, nil
	}
	if c.previous != nil && c.previous.zones[s.Timezone] != nil {
		return c.previous.zones[s.Timezone], nil
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
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.users == nil {
		c.users = newUserZones()
	}
	return c.users
}
