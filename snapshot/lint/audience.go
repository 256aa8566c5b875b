package lint

import (
	"fmt"

	"github.com/popupd/popupd/popup"
	"github.com/popupd/popupd/snapshot"
)

// checkAudiences warns of audiences that can't be used, and of those that nobody is in.
func (w *warnings) checkAudiences(s *popup.Spec, among *snapshot.Snapshot) {
	for _, ref := range s.Audiences() {
		a := among.Audience(ref.Key)
		switch {
		case a.Unusable != "":
			w.suspect(ref.Pointer, popup.UnusableAudience, fmt.Sprintf("audience %s %s: until that is mended the popup is shown to nobody", ref.Key, a.Unusable))
		case a.Rule == nil && a.Members == 0:
			w.suspect(ref.Pointer, popup.EmptyAudience, fmt.Sprintf("the list of audience %s has no users", ref.Key))
		case a.Rule != nil && nobodyFits(newTargeting(a.Rule)):
			w.suspect(ref.Pointer, popup.EmptyAudience, fmt.Sprintf("nobody fits the rule of audience %s", ref.Key))
		}
	}
}

// nobodyFits reports whether it is proved that no request meets the conditions.
func nobodyFits(t *targeting) bool {
	for _, literals := range t.needed {
		if contradict(literals) {
			return true
		}
	}
	for i := range t.any {
		if !t.excludes(t.any[i]) {
			return false
		}
	}
	return len(t.any) > 0
}
