package persist

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/popupd/popupd/popup"
)

func rule(t testing.TB, json string) popup.Targeting {
	t.Helper()
	r, err := popup.DecodeAudienceRule([]byte(json))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// inAudience returns a rule that names an audience.
func inAudience(keys string) string {
	return `{"all":[{"attr":"audience","op":"in","value":["` + strings.ReplaceAll(keys, " ", `","`) + `"]}]}`
}

func newAudience(key string) popup.AudienceChange {
	return popup.AudienceChange{Change: popup.Change{Actor: "ann", Action: "create_audience"}, Key: key, New: true, Live: true}
}

func anyAudience(key string) popup.AudienceChange {
	return popup.AudienceChange{Change: popup.Change{Actor: "bob", Action: "update_audience"}, Key: key, Live: true}
}

func (s *store) mustPutRule(t testing.TB, c popup.AudienceChange, json string) popup.StoredAudience {
	t.Helper()
	a, err := s.PutAudienceRule(t.Context(), c, rule(t, json))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestAudiences(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		plan := `{"any":[{"attr":"plan","op":"eq","value":"pro"}]}`
		s.mustPutRule(t, newAudience("pro"), plan)
		s.mustPutRule(t, newAudience("new-pro"), inAudience("pro"))
		mustCreate(t, s, `{"key":"sale","targeting":`+inAudience("pro new-pro")+`}`)

		of := rule(t, plan)
		got, err := s.Audience(t.Context(), "pro")
		want := popup.StoredAudience{
			Key: "pro", Kind: popup.AudienceRule, Version: 1, UpdatedAt: timeOf(startMS), UpdatedBy: "ann", Rule: &of,
			UsedBy: popup.AudienceUse{Popups: []string{"sale"}, Audiences: []string{"new-pro"}},
		}
		if d := cmp.Diff(want, got); d != "" || err != nil {
			t.Errorf("read back (-want +got):\n%s%v", d, err)
		}

		// Of its versions none is given out again, not after it was deleted either.
		s.clock.advance(time.Second)
		change := anyAudience("new-pro")
		change.Version = 2
		if _, err := s.PutAudienceRule(t.Context(), change, rule(t, `{}`)); !errors.Is(err, popup.ErrStale) {
			t.Errorf("put with another version: %v, want %v", err, popup.ErrStale)
		}
		change.Version = 1
		if a := s.mustPutRule(t, change, `{}`); a.Version != 2 || a.UpdatedBy != "bob" || a.UpdatedAt != timeOf(startMS+1000) {
			t.Errorf("put: %+v", a)
		}
		if _, err := s.PutAudienceRule(t.Context(), newAudience("pro"), rule(t, `{}`)); !errors.Is(err, popup.ErrExists) {
			t.Errorf("made twice: %v, want %v", err, popup.ErrExists)
		}
		if _, err := s.PutAudienceRule(t.Context(), anyAudience("none"), rule(t, `{}`)); !errors.Is(err, popup.ErrNotFound) {
			t.Errorf("put of what is not there: %v, want %v", err, popup.ErrNotFound)
		}
		if _, err := s.Audience(t.Context(), "none"); !errors.Is(err, popup.ErrNotFound) {
			t.Errorf("read of what is not there: %v, want %v", err, popup.ErrNotFound)
		}
		mustPut(t, s, `{"key":"sale"}`)
		remove := anyAudience("new-pro")
		remove.Action = "delete_audience"
		if err := s.DeleteAudience(t.Context(), remove); err != nil {
			t.Fatal(err)
		}
		if err := s.DeleteAudience(t.Context(), remove); !errors.Is(err, popup.ErrNotFound) {
			t.Errorf("deleted twice: %v, want %v", err, popup.ErrNotFound)
		}
		if a := s.mustPutRule(t, newAudience("new-pro"), `{}`); a.Version != 4 {
			t.Errorf("made again: version %d, want 4", a.Version)
		}

		entries, err := s.Audit(t.Context(), "", 0, 10)
		if err != nil {
			t.Fatal(err)
		}
		var lines []string
		for _, e := range entries {
			if strings.HasPrefix(e.Object, "audience:") {
				lines = append(lines, fmt.Sprint(e.Actor, " ", e.Action, " ", e.Object, " ", e.FromVersion, " ", e.ToVersion))
			}
		}
		wantLines := []string{
			"ann create_audience audience:new-pro 0 4", "bob delete_audience audience:new-pro 2 0", "bob update_audience audience:new-pro 1 2",
			"ann create_audience audience:new-pro 0 1", "ann create_audience audience:pro 0 1",
		}
		if d := cmp.Diff(wantLines, lines); d != "" {
			t.Errorf("audit (-want +got):\n%s", d)
		}
	})
}

func mustPut(t testing.TB, s *store, json string) {
	t.Helper()
	if _, err := s.Put(t.Context(), operator, 0, spec(t, json)); err != nil {
		t.Fatal(err)
	}
}

// TestAudienceChanges: servers read the audiences with the popups, all of them or those of
// a known change, and always know the key of the fingerprints.
func TestAudienceChanges(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		all := func() popup.Catalog {
			c, err := s.Rows(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			return c
		}
		first := all()
		key, err := s.AudienceKey(t.Context())
		if err != nil || key == [16]byte{} || first.AudienceKey != key || first.Audiences != nil {
			t.Errorf("at first: key %x, of the catalog %x, %v; audiences %v", key, first.AudienceKey, err, first.Audiences)
		}
		mustCreate(t, s, `{"key":"sale"}`)
		s.mustPutRule(t, newAudience("a"), `{}`)
		s.mustPutRule(t, newAudience("b"), inAudience("a"))
		second := all()
		s.mustPutRule(t, anyAudience("a"), `{"none":[{"attr":"plan","op":"eq","value":"pro"}]}`)
		mustPut(t, s, `{"key":"sale"}`)
		if err := s.DeleteAudience(t.Context(), anyAudience("b")); err != nil {
			t.Fatal(err)
		}
		last := all()
		if len(last.Audiences) != 1 || last.Audiences[0].Key != "a" || last.Audiences[0].Version != 2 || last.Audiences[0].List != 0 || len(last.Audiences[0].Rule) == 0 {
			t.Errorf("audiences %+v", last.Audiences)
		}
		c, known, err := s.Changes(t.Context(), popup.Position{Revision: second.Revision, Nonce: second.Nonce})
		if err != nil || !known || c.Audiences == nil {
			t.Fatalf("known %v, %v, audiences %v", known, err, c.Audiences)
		}
		if d := cmp.Diff(last.Audiences, *c.Audiences); d != "" {
			t.Errorf("changed audiences (-want +got):\n%s", d)
		}
		if c.Revision != last.Revision || keysOf(c.Popups) != "[sale.2]" {
			t.Errorf("revision %d, popups %s", c.Revision, keysOf(c.Popups))
		}
	})
}

// TestAudienceNames: what is named must be there, and rules name each other in no circle.
func TestAudienceNames(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		s.mustPutRule(t, newAudience("a"), `{}`)
		s.mustPutRule(t, newAudience("b"), inAudience("a"))
		s.mustPutRule(t, newAudience("c"), inAudience("b"))
		refused := func(what, want string, err error) {
			t.Helper()
			var fields popup.FieldErrors
			if !errors.As(err, &fields) || fields.Error() != want {
				t.Errorf("%s:\n got %v\nwant %s", what, err, want)
			}
		}
		_, err := s.PutAudienceRule(t.Context(), newAudience("d"), rule(t, inAudience("a x y")))
		refused("unknown", "/rule/all/0/value/1 there is no audience x; /rule/all/0/value/2 there is no audience y", err)
		_, err = s.PutAudienceRule(t.Context(), newAudience("d"), rule(t, inAudience("d")))
		refused("itself", "/rule/all/0/value/0 names the audience that is being defined, in a circle: d -> d", err)
		_, err = s.PutAudienceRule(t.Context(), anyAudience("a"), rule(t, inAudience("b c")))
		refused("a circle", "/rule/all/0/value/0 names the audience that is being defined, in a circle: a -> b -> a", err)

		_, err = s.Create(t.Context(), operator, spec(t, `{"key":"sale","targeting":`+inAudience("a x")+`}`))
		refused("of a new popup", "/targeting/all/0/value/1 there is no audience x", err)
		mustCreate(t, s, `{"key":"sale","status":"active","targeting":`+inAudience("a")+`}`)
		_, err = s.Put(t.Context(), operator, 0, spec(t, `{"key":"sale","targeting":`+inAudience("x")+`}`))
		refused("of a popup", "/targeting/all/0/value/0 there is no audience x", err)

		// Somebody deletes it by hand: who shows the popup can still stop it.
		s.exec(t, "UPDATE audiences SET deleted = 1 WHERE `key` = 'a'")
		_, err = s.Put(t.Context(), operator, 0, spec(t, `{"key":"sale","status":"active","targeting":`+inAudience("a")+`}`))
		refused("of an active popup", "/targeting/all/0/value/0 there is no audience a", err)
		_, err = s.Put(t.Context(), operator, 0, spec(t, `{"key":"sale","status":"paused","targeting":`+inAudience("a x")+`}`))
		refused("of a paused popup", "/targeting/all/0/value/1 there is no audience x", err)
		mustPut(t, s, `{"key":"sale","status":"paused","targeting":`+inAudience("a")+`}`)
		mustPut(t, s, `{"key":"sale","status":"archived","targeting":`+inAudience("a")+`}`)
	})
}

func TestAudienceInUse(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		s.mustPutRule(t, newAudience("a"), `{}`)
		s.mustPutRule(t, newAudience("b"), inAudience("a"))
		s.mustPutRule(t, newAudience("free"), `{}`)
		mustCreate(t, s, `{"key":"two","targeting":`+inAudience("b")+`}`)
		mustCreate(t, s, `{"key":"one","targeting":`+inAudience("a b")+`}`)
		mustCreate(t, s, `{"key":"other","targeting":{"all":[{"attr":"plan","op":"eq","value":"audience a"}]}}`)
		for _, c := range []struct{ key, want string }{
			{"a", "the audience is in use by popups [one], audiences [b]"},
			{"b", "the audience is in use by popups [one two], audiences []"},
		} {
			var inUse *popup.AudienceInUseError
			if err := s.DeleteAudience(t.Context(), anyAudience(c.key)); !errors.As(err, &inUse) || inUse.Error() != c.want {
				t.Errorf("delete %s: %v, want %s", c.key, err, c.want)
			}
		}
		// Who may not change what users see may change what drafts alone depend on.
		draft := anyAudience("a")
		draft.Live = false
		s.mustPutRule(t, draft, `{}`)
		mustPut(t, s, `{"key":"two","status":"paused","targeting":`+inAudience("b")+`}`)
		for _, key := range []string{"a", "b"} {
			draft.Key = key
			if _, err := s.PutAudienceRule(t.Context(), draft, rule(t, `{}`)); !errors.Is(err, popup.ErrAudienceLive) {
				t.Errorf("%s, on which a paused popup depends: %v, want %v", key, err, popup.ErrAudienceLive)
			}
		}
		draft.Key = "free"
		if err := s.DeleteAudience(t.Context(), draft); err != nil {
			t.Error(err)
		}
		mustPut(t, s, `{"key":"one","status":"archived","targeting":`+inAudience("a b")+`}`)
		mustPut(t, s, `{"key":"two","status":"archived","targeting":`+inAudience("b")+`}`)
		for _, key := range []string{"b", "a"} {
			if err := s.DeleteAudience(t.Context(), anyAudience(key)); err != nil {
				t.Error(err)
			}
		}
	})
}

// TestAudienceDeletedWhileItIsUsed: of a delete and a popup that names the audience, which
// come at once on two servers, one succeeds.
func TestAudienceDeletedWhileItIsUsed(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		other := s.DB
		if s.config.DSN != "" { // a SQLite file has one server
			other = s.open(t)
		}
		for i := range 20 {
			key := fmt.Sprint("a", i)
			s.mustPutRule(t, newAudience(key), `{}`)
			uses := spec(t, fmt.Sprintf(`{"key":"p%d","targeting":%s}`, i, inAudience(key)))
			var both sync.WaitGroup
			var deleted, used error
			both.Go(func() { deleted = s.DeleteAudience(t.Context(), anyAudience(key)) })
			both.Go(func() { _, used = other.Create(t.Context(), operator, uses) })
			both.Wait()
			if (deleted == nil) == (used == nil) {
				t.Errorf("deleted: %v, used: %v; want one of them", deleted, used)
			}
		}
	})
}

func TestTooManyAudiences(t *testing.T) {
	s := onSQLite(t)
	s.exec(t, "INSERT INTO audiences (`key`, version, deleted, rule, list_no, members, updated_at, actor)"+
		" WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) SELECT 'a' || i, 1, 0, '{}', 0, 0, 0, '' FROM n", popup.MaxAudiences)
	if _, err := s.PutAudienceRule(t.Context(), newAudience("more"), rule(t, `{}`)); !errors.Is(err, popup.ErrTooManyAudiences) {
		t.Errorf("one more: %v, want %v", err, popup.ErrTooManyAudiences)
	}
	s.mustPutRule(t, anyAudience("a1"), `{}`)
}

// TestBrokenAudience: a rule that somebody has broken in the store can be read and replaced.
func TestBrokenAudience(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		s.mustPutRule(t, newAudience("a"), `{}`)
		s.exec(t, "UPDATE audiences SET rule = '{broken'")
		if a, err := s.Audience(t.Context(), "a"); err != nil || a.Kind != popup.AudienceRule {
			t.Errorf("read: %+v, %v", a, err)
		}
		// Without its conditions it would be a rule for everybody where it is imported.
		err := s.ExportCatalog(t.Context(), func(_ popup.Position, _ popup.StoredSettings, audiences []popup.ExportedAudience) error {
			if len(audiences) > 0 {
				t.Errorf("exported %s as %s", audiences[0].Key, audiences[0].Rule)
			}
			return nil
		}, nil)
		if err != nil {
			t.Error(err)
		}
		s.mustPutRule(t, anyAudience("a"), `{}`)
	})
}
