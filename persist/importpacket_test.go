package persist

import (
	"fmt"
	"strings"
	"testing"

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
