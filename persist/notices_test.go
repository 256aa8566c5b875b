package persist

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/popupd/popupd/popup"
)

// TestNoticesOfImport: what is told of the popups that an import changes is kept with it.
func TestNoticesOfImport(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		old := mustCreate(t, s, `{"key":"old","status":"active"}`)
		var told []popup.PopupChange
		s.notice = func(c popup.PopupChange) (popup.Notice, bool) {
			told = append(told, c)
			return popup.Notice{Subject: fmt.Sprint("change ", len(told)), ID: fmt.Sprint("msg_", c.After.Key), Body: []byte("{}")}, c.After.Key != "quiet"
		}
		mustImport(t, s, `{"popups":[{"key":"old","status":"paused"},{"key":"new","status":"active"},{"key":"quiet"}],"source":"shop.yaml"}`)
		list := map[string]bool{}
		for _, n := range claims(t, s.DB) {
			list[n.ID] = true
		}
		if d := cmp.Diff(map[string]bool{"msg_old": true, "msg_new": true}, list); d != "" {
			t.Errorf("kept (-want +got):\n%s", d)
		}
		for _, c := range told {
			if c.After.ID == 0 || c.Actor != "ci" || c.Action == "" || c.AtMS != s.clock.now() || c.After.Source != "shop.yaml" {
				t.Errorf("told of %+v", c)
			}
			isOld := c.After.Key == "old"
			if (c.BeforeVersion != 0) != isOld || isOld && (c.BeforeStatus != popup.Active || string(c.Before) != string(old.Encode()) || c.After.Version != 2) {
				t.Errorf("told of %s, which was %s of version %d: %s", c.After.Key, c.BeforeStatus, c.BeforeVersion, c.Before)
			}
		}
	})
}
