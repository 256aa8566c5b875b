package persist

import (
	"fmt"
	"strings"
	"testing"

	"github.com/popupd/popupd/internal/storetest"
	"github.com/popupd/popupd/popup"
)

// TestImportSmallPackets: no statement of an import is longer than MySQL takes at the least
// that anybody sets, though there is more to store, of popups that are as long as they may be.
func TestImportSmallPackets(t *testing.T) {
	s := onMySQL(t)
	before := s.number(t, "SELECT @@global.max_allowed_packet")
	s.exec(t, "SET GLOBAL max_allowed_packet = 1048576")
	t.Cleanup(func() { s.exec(t, "SET GLOBAL max_allowed_packet = ?", before) })
	var variants, popups []string
	for i := range popup.MaxVariants {
		variants = append(variants, fmt.Sprintf(`{"key":"v%d","content":{"title":"%s"}}`, i, strings.Repeat(`\"`, 15_000)))
	}
	for i := range 8 {
		popups = append(popups, fmt.Sprintf(`{"key":"p%d","variants":[%s]}`, i, strings.Join(variants, ",")))
	}
	im := decodeImport(t, `{"popups":[`+strings.Join(popups, ",")+`]}`)
	db := s.open(t) // whose sessions have the limit
	for range 2 {
		if _, err := db.Import(t.Context(), popup.Change{Actor: "ci"}, im, anyPosition); err != nil {
			t.Fatal(err)
		}
		for i := range im.Popups {
			im.Popups[i].Priority++
		}
	}
	if n := s.number(t, "SELECT COUNT(*) FROM popups WHERE version = 2 AND LENGTH(spec) > 240000"); n != 8 {
		t.Errorf("%d popups are stored", n)
	}
}

// An import that InnoDB gives up for a deadlock is made again, from what is stored by then.
func TestImportIsTriedAgain(t *testing.T) {
	s := onMySQL(t)
	mustImport(t, s, `{"popups":[{"key":"a"}],"settings":{"min_gap_sec":1}}`)
	s.exec(t, "CREATE TABLE weight (id INT PRIMARY KEY)")
	// InnoDB gives up the transaction that has changed less.
	tx := s.blocker(t, "INSERT INTO weight SELECT seq FROM "+storetest.Numbers(5000), "SELECT * FROM settings FOR UPDATE")
	done := make(chan error, 1)
	im := decodeImport(t, `{"popups":[{"key":"a","name":"A"},{"key":"b"}],"settings":{"min_gap_sec":2}}`)
	go func() {
		_, err := s.Import(t.Context(), popup.Change{Actor: "ci"}, im, anyPosition)
		done <- err
	}()
	s.blockedID(t, "UPDATE settings")
	if _, err := tx.Exec("UPDATE config_revision SET revision = revision + 5"); err != nil {
		t.Fatal(err)
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if n := s.number(t, "SELECT COUNT(*) FROM popup_revisions"); n != 3 || positionOf(t, s).Revision != 2+5+3 {
		t.Errorf("%d revisions of popups, revision %d; want 3 and 10", n, positionOf(t, s).Revision)
	}
}
