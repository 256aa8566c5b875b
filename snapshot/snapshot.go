package snapshot

import (
	"sync/atomic"

	"github.com/popupd/popupd/audience"
)

// Snapshot is the catalog of popups as of one revision, compiled. It is
// immutable and may be used from any goroutine. A nil Snapshot is an empty one.
type Snapshot struct {
	Revision int64

	settings    *Settings    // nil: the defaults
	audiences   *audiences   // nil: there are none
	audienceKey audience.Key // of the fingerprints in lists
	capsEra     uint64
	byID        tree[uint32, *Popup]
	byKey       tree[string, uint32]
	byGoal      tree[string, []*Popup] // those that are active or paused, by the name of their goal
	byPlacement map[string]*placement
	active      *index                     // popups that may be served; without conditions; nil: none
	triggered   int                        // placements with triggers
	byAddress   int                        // conditions of active popups on the client's address
	naming      int                        // conditions of active popups on audiences
	plans       map[*segment]*audiencePlan // of those whose popups name audiences; nil: none do
	rulesUseIP  bool                       // a rule of an audience in play asks for the client's address
	zones       map[string]*zone
	users       userZones       // nil: no popup asks for them
	broken      map[uint32]bool // ids of rows that could not be compiled, and of which no version is in force
	newest      uint32          // the greatest id of all rows
	changed     []*Popup        // see Changed
	removed     []*Popup        // see Removed

	// All popups in selection order are sorted when somebody asks, or found from the list
	// of the snapshot before, if somebody asked there.
	all    atomic.Pointer[[]*Popup]
	before []*Popup // nil: not known
}

// Popup returns the popup with this id, nil if there is none. Drafts and paused
// popups are found too, since actions on what they showed may come late;
// archived ones are not.
func (s *Snapshot) Popup(id uint32) *Popup {
	if s == nil {
		return nil
	}
	return s.byID.get(uint64(id), id)
}

// IsArchived reports whether a popup has been archived. One that this snapshot is too
// old to know, or of which nothing can be read, is not.
func (s *Snapshot) IsArchived(id uint32) bool {
	return s != nil && s.Popup(id) == nil && id <= s.newest && !s.broken[id]
}

// Goals returns the active and paused popups whose goal an event of this name is. The
// caller must not change the slice. It does not allocate.
func (s *Snapshot) Goals(name []byte) []*Popup {
	if s == nil {
		return nil
	}
	return s.byGoal.get(hashName(name), string(name))
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

// UsesIP reports whether an active popup, or the rule of an audience that it names, is targeted
// by the client's address. If not, a request need not have one.
func (s *Snapshot) UsesIP() bool { return s != nil && (s.byAddress > 0 || s.rulesUseIP) }

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
	ID         uint32 // of the popup or audience; 0: the row of the settings
	Version    uint32
	Key        string
	IsAudience bool
	Err        error
}
