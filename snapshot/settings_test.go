package snapshot

import (
	"testing"

	"github.com/popupd/popupd/popup"
)

// Popups know the caps that cover them; settings that change take over the others as
// they are.
func TestCaps(t *testing.T) {
	rows := []popup.Row{row(1, ``), row(2, `"tags":["sale"]`), row(3, `"status":"archived"`)}
	compile := func(version uint32, caps string, last *Snapshot) *Snapshot {
		t.Helper()
		s, broken := Compile(popup.Catalog{
			Popups: rows, Settings: popup.SettingsRow{Version: version, Spec: []byte(`{"caps":[` + caps + `]}`)},
		}, last)
		if len(broken) > 0 {
			t.Fatal(broken[0].Err)
		}
		return s
	}
	const daily, sales = `{"key":"daily","max":3,"per_sec":86400}`, `{"key":"sales","max":1,"per_sec":60,"tags":["sale"]}`
	none := mustCompile(t, rows...)
	both := compile(1, sales+","+daily, none)
	for id, want := range map[uint32]popup.CapSet{1: 2, 2: 3, 3: 2, 99: 2} {
		if got := both.CapsOf(id); got != want {
			t.Errorf("popup %d: caps %b, want %b", id, got, want)
		}
		if got := none.CapsOf(id); got != 0 {
			t.Errorf("popup %d without caps: %b", id, got)
		}
	}
	if matched, _ := match(both, nil, request("u"), nowMS); len(matched) != 2 || matched[0].Caps|matched[1].Caps != 3 {
		t.Errorf("those that match do not know their caps: %v", keys(matched))
	}
	if other := compile(2, sales, both); other.Popup(2) == both.Popup(2) || other.Popup(2).Caps != 1 || both.Popup(2).Caps != 3 {
		t.Error("a snapshot in force has changed, or the next one not")
	}
	if same := compile(3, sales+","+daily+`,{"key":"new","max":1,"per_sec":1,"tags":["none"]}`, both); same.Popup(2) != both.Popup(2) {
		t.Error("a popup that a change of caps does not concern is not taken over")
	}
}
