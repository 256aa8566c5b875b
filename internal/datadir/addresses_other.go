//go:build !linux

package datadir

// Addresses says which processes of one data directory run, and at which addresses they
// listen. Here no address is shared, and nothing is said.
type Addresses struct{}

// Addresses returns one.
func (d *Dir) Addresses() (*Addresses, error) { return &Addresses{}, nil }

// At returns false.
func (a *Addresses) At(string) bool { return false }

// Join says nothing.
func (a *Addresses) Join(string) (joined bool, err error) { return true, nil }

// Others returns false.
func (a *Addresses) Others() bool { return false }

// Leave says nothing, and returns false.
func (a *Addresses) Leave() (others bool) { return false }

// Close does nothing.
func (a *Addresses) Close() error { return nil }
