package persist

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/popupd/popupd/internal/storetest"
	"github.com/popupd/popupd/popup"
)

// randomList returns the bytes of a list that is n chunks long and a bit.
func randomList(seed byte, chunks int) []byte {
	b := make([]byte, chunks*chunkSize+17)
	_, _ = rand.NewChaCha8([32]byte{seed}).Read(b)
	return b
}

func (s *store) mustPutList(t testing.TB, c popup.AudienceChange, list []byte, members uint64) popup.StoredAudience {
	t.Helper()
	a, err := s.PutAudienceList(t.Context(), c, bytes.NewReader(list), members)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// listOf returns the number of an audience's list.
func (s *store) listOf(t testing.TB, key string) uint64 {
	t.Helper()
	return uint64(s.number(t, "SELECT list_no FROM audiences WHERE `key` = ?", key))
}

func (s *store) wantList(t testing.TB, list uint64, want []byte) {
	t.Helper()
	var got bytes.Buffer
	if err := s.WriteAudienceList(t.Context(), list, &got); err != nil || !bytes.Equal(got.Bytes(), want) {
		t.Errorf("list %d: %d bytes, %v; want the %d that were written", list, got.Len(), err, len(want))
	}
}

func TestAudienceList(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		first, second := randomList(1, 9), randomList(2, 1)
		a := s.mustPutList(t, newAudience("vip"), first, 1000)
		if a.Kind != popup.AudienceList || a.Rule != nil || a.Members != 1000 || a.Version != 1 {
			t.Errorf("put: %+v", a)
		}
		old := s.listOf(t, "vip")
		s.wantList(t, old, first)
		c, err := s.Rows(t.Context())
		if err != nil || len(c.Audiences) != 1 || c.Audiences[0].List != old || c.Audiences[0].Members != 1000 || c.Audiences[0].Rule != nil {
			t.Errorf("rows: %+v, %v", c.Audiences, err)
		}

		// Replaced, it is another list; the one before stays for those who are loading it.
		s.mustPutList(t, anyAudience("vip"), second, 7)
		now := s.listOf(t, "vip")
		if now == old {
			t.Error("another list has the same number")
		}
		s.sweepAll(t)
		s.wantList(t, old, first)
		s.pass(t, listGrace+time.Minute)
		s.sweepAll(t)
		if err := s.WriteAudienceList(t.Context(), old, io.Discard); !errors.Is(err, popup.ErrNotFound) {
			t.Errorf("the one before, later: %v, want %v", err, popup.ErrNotFound)
		}
		s.wantList(t, now, second)

		// A rule in its place, or nothing, retires it too.
		s.mustPutRule(t, anyAudience("vip"), `{}`)
		s.mustPutList(t, anyAudience("vip"), second, 7)
		if err := s.DeleteAudience(t.Context(), anyAudience("vip")); err != nil {
			t.Fatal(err)
		}
		s.pass(t, listGrace+time.Minute)
		s.sweepAll(t)
		if n := s.number(t, "SELECT COUNT(*) FROM audience_chunk") + s.number(t, "SELECT COUNT(*) FROM audience_list"); n != 0 {
			t.Errorf("%d rows are left of lists", n)
		}
	})
}

// brokenOff writes some of a list and then fails.
type brokenOff struct {
	list []byte
	err  error
}

func (b brokenOff) WriteTo(w io.Writer) (int64, error) {
	n, err := w.Write(b.list)
	return int64(n), errors.Join(err, b.err)
}

// TestAudienceListFails: an upload that ends early changes nothing, and what it has written
// is removed.
func TestAudienceListFails(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		list := randomList(1, 2)
		s.mustPutList(t, newAudience("vip"), list, 3)
		before, err := s.Position(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		failure := errors.New("the client is gone")
		if _, err := s.PutAudienceList(t.Context(), anyAudience("vip"), brokenOff{randomList(2, 3), failure}, 9); !errors.Is(err, failure) {
			t.Errorf("put: %v, want %v", err, failure)
		}
		if _, err := s.PutAudienceList(t.Context(), newAudience("vip"), bytes.NewReader(list), 3); !errors.Is(err, popup.ErrExists) {
			t.Errorf("put as a new one: %v, want %v", err, popup.ErrExists)
		}
		if after, err := s.Position(t.Context()); err != nil || after != before {
			t.Errorf("position %v, %v; want %v", after, err, before)
		}
		s.wantList(t, s.listOf(t, "vip"), list)
		if n := s.number(t, "SELECT COUNT(*) FROM audience_list"); n != 3 {
			t.Errorf("%d lists, want 3", n)
		}
		s.pass(t, listGrace+time.Minute)
		s.sweepAll(t)
		s.wantList(t, s.listOf(t, "vip"), list)
		if n := s.number(t, "SELECT COUNT(*) FROM audience_list"); n != 1 {
			t.Errorf("%d lists after a sweep, want 1", n)
		}
	})
}

// TestAudienceListRemovedMeanwhile: an upload that took so long that its list is being
// removed fails.
func TestAudienceListRemovedMeanwhile(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		slow := writerTo(func(w io.Writer) (int64, error) {
			n, err := w.Write(randomList(1, removedChunks+1))
			s.pass(t, listGrace+time.Minute)
			if finished, err := s.removeLists(t.Context(), time.Now()); err != nil || finished {
				t.Errorf("swept: finished %v, %v; want the first chunks only", finished, err)
			}
			return int64(n), err
		})
		if _, err := s.PutAudienceList(t.Context(), newAudience("vip"), slow, 1); err == nil {
			t.Error("it is put without its chunks")
		}
		if _, err := s.Audience(t.Context(), "vip"); !errors.Is(err, popup.ErrNotFound) {
			t.Errorf("read: %v, want %v", err, popup.ErrNotFound)
		}
	})
}

type writerTo func(io.Writer) (int64, error)

func (f writerTo) WriteTo(w io.Writer) (int64, error) { return f(w) }

// TestAudienceListOverARestart: the database restarts in the middle of an upload.
func TestAudienceListOverARestart(t *testing.T) {
	server := storetest.StartMySQL(t)
	dsn := server.CreateDatabase(t, "popupd")
	s := newStore(t, "mysql", dsn, Config{DSN: dsn, Host: "test-host"})
	list := randomList(1, 2)
	s.mustPutList(t, newAudience("vip"), list, 3)
	dying := writerTo(func(w io.Writer) (int64, error) {
		if _, err := w.Write(randomList(2, 2)); err != nil {
			return 0, err
		}
		server.Kill()
		n, err := w.Write(randomList(3, 2))
		return int64(n), err
	})
	if _, err := s.PutAudienceList(t.Context(), anyAudience("vip"), dying, 9); !Unavailable(err) {
		t.Errorf("put: %v, want that the store is not there", err)
	}
	server.Restart(t)
	eventually(t, "the store is back", func() bool { return s.Ping(t.Context()) == nil })
	if a, err := s.Audience(t.Context(), "vip"); err != nil || a.Version != 1 || a.Members != 3 {
		t.Errorf("read: %+v, %v", a, err)
	}
	s.wantList(t, s.listOf(t, "vip"), list)
}

// TestAudienceKeyIsMadeOnce: servers that start together on an empty store have one key.
func TestAudienceKeyIsMadeOnce(t *testing.T) {
	s := onMySQL(t)
	s.exec(t, "DELETE FROM audience_key")
	var servers sync.WaitGroup
	keys := make([][16]byte, 6)
	for i := range keys {
		db := s.open(t)
		servers.Go(func() {
			err := db.makeAudienceKey(t.Context())
			if err == nil {
				keys[i], err = db.AudienceKey(t.Context())
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	servers.Wait()
	for _, key := range keys {
		if key != keys[0] || key == [16]byte{} {
			t.Errorf("keys differ: %x", keys)
		}
	}
}

// TestLostKey: lists of a key that is lost are not read under another one.
func TestLostKey(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		if _, err := s.PutAudienceList(t.Context(), newAudience("vip"), bytes.NewReader([]byte("x")), 1); err != nil {
			t.Fatal(err)
		}
		list := func() uint64 {
			c, err := s.Rows(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			return c.Audiences[0].List
		}
		first := list()
		if err := s.Migrate(t.Context()); err != nil || list() != first {
			t.Errorf("started again: list %d, want %d, %v", list(), first, err)
		}
		before := positionOf(t, s)
		s.exec(t, "DELETE FROM audience_key")
		if err := s.Migrate(t.Context()); err != nil || list() != 0 {
			t.Errorf("without the key: list %d, want none, %v", list(), err)
		}
		if _, known, err := s.Changes(t.Context(), before); known || err != nil { // else a server that runs would keep the key that is lost
			t.Errorf("servers may go on from before: %v, %v", known, err)
		}
	})
}
