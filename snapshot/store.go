package snapshot

import "sync/atomic"

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
