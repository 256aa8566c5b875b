package lint

import (
	"fmt"
	"slices"

	"github.com/popupd/popupd/popup"
	"github.com/popupd/popupd/snapshot"
)

// CheckSettings returns what is to be said of valid settings for the popups of a
// snapshot. The result is not nil.
func CheckSettings(s *popup.Settings, popups *snapshot.Snapshot) []popup.Warning {
	w := warnings{list: []popup.Warning{}}
	for i := range s.Caps {
		w.checkTags(s.Caps[i].Tags, index("/caps", i)+"/tags", popups)
		w.checkCap(s.Caps, i)
	}
	if s.Holdout.Percent == 100 {
		w.prove("/holdout/percent", popup.AllHeldOut, "everybody is in a holdout of 100 percent, so nobody sees any popup")
	}
	return w.list
}

func (w *warnings) checkTags(tags []string, at string, popups *snapshot.Snapshot) {
	for i, tag := range tags {
		if !slices.ContainsFunc(popups.All(), func(p *snapshot.Popup) bool { return slices.Contains(p.Tags, tag) }) {
			w.prove(index(at, i), popup.UnknownTag, "no popup has this tag")
		}
	}
}

// checkCap looks for a cap that stops whatever caps[i] stops. Of two that are the same
// the latter is told of.
func (w *warnings) checkCap(caps []popup.Cap, i int) {
	for j := range caps {
		if j != i && isAsStrict(&caps[j], &caps[i]) && (j < i || !isAsStrict(&caps[i], &caps[j])) {
			w.prove(index("/caps", i), popup.RedundantCap, fmt.Sprintf("whatever this cap would stop, the cap %q stops", caps[j].Key))
			return
		}
	}
}

// isAsStrict reports whether c is full whenever o is, and stops at least the same popups.
func isAsStrict(c, o *popup.Cap) bool {
	if c.Max > o.Max || c.PerSec < o.PerSec {
		return false
	}
	if len(c.Tags) == 0 || len(o.Tags) == 0 {
		return len(c.Tags) == 0
	}
	return !slices.ContainsFunc(o.Tags, func(tag string) bool { return !slices.Contains(c.Tags, tag) })
}
