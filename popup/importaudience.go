package popup

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// ImportAudience is the rule of an audience of an import.
type ImportAudience struct {
	Key     string
	Rule    Targeting
	Version *uint32 // that is to be replaced; 0: there must be none; nil: any
}

// ExportedAudience is a rule as it is exported.
type ExportedAudience struct {
	Key       string          `json:"key"`
	Version   uint32          `json:"version"`
	UpdatedAt time.Time       `json:"updated_at"` // UTC
	Rule      json.RawMessage `json:"rule"`
}

func decodeImportAudience(data []byte) (ImportAudience, error) {
	var d decoder
	return decodeAs(&d, data, func(tree any) ImportAudience {
		a := ImportAudience{Rule: d.targeting(object{})}
		o := d.object(tree, "key", "version", "updated_at", "rule")
		d.require(o, "key", "rule")
		member(&d, o, "key", &a.Key, d.text)
		member(&d, o, "version", &a.Version, d.version)
		member(&d, o, "rule", &a.Rule, d.targeting)
		return a
	}, func(a *ImportAudience, errs *FieldErrors) {
		if !ValidAudienceKey(a.Key) {
			errs.add("/key", audienceKeyDetail)
		}
		a.Rule.validateAll(errs, "/rule")
	})
}

// addAudiences compares the audiences of the import with those that are stored.
func (p *planner) addAudiences(stored []AudienceRow) {
	p.audiences = make(map[string]*Targeting, len(stored)+len(p.im.Audiences))
	rows := make(map[string]*AudienceRow, len(stored))
	for i := range stored {
		row := &stored[i]
		rows[row.Key], p.audiences[row.Key] = row, nil
		if row.Rule != nil {
			rule, _, _ := DecodeStoredAudienceRule(row.Rule) // a broken one names none
			p.audiences[row.Key] = &rule
		}
	}
	for i := range p.im.Audiences {
		a, at := &p.im.Audiences[i], index("/audiences", i)
		row := rows[a.Key]
		p.audiences[a.Key] = &a.Rule
		o := ObjectChange{Kind: AudienceObject, Key: a.Key, Rule: &a.Rule}
		version := uint32(0)
		if row != nil {
			version = row.Version
		}
		if a.Version != nil && *a.Version != version {
			p.stale.add(at+"/version", staleDetail(version))
		}
		if row == nil {
			o.Action, o.ToVersion = ImportCreate, 1
			p.objects = append(p.objects, o)
			continue
		}
		if row.Rule == nil {
			p.invalid.add(at+"/key", a.Key+" is a list of users, which an import does not replace")
		}
		o.ID, o.FromVersion = row.ID, row.Version
		p.addStored(o, ruleDocument(row.Rule), ruleDocument(a.Rule.Encode()), nil)
	}
	if len(p.audiences) > MaxAudiences {
		p.invalid.add("/audiences", fmt.Sprintf("there would be %d audiences, at most %d are allowed", len(p.audiences), MaxAudiences))
	}
}

// ruleDocument returns the document that has a rule, if it can be read as canonical JSON.
func ruleDocument(rule []byte) []byte {
	if t, _, err := DecodeStoredAudienceRule(rule); err == nil {
		rule = t.Encode()
	}
	return slices.Concat([]byte(`{"rule":`), rule, []byte(`}`))
}

// checkAudiences notes audiences that are named where they are not there, and circles.
func (p *planner) checkAudiences() {
	for i := range p.im.Audiences {
		a := &p.im.Audiences[i]
		p.checkNames(a.Rule.Audiences(index("/audiences", i)+"/rule"), nil)
	}
	_, circle := OrderAudiences(slices.Sorted(maps.Keys(p.audiences)), func(key string) (names []string) {
		if rule := p.audiences[key]; rule != nil {
			for _, ref := range rule.Audiences("") {
				names = append(names, ref.Key)
			}
		}
		return names
	})
	for i := range p.im.Audiences {
		a := &p.im.Audiences[i]
		at := slices.Index(circle, a.Key)
		if at < 0 {
			continue
		}
		named := append(slices.Concat(circle[at:], circle[:at]), a.Key)
		for _, ref := range a.Rule.Audiences(index("/audiences", i) + "/rule") {
			if ref.Key == named[1] {
				p.invalid.add(ref.Pointer, "names the audience that is being defined, in a circle: "+strings.Join(named, " -> "))
			}
		}
	}
}

// checkNames notes references to audiences that are neither there nor among those of before.
func (p *planner) checkNames(refs, before []AudienceRef) {
	for _, ref := range refs {
		if _, ok := p.audiences[ref.Key]; !ok && !slices.ContainsFunc(before, func(b AudienceRef) bool { return b.Key == ref.Key }) {
			p.invalid.add(ref.Pointer, "there is no audience "+ref.Key)
		}
	}
}

// checkPopup checks the audiences that a changed popup names. A paused one may go on naming
// those that it named before, or nobody could pause it.
func (p *planner) checkPopup(at string, s *Spec, stored *StoredPopup) {
	refs := s.Targeting.Audiences(at + "/targeting")
	if len(refs) == 0 || s.Status == Archived {
		return
	}
	var before []AudienceRef
	if stored != nil && s.Status == Paused {
		if spec, _, err := DecodeStored(stored.Spec); err == nil {
			before = spec.Audiences()
		}
	}
	p.checkNames(refs, before)
}
