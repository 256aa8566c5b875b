package notice

import (
	"cmp"
	"fmt"

	"github.com/popupd/popupd/popup"
)

// change is the data of a notice about a change of a popup.
type change struct {
	Popup          about        `json:"popup"`
	Action         string       `json:"action"` // as in the audit trail
	Actor          string       `json:"actor"`
	Version        uint32       `json:"version"`
	BeforeVersion  uint32       `json:"before_version"`          // 0: the popup is new
	BeforeStatus   popup.Status `json:"before_status,omitempty"` // absent: the popup is new
	Source         string       `json:"source,omitempty"`        // the file that it was last imported from
	Diff           []difference `json:"diff"`
	DiffIncomplete bool         `json:"diff_incomplete,omitempty"` // there are more differences
}

// about says which popup a notice is about, and where the API has it.
type about struct {
	ID     uint32       `json:"id"`
	Key    string       `json:"key"`
	Name   string       `json:"name"`
	Status popup.Status `json:"status"`
	Path   string       `json:"path"` // of the control plane
}

func aboutPopup(p *popup.Popup) about {
	return about{ID: p.ID, Key: p.Key, Name: p.Name, Status: p.Status, Path: "/v1/admin/popups/" + p.Key}
}

// title returns what the text of a notice calls a popup.
func (a *about) title() string {
	if a.Name == "" || a.Name == a.Key {
		return a.Key
	}
	return words(a.Name) + " (" + a.Key + ")"
}

// difference is a [popup.Difference] whose values may be left out.
type difference struct {
	popup.Difference
	Long bool `json:"long,omitempty"` // the values are left out
}

// A receiver of webhooks wants small bodies, of less than 20 kB: those who want all of a
// change read the revisions of the popup.
const (
	maxDiff  = 30  // differences
	maxValue = 256 // bytes of JSON, of each side of one
)

// OfChange returns what operators are told of a change of a popup; false if it changes
// nothing that users see.
func OfChange(c popup.PopupChange) (popup.Notice, bool) {
	kind, did := kindOf(c.BeforeStatus, c.After.Status, c.BeforeVersion == 0)
	if kind == "" {
		return popup.Notice{}, false
	}
	data := change{
		Popup: aboutPopup(&c.After), Action: c.Action, Actor: c.Actor,
		Version: c.After.Version, BeforeVersion: c.BeforeVersion, BeforeStatus: c.BeforeStatus, Source: c.After.Source,
	}
	data.Diff, data.DiffIncomplete = diffOf(c.Before, &c.After)
	if c.BeforeStatus == c.After.Status && c.Before != nil && len(data.Diff) == 0 && !data.DiffIncomplete {
		return popup.Notice{}, false // such as an import from another file
	}
	text := fmt.Sprintf("Popup %s %s by %s: version %d", data.Popup.title(), did, cmp.Or(words(c.Actor), "somebody"), c.After.Version)
	return newNotice(kind, fmt.Sprintf("%d:%d", c.After.ID, c.After.Version), c.AtMS, data, text), true
}

// kindOf returns what a change is for users, and what the text says was done.
func kindOf(before, after popup.Status, isNew bool) (kind Kind, did string) {
	wasLive := before == popup.Active
	switch {
	case after == popup.Active && wasLive:
		return Published, "was changed while it is live"
	case after == popup.Active && before == popup.Paused:
		return Published, "was resumed"
	case after == popup.Active:
		return Published, "was published"
	case after == popup.Archived && !isNew && before != popup.Draft:
		return Archived, "was archived"
	case wasLive:
		return Paused, "was paused"
	}
	return "", ""
}

// diffOf returns how a spec differs from the one before; nothing of a popup that is new, or
// whose spec was broken. incomplete reports that there is more.
func diffOf(before []byte, after *popup.Popup) (list []difference, incomplete bool) {
	list = []difference{}
	if before == nil {
		return list, false
	}
	all, err := popup.Diff(before, after.Encode())
	if err != nil {
		return list, true
	}
	for _, d := range all[:min(len(all), maxDiff)] {
		long := max(len(d.From), len(d.To)) > maxValue
		if long {
			d.From, d.To = nil, nil
		}
		list = append(list, difference{d, long})
	}
	return list, len(all) > maxDiff
}
