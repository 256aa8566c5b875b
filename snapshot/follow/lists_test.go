package follow

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/popupd/popupd/audience"
	"github.com/popupd/popupd/popup"
	"github.com/popupd/popupd/snapshot"
)

var audienceKey = [16]byte{1, 2, 3}

// upload changes an audience to a list of some users, as one transaction would.
func (c *catalog) upload(t testing.TB, revision int64, number uint64, users ...string) {
	t.Helper()
	var fingerprints []uint64
	for _, user := range users {
		fingerprints = append(fingerprints, audience.Fingerprint(audienceKey, []byte(user)))
	}
	set, err := audience.Build(fingerprints)
	if err != nil {
		t.Fatal(err)
	}
	var list bytes.Buffer
	if _, err := set.WriteTo(&list); err != nil {
		t.Fatal(err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.lists == nil {
		c.lists = map[uint64][]byte{}
	}
	c.lists[number] = list.Bytes()
	c.nonce++
	c.revision = revision
	c.audiences = []popup.AudienceRow{
		{ID: 1, Version: uint32(number), Key: "vip", List: number, Members: uint64(len(users)), UpdatedAtMS: nowMS, Actor: "test"},
		{ID: 2, Version: 1, Key: "others", Rule: []byte(`{"all":[],"any":[],"none":[{"attr":"audience","op":"in","value":["vip"]}]}`)},
	}
}

func (c *catalog) failLists(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.listErr = err
}

// targeted is what the tests have: one popup for vip, and one for the others.
func targeted() []popup.Row {
	return []popup.Row{
		row(1, `"targeting":{"all":[{"attr":"audience","op":"in","value":["vip"]}]}`), row(2, `"targeting":{"all":[{"attr":"audience","op":"in","value":["others"]}]}`),
	}
}

// seenBy returns what the users u and v would be shown.
func seenBy(s *snapshot.Snapshot) string {
	var seen []string
	for _, user := range []string{"u", "v"} {
		var m snapshot.Matches
		r := popup.Request{User: []byte(user)}
		s.Match(&m, &r, []byte(popup.DefaultPlacement), nowMS)
		var found []*snapshot.Popup
		for p := m.Next(); p != nil; p = m.Next() {
			found = append(found, p)
		}
		seen = append(seen, user+" "+keys(found))
	}
	return fmt.Sprint(seen)
}

const (
	nobody = "[u  v ]"
	uIsVIP = "[u p1.1 v p2.1]"
	vIsVIP = "[u p2.1 v p1.1]"
)

// TestListsOutliveTheStore: a list is read from the store once, and then from its file; one that
// is damaged is read anew.
func TestListsOutliveTheStore(t *testing.T) {
	path := filepath.Join(t.TempDir(), "popups")
	source := &catalog{rows: targeted(), history: map[popup.Position]popup.Catalog{}}
	source.upload(t, 1, 7, "u")
	if err := New(snapshot.NewStore(), Config{Source: source, File: path}).Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	file := path + ".list-7"
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("the file of the list: %v, %v", info, err)
	}
	start := func(fail error, want string, reads int) {
		t.Helper()
		source.fail(fail)
		var log logBuffer
		store, registry := snapshot.NewStore(), prometheus.NewRegistry()
		w := New(store, Config{Source: source, File: path, Log: log.logger(), Registerer: registry})
		if err := w.LoadFile(); err != nil {
			t.Fatal(err)
		}
		if err := w.Reload(t.Context()); (err != nil) != (fail != nil) {
			t.Fatal(err)
		}
		w.reportUnavailable()
		w.reportUnavailable()
		if got := seenBy(store.Current()); got != want || source.listReads != reads {
			t.Fatalf("%s with %d reads of the list, want %s with %d", got, source.listReads, want, reads)
		}
		members, unavailable, logged := 1.0, 0.0, 0
		if want == nobody {
			members, unavailable, logged = 0, 2, 2 // others names vip
		}
		if gathered(t, registry, "popupd_audience_members") != members || (gathered(t, registry, "popupd_audience_bytes") > 0) != (members > 0) || gathered(t, registry, "popupd_audiences_unavailable") != unavailable {
			t.Errorf("metrics are not as wanted: %v members, %v unavailable", members, unavailable)
		}
		if got := log.count("an audience can't be used"); got != logged {
			t.Errorf("logged %d times, want %d", got, logged)
		}
	}
	down := errors.New("down")
	start(down, uIsVIP, 1)
	start(nil, uIsVIP, 1)
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)/2] ^= 1
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	start(down, nobody, 1)
	start(nil, uIsVIP, 2)
	start(down, uIsVIP, 2)
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	temporary := fmt.Sprintf("%s.%d.tmp", file, os.Getpid())
	if err := os.MkdirAll(filepath.Join(temporary, "x"), 0o700); err != nil { // so that the file can't be written
		t.Fatal(err)
	}
	start(nil, uIsVIP, 3)
}

// TestBrokenRuleIsSaved: a rule that somebody has broken in the store is saved, and whoever
// depends on it is shown to nobody, after a start without the store too.
func TestBrokenRuleIsSaved(t *testing.T) {
	for _, broken := range []string{"{broken", ""} {
		path := filepath.Join(t.TempDir(), "popups")
		source := &catalog{rows: targeted(), history: map[popup.Position]popup.Catalog{}}
		source.upload(t, 1, 7, "u")
		source.audiences[1].Rule = []byte(broken)
		if err := New(snapshot.NewStore(), Config{Source: source, File: path}).Reload(t.Context()); err != nil {
			t.Fatal(err)
		}
		store := snapshot.NewStore()
		if err := New(store, Config{Source: source, File: path}).LoadFile(); err != nil {
			t.Fatal(err)
		}
		if got := seenBy(store.Current()); got != "[u p1.1 v ]" {
			t.Errorf("%q: %s, want p1 alone, for u", broken, got)
		}
		if why := store.Current().Audience("others").Unusable; why != "has a rule that is broken" {
			t.Errorf("%q: the audience %s", broken, why)
		}
	}
}

// stuckList is a store in which the read of list 7 never ends by itself.
type stuckList struct{ *catalog }

func (s stuckList) WriteAudienceList(ctx context.Context, list uint64, to io.Writer) error {
	if list == 7 {
		<-ctx.Done()
		return ctx.Err()
	}
	return s.catalog.WriteAudienceList(ctx, list, to)
}

// TestListThatIsStuck: an upload is answered in its time while another list comes slowly.
func TestListThatIsStuck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &catalog{rows: targeted(), history: map[popup.Position]popup.Catalog{}}
		source.upload(t, 1, 7, "u")
		w := New(snapshot.NewStore(), Config{Source: stuckList{source}, File: filepath.Join(t.TempDir(), "popups")})
		brief := func() context.Context {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			t.Cleanup(cancel)
			return ctx
		}
		if err := w.Reload(brief()); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { w.runLists(ctx); close(done) }()
		synctest.Wait() // it reads list 7
		source.upload(t, 2, 8, "v")
		start := time.Now()
		if err := w.Changed(brief()); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != time.Second {
			t.Errorf("answered after %v: %v", time.Since(start), err)
		}
		time.Sleep(listTimeout + time.Minute) // of the bubble
		synctest.Wait()
		if got := seenBy(w.store.Current()); got != vIsVIP {
			t.Errorf("after that %s, want %s", got, vIsVIP)
		}
		cancel()
		<-done
	})
}

// TestListsAreReplaced: the list before stays in force until its successor is loaded, which no
// other change waits for.
func TestListsAreReplaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "popups")
		source, store := &catalog{rows: targeted(), history: map[popup.Position]popup.Catalog{}}, snapshot.NewStore()
		source.upload(t, 1, 7, "u")
		w := New(store, Config{Source: source, File: path})
		if err := w.Reload(t.Context()); err != nil {
			t.Fatal(err)
		}
		source.upload(t, 2, 8, "v")
		if err := w.Changed(t.Context()); err != nil || seenBy(store.Current()) != vIsVIP {
			t.Fatalf("after an upload %s (%v)", seenBy(store.Current()), err)
		}
		source.failLists(errors.New("no such list"))
		source.upload(t, 3, 9, "u")
		if err := w.Changed(t.Context()); err == nil || seenBy(store.Current()) != vIsVIP || store.Current().Revision != 3 {
			t.Fatalf("a list that can't be loaded: %s at %d (%v)", seenBy(store.Current()), store.Current().Revision, err)
		}
		source.set(4, append(targeted(), row(3, ``))...)
		if err := w.Changed(t.Context()); err != nil || seenBy(store.Current()) != "[u p2.1 p3.1 v p1.1 p3.1]" {
			t.Fatalf("a change that has nothing to do with it: %s (%v)", seenBy(store.Current()), err)
		}
		source.set(5, targeted()...)
		if err := w.Changed(t.Context()); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { w.runLists(ctx); close(done) }()
		files := func(want ...string) {
			t.Helper()
			time.Sleep(time.Minute) // of the bubble: until the next attempt and after it
			synctest.Wait()
			var got []string
			left, _ := filepath.Glob(path + ".list-*")
			for _, file := range left {
				got = append(got, filepath.Base(file)[len("popups.list-"):])
			}
			if fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("files of lists %v, want %v", got, want)
			}
		}
		files("8")
		if got := seenBy(store.Current()); got != vIsVIP {
			t.Errorf("while the list can't be loaded: %s", got)
		}
		source.failLists(nil)
		files("9")
		if got := seenBy(store.Current()); got != uIsVIP {
			t.Errorf("once the list can be loaded: %s", got)
		}
		source.mu.Lock()
		source.audiences, source.revision = nil, 6
		source.nonce++
		source.mu.Unlock()
		if err := w.Changed(t.Context()); err != nil || seenBy(store.Current()) != nobody {
			t.Errorf("without the audiences: %s (%v)", seenBy(store.Current()), err)
		}
		files()
		again := snapshot.NewStore()
		if err := New(again, Config{Source: source, File: path}).LoadFile(); err != nil {
			t.Fatal(err)
		}
		if rows, key := again.Current().Audiences(); len(rows) != 0 || key != audienceKey {
			t.Errorf("the file still has the audiences %+v, key %v", rows, key)
		}
		cancel()
		<-done
		w.closeChanges()
	})
}

// TestKeyOfFingerprintsIsRead: a change of audiences on top of a file of an earlier release has
// everything read, since a change does not tell the key.
func TestKeyOfFingerprintsIsRead(t *testing.T) {
	source, store := &catalog{rows: targeted(), history: map[popup.Position]popup.Catalog{}}, snapshot.NewStore()
	w := New(store, Config{Source: source})
	if err := w.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	store.Set(func() *snapshot.Snapshot {
		s, _ := snapshot.Compile(popup.Catalog{Popups: targeted()}, nil)
		return s
	}())
	source.upload(t, 2, 7, "u")
	if err := w.Changed(t.Context()); err != nil || seenBy(store.Current()) != uIsVIP {
		t.Errorf("%s (%v)", seenBy(store.Current()), err)
	}
}
