package follow

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/popupd/popupd/audience"
	"github.com/popupd/popupd/internal/storetest"
	"github.com/popupd/popupd/persist"
	"github.com/popupd/popupd/popup"
	"github.com/popupd/popupd/snapshot"
)

// TestRandomChangesOfTheCatalog: whatever happens to the database, two servers that read
// changes have in force what they would have after they had read everything.
func TestRandomChangesOfTheCatalog(t *testing.T) {
	steps := 60
	if testing.Short() {
		steps = 40
	}
	for _, seed := range []uint64{1, rand.Uint64()} {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			c := newChanging(t, seed)
			for step := range steps {
				for range 1 + c.r.IntN(4) {
					c.change()
				}
				s := c.servers[c.r.IntN(2)]
				if c.r.IntN(2) == 0 {
					s.watcher.toCompact = 0
					s.watcher.compact()
				}
				c.follow(s, fmt.Sprint("step ", step))
			}
			for _, s := range c.servers {
				c.follow(s, "at the end")
				if s.told == 0 || s.reads == 0 {
					t.Errorf("a server has read changes %d times and everything %d times; want both", s.told, s.reads)
				}
			}
		})
	}
}

// changing is a database that changes, and two servers that follow it.
type changing struct {
	*testing.T
	r       *rand.Rand
	db      *persist.DB
	raw     *sql.DB
	servers []*following
	created int
	isSaved bool
}

// following is a server, which counts how it has read the catalog.
type following struct {
	*persist.DB
	store       *snapshot.Store
	watcher     *Watcher
	file        string
	told, reads int
}

func (f *following) Changes(ctx context.Context, since popup.Position) (popup.CatalogChange, bool, error) {
	c, known, err := f.DB.Changes(ctx, since)
	if known {
		f.told++
	}
	return c, known, err
}

func (f *following) Rows(ctx context.Context) (popup.Catalog, error) {
	f.reads++
	return f.DB.Rows(ctx)
}

func newChanging(t *testing.T, seed uint64) *changing {
	t.Helper()
	dsn := storetest.MySQL(t)
	c := &changing{T: t, r: rand.New(rand.NewPCG(seed, 0))}
	var err error
	if c.db, err = persist.Open(persist.Config{DSN: dsn, Host: "test", Registerer: prometheus.NewRegistry()}); err != nil {
		t.Fatal(err)
	}
	if c.raw, err = sql.Open("mysql", dsn); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.raw.Close(); c.db.Close() })
	if err := c.db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		f := &following{DB: c.db, store: snapshot.NewStore(), file: filepath.Join(t.TempDir(), "popups")}
		f.watcher = New(f.store, Config{Source: f, File: f.file})
		c.servers = append(c.servers, f)
	}
	return c
}

func (c *changing) exec(query string, args ...any) {
	c.Helper()
	if _, err := c.raw.Exec(query, args...); err != nil {
		c.Fatalf("%s: %v", query, err)
	}
}

// change makes a change as the console does, or as nobody should.
func (c *changing) change() {
	c.Helper()
	ctx, by := c.Context(), popup.Change{Actor: "test", Action: "update"}
	key := fmt.Sprint("p", c.r.IntN(c.created+1))
	switch n := c.r.IntN(48); {
	case n < 12:
		key = fmt.Sprint("p", c.created)
		_, err := c.db.Create(ctx, by, c.spec(key))
		if err != nil && !errors.Is(err, popup.ErrExists) {
			c.Fatal(err)
		}
		c.created++
	case n < 30:
		_, err := c.db.Put(ctx, by, 0, c.spec(key))
		if err != nil && !errors.Is(err, popup.ErrNotFound) && !errors.Is(err, popup.ErrArchived) {
			c.Fatal(err)
		}
	case n < 34:
		current, err := c.db.Settings(ctx)
		if err != nil {
			c.Fatal(err)
		}
		tags := []string{[]string{"red", "blue"}[c.r.IntN(2)]}
		next := popup.Settings{MinGapSec: c.r.Int64N(90), Caps: []popup.Cap{{Key: "day", Max: 1, PerSec: 60, Tags: tags}}}
		if _, err := c.db.PutSettings(ctx, by, current.Version, next); err != nil {
			c.Fatal(err)
		}
	case n < 36: // as a server of the release before does, or somebody by hand
		spec := c.spec(key).Encode()
		if c.r.IntN(2) == 0 {
			spec = []byte("{")
		}
		c.exec("UPDATE config_revision SET revision = revision + 1")
		c.exec("UPDATE popups SET version = version + 1, spec = ? WHERE `key` = ? AND status <> 'archived'", spec, key)
	case n >= 40:
		c.changeAudience()
	case n == 36 || !c.isSaved:
		for _, table := range savedTables {
			c.exec("DROP TABLE IF EXISTS saved_" + table)
			c.exec("CREATE TABLE saved_" + table + " AS SELECT * FROM " + table)
		}
		c.isSaved = true
	case n == 37:
		for _, table := range savedTables {
			c.exec("DELETE FROM " + table)
			c.exec("INSERT INTO " + table + " SELECT * FROM saved_" + table)
		}
		c.exec("ALTER TABLE popups AUTO_INCREMENT = 1") // ids are given out again
	}
}

// changeAudience makes an audience a rule or a list, or deletes it.
func (c *changing) changeAudience() {
	c.Helper()
	of := popup.AudienceChange{Change: popup.Change{Actor: "test", Action: "put"}, Key: fmt.Sprint("a", c.r.IntN(3)), Live: true}
	_, err := c.db.Audience(c.Context(), of.Key)
	of.New = errors.Is(err, popup.ErrNotFound)
	switch err = nil; c.r.IntN(4) {
	case 0:
		of.New = false
		if err = c.db.DeleteAudience(c.Context(), of); errors.Is(err, popup.ErrNotFound) {
			err = nil
		}
	case 1:
		_, err = c.db.PutAudienceRule(c.Context(), of, popup.Targeting{All: []popup.Condition{{Attr: "uid", Op: popup.Eq, Value: fmt.Sprint(c.r.IntN(9))}}})
	default:
		var set *audience.Set
		if set, err = audience.Build([]uint64{c.r.Uint64()}); err == nil {
			_, err = c.db.PutAudienceList(c.Context(), of, set, 1)
		}
	}
	if err != nil {
		c.Fatal(err)
	}
}

// savedTables are what a copy of the database has of the catalog.
var savedTables = []string{"popups", "audiences", "popup_revisions", "config_revision", "config_change", "settings"}

func (c *changing) spec(key string) popup.Spec {
	c.Helper()
	status := []string{"active", "active", "active", "draft", "paused", "archived"}[c.r.IntN(6)]
	tags := []string{`"red"`, `"blue"`, `"red","blue"`, ``}[c.r.IntN(4)]
	s, err := popup.Decode(fmt.Appendf(nil, `{"key":%q,"status":%q,"priority":%d,"tags":[%s],"placements":["home","p%d"],"targeting":{"all":[{"attr":"plan","op":"eq","value":"v%d"}]}}`,
		key, status, c.r.IntN(3), tags, c.r.IntN(3), c.r.IntN(4)))
	if err != nil {
		c.Fatal(err)
	}
	return s
}

// follow has a server follow the database, and compares what is then in force with all that
// is there, and with what the server's file would bring into force.
func (c *changing) follow(f *following, when string) {
	c.Helper()
	previous := f.store.Current()
	read := f.watcher.Changed
	if c.r.IntN(10) == 0 {
		read = f.watcher.Reload
	}
	if err := read(c.Context()); err != nil {
		c.Fatal(err)
	}
	all, err := c.db.Rows(c.Context())
	if err != nil {
		c.Fatal(err)
	}
	want, broken := snapshot.Compile(all, previous)
	got := f.store.Current()
	rows, key := got.Audiences()
	if d := cmp.Diff(all.Audiences, rows, cmpopts.EquateEmpty()); d != "" || key != all.AudienceKey || len(got.ListsToLoad()) > 0 {
		c.Fatalf("%s: audiences (-everything +changes), of which %d lists are not loaded:\n%s", when, len(got.ListsToLoad()), d)
	}
	newest := uint32(c.created)
	for row := range f.watcher.broken {
		newest = max(newest, row.id)
	}
	if d := cmp.Diff(inForce(want, newest), inForce(got, newest)); d != "" {
		c.Fatalf("%s, revision %d (-everything +changes):\n%s", when, all.Revision, d)
	}
	if len(f.watcher.broken) != len(broken) {
		c.Fatalf("%s: rows %v count as broken, want %v", when, f.watcher.broken, broken)
	}
	loaded := snapshot.NewStore()
	if err := New(loaded, Config{File: f.file}).LoadFile(); err != nil {
		c.Fatal(err)
	}
	if d := cmp.Diff(catalogOf(got), catalogOf(loaded.Current())); d != "" {
		c.Fatalf("%s: the file (-in force +loaded):\n%s", when, d)
	}
}

// inForce describes a snapshot, with popups of ids up to newest.
func inForce(s *snapshot.Snapshot, newest uint32) (lines []string) {
	lines = append(lines, fmt.Sprint("revision ", s.Revision, " settings ", s.Settings().Version, " ", string(s.Settings().Row().Spec)))
	for _, p := range s.All() {
		lines = append(lines, fmt.Sprintf("%d %s.%d %s caps %b %s", p.ID, p.Key, p.Version, p.Status, p.Caps, p.Row().Spec))
		if s.Popup(p.ID) != p {
			lines = append(lines, "which is not found by its id")
		}
	}
	for id := range newest + 2 {
		lines = append(lines, fmt.Sprint("archived ", id, " ", s.IsArchived(id)))
	}
	return lines
}
