package popup

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// ObjectKind is what an import can change.
type ObjectKind string

// All kinds.
const (
	PopupObject    ObjectKind = "popup"
	SettingsObject ObjectKind = "settings"
	AudienceObject ObjectKind = "audience"
)

// ImportAction is what an import does with an object, and the audit trail's word for it.
type ImportAction string

// All actions.
const (
	ImportCreate    ImportAction = "create"
	ImportUpdate    ImportAction = "update"
	ImportArchive   ImportAction = "archive"
	ImportUnchanged ImportAction = "unchanged"
)

// ObjectChange is what an import does with one object, and what is to be stored of it.
type ObjectChange struct {
	Kind        ObjectKind         `json:"kind"`
	Key         string             `json:"key"` // of the settings: settings
	Action      ImportAction       `json:"action"`
	FromVersion uint32             `json:"from_version"` // 0: there was none
	ToVersion   uint32             `json:"to_version"`
	Changes     []ListedDifference `json:"changes"` // of what is created: none
	More        int                `json:"more"`    // changes that are not listed
	Warnings    []Warning          `json:"warnings"`

	ID       uint32     `json:"-"` // of a popup or an audience; 0: it is new
	Source   string     `json:"-"` // of a popup
	Spec     *Spec      `json:"-"` // of a popup
	Settings *Settings  `json:"-"`
	Rule     *Targeting `json:"-"` // of an audience
}

// ListedDifference is a [Difference] that is short enough to be listed.
type ListedDifference struct {
	Difference
	Cut bool `json:"cut,omitempty"` // From, To or both are the beginning of the value's JSON, as a text
}

// ImportResult is what an import came to, or would come to.
type ImportResult struct {
	Position Position       // after it; of an import that was not made, what it was compared with
	Objects  []ObjectChange // the settings first, then audiences and popups, by key
}

// IsUnchanged reports whether nothing is to be stored.
func (r *ImportResult) IsUnchanged() bool {
	return !slices.ContainsFunc(r.Objects, func(o ObjectChange) bool { return o.Action != ImportUnchanged })
}

// ImportError is why an import can't be made: the objects in Objects, which are pointers
// into the document, are archived ([ErrArchived]) or have other versions ([ErrStale]).
type ImportError struct {
	Err     error
	Objects FieldErrors
}

func (e *ImportError) Error() string { return fmt.Sprintf("%v: %v", e.Err, e.Objects) }
func (e *ImportError) Unwrap() error { return e.Err }

// StoredPopup is a row as an import is compared with.
type StoredPopup struct {
	Row
	Source string
}

// Prunes reports whether an import archives a popup of this source that it does not have.
func (im *Import) Prunes(source string) bool { return im.Prune && isOf(source, im.Source) }

// Plan returns what the import changes of what is stored: the popups of the document's keys,
// archived ones too, those that it prunes, the settings and all audiences. It returns
// [FieldErrors] or an [*ImportError] if it can't be made.
func (im *Import) Plan(stored []StoredPopup, settings SettingsRow, audiences []AudienceRow) ([]ObjectChange, error) {
	p := planner{im: im, stored: make(map[string]*StoredPopup, len(stored)), left: maxListed}
	for i := range stored {
		p.stored[stored[i].Key] = &stored[i]
	}
	if im.Settings != nil {
		p.addSettings(&settings)
	}
	byKey := func(a, b ObjectChange) int { return strings.Compare(a.Key, b.Key) }
	first := len(p.objects)
	p.addAudiences(audiences)
	p.checkAudiences()
	slices.SortFunc(p.objects[first:], byKey)
	first = len(p.objects)
	for i := range im.Popups {
		p.addPopup(i)
	}
	for _, s := range p.stored {
		p.prune(s)
	}
	slices.SortFunc(p.objects[first:], byKey)
	switch {
	case len(p.invalid) > 0:
		return nil, p.invalid
	case len(p.archived) > 0:
		return nil, &ImportError{ErrArchived, p.archived}
	case len(p.stale) > 0:
		return nil, &ImportError{ErrStale, p.stale}
	}
	for i := range p.objects {
		p.list(&p.objects[i])
	}
	return p.objects, nil
}

// planner compares an import with what is stored.
type planner struct {
	im        *Import
	stored    map[string]*StoredPopup // by key; without those of the document that were compared
	audiences map[string]*Targeting   // all that there are then, by key; nil: a list
	objects   []ObjectChange
	left      int // how many changes may be listed yet

	invalid, archived, stale FieldErrors
}

func (p *planner) addSettings(stored *SettingsRow) {
	s := p.im.Settings
	if s.Version != nil && *s.Version != stored.Version {
		p.stale.add("/settings/version", staleDetail(stored.Version))
	}
	before := Settings{}.Encode()
	if stored.Version > 0 {
		before = stored.Spec
		if s, _, err := DecodeStoredSettings(stored.Spec); err == nil {
			before = s.Encode()
		}
	}
	p.addStored(ObjectChange{Kind: SettingsObject, Key: string(SettingsObject), FromVersion: stored.Version, Settings: &s.Settings}, before, s.Settings.Encode(), nil)
}

func (p *planner) addPopup(i int) {
	im, at := &p.im.Popups[i], index("/popups", i)
	o := ObjectChange{Kind: PopupObject, Key: im.Key, Spec: &im.Spec, Source: cmp.Or(im.Source, p.im.Source)}
	stored, ok := p.stored[im.Key]
	if !ok {
		if im.Version != nil && *im.Version != 0 {
			p.stale.add(at+"/version", staleDetail(0))
		}
		if im.Status == Archived {
			p.invalid.add(at+"/status", "a new popup can't be archived: that is final")
		}
		p.checkPopup(at, &im.Spec, nil)
		o.Action, o.ToVersion = ImportCreate, 1
		p.objects = append(p.objects, o)
		return
	}
	delete(p.stored, im.Key)
	if im.Version != nil && *im.Version != stored.Version {
		p.stale.add(at+"/version", staleDetail(stored.Version))
	}
	o.ID, o.FromVersion = stored.ID, stored.Version
	if stored.Archived {
		if im.Status != Archived {
			p.archived.add(at+"/key", im.Key+" is archived, which is final")
		}
		o.Action, o.ToVersion = ImportUnchanged, stored.Version
		p.objects = append(p.objects, o)
		return
	}
	var differences []Difference
	if o.Source == "" || withoutRevision(o.Source) == withoutRevision(stored.Source) {
		o.Source = cmp.Or(o.Source, stored.Source)
	} else {
		differences = []Difference{{Pointer: "/source", From: jsonText(stored.Source), To: jsonText(o.Source)}}
	}
	before, after := stored.Spec, im.Encode()
	if !bytes.Equal(before, after) {
		if s, _, err := DecodeStored(before); err == nil { // else somebody has broken it: this mends it
			before = s.Encode()
		}
	}
	if p.addStored(o, before, after, differences) {
		p.checkPopup(at, &im.Spec, stored)
	}
}

// prune archives a popup that the document does not have.
func (p *planner) prune(stored *StoredPopup) {
	if stored.Archived || !p.im.Prunes(stored.Source) {
		return
	}
	var s Spec
	if json.Unmarshal(stored.Spec, &s) != nil {
		s = Spec{} // broken; archived it does no harm
	}
	if decoded, _, err := DecodeStored(stored.Spec); err == nil {
		s = decoded
	}
	before := s.Encode()
	s.Key, s.Status = stored.Key, Archived
	p.addStored(ObjectChange{Kind: PopupObject, Key: stored.Key, ID: stored.ID, FromVersion: stored.Version, Source: stored.Source, Spec: &s}, before, s.Encode(), nil)
}

// addStored adds an object that there is, with how its document changes, behind other
// differences. It reports whether there are any.
func (p *planner) addStored(o ObjectChange, before, after []byte, others []Difference) (isChanged bool) {
	var differences []Difference
	if !bytes.Equal(before, after) {
		var err error
		if differences, err = Diff(before, after); err != nil { // what is stored is no JSON
			differences = []Difference{{From: jsonText(string(before)), To: after}}
		}
	}
	for _, d := range slices.Concat(others, differences) {
		o.Changes = append(o.Changes, ListedDifference{Difference: d})
	}
	o.Action, o.ToVersion = ImportUnchanged, o.FromVersion
	if len(o.Changes) > 0 {
		o.Action, o.ToVersion = ImportUpdate, o.FromVersion+1
		if o.Spec != nil && o.Spec.Status == Archived {
			o.Action = ImportArchive
		}
	}
	p.objects = append(p.objects, o)
	return len(o.Changes) > 0
}

func staleDetail(version uint32) string {
	if version == 0 {
		return "there is none"
	}
	return fmt.Sprintf("is %d by now", version)
}

const (
	// maxChanges is how many changes of an object are listed, maxListed of all objects.
	maxChanges, maxListed = 100, 20_000
	// maxListedValue is how much of the JSON of a value is listed, in bytes.
	maxListedValue = 1000
)

// list leaves of the changes of an object what is listed.
func (p *planner) list(o *ObjectChange) {
	n := min(len(o.Changes), maxChanges, p.left)
	o.Changes, o.More = notNil(o.Changes[:n]), len(o.Changes)-n
	p.left -= n
	for i := range o.Changes {
		c := &o.Changes[i]
		for _, value := range []*json.RawMessage{&c.From, &c.To} {
			if len(*value) > maxListedValue {
				text := (*value)[:maxListedValue]
				for !utf8.Valid(text) {
					text = text[:len(text)-1]
				}
				*value, c.Cut = jsonText(string(text)+"…"), true
			}
		}
	}
	o.Warnings = []Warning{}
}

// jsonText returns a text as JSON.
func jsonText(text string) json.RawMessage {
	b, _ := appendJSON(nil, text) // a text is always one
	return b
}
