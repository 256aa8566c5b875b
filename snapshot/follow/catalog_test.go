package follow

import (
	"cmp"
	"context"
	"io"
	"reflect"
	"slices"
	"sync"

	"github.com/popupd/popupd/popup"
)

// catalog is a Source in memory.
type catalog struct {
	mu       sync.Mutex
	revision int64
	rows     []popup.Row
	settings popup.SettingsRow

	audiences []popup.AudienceRow
	lists     map[uint64][]byte // by number
	listErr   error             // of reading them
	listReads int
	err       error
	reads     int                              // successful calls of Rows
	asked     int                              // successful calls of Position
	told      int                              // known changes
	history   map[popup.Position]popup.Catalog // what was read; nil: it can tell no change
	nonce     int64                            // of history
}

func (c *catalog) positionLocked() popup.Position {
	if c.history == nil {
		return popup.Position{Revision: c.revision}
	}
	return popup.Position{Revision: c.revision, Nonce: c.nonce}
}

func (c *catalog) Position(context.Context) (popup.Position, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return popup.Position{}, c.err
	}
	c.asked++
	return c.positionLocked(), nil
}

// Changes compares what is there now with what was read at since.
func (c *catalog) Changes(_ context.Context, since popup.Position) (change popup.CatalogChange, known bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	before, known := c.history[since]
	if c.err != nil || !known || since.Revision > c.revision {
		return change, false, c.err
	}
	c.told++
	now := c.keepLocked()
	change.Revision, change.Nonce = now.Revision, now.Nonce
	for _, r := range now.Popups {
		if !slices.ContainsFunc(before.Popups, func(old popup.Row) bool { return reflect.DeepEqual(old, r) }) {
			change.Popups = append(change.Popups, r)
		}
	}
	for _, r := range before.Popups {
		if !slices.ContainsFunc(now.Popups, func(n popup.Row) bool { return n.ID == r.ID }) {
			r.Archived = true
			change.Popups = append(change.Popups, r)
		}
	}
	if !reflect.DeepEqual(before.Settings, now.Settings) {
		change.Settings = &now.Settings
	}
	if !reflect.DeepEqual(before.Audiences, now.Audiences) {
		change.Audiences = &now.Audiences
	}
	return change, true, nil
}

// keepLocked returns the catalog as it is now.
func (c *catalog) keepLocked() popup.Catalog {
	at := c.positionLocked()
	now := popup.Catalog{Revision: at.Revision, Nonce: at.Nonce, Popups: append([]popup.Row(nil), c.rows...), Settings: c.settings, Audiences: slices.Clone(c.audiences), AudienceKey: audienceKey}
	if c.history != nil {
		c.history[at] = now
	}
	return now
}

func (c *catalog) Rows(context.Context) (popup.Catalog, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return popup.Catalog{}, c.err
	}
	c.reads++
	return c.keepLocked(), nil
}

func (c *catalog) WriteAudienceList(_ context.Context, list uint64, to io.Writer) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil || c.listErr != nil {
		return cmp.Or(c.listErr, c.err)
	}
	c.listReads++
	_, err := to.Write(c.lists[list])
	return err
}

// set changes the catalog as one transaction would.
func (c *catalog) set(revision int64, rows ...popup.Row) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.revision, c.rows, c.nonce = revision, rows, c.nonce+1
}

// configure changes the settings as one transaction would.
func (c *catalog) configure(revision int64, version uint32, spec string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.nonce++
	c.revision, c.settings = revision, popup.SettingsRow{Version: version, UpdatedAtMS: nowMS, Spec: []byte(spec)}
}

func (c *catalog) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.err = err
}

func (c *catalog) counts() (reads, asked int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.reads, c.asked
}
