//go:build !linux

package datadir

// Addresses says at which addresses the processes of one data directory listen. Here none
// is shared, so nothing is said.
type Addresses struct{}

// Addresses returns one.
func (d *Dir) Addresses() (*Addresses, error) { return &Addresses{}, nil }

// At returns false.
func (a *Addresses) At(string) bool { return false }

// Join says nothing.
func (a *Addresses) Join(string) error { return nil }

// Close does nothing.
func (a *Addresses) Close() error { return nil }
