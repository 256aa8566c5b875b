package snapshot

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"github.com/popupd/popupd/audience"
	"github.com/popupd/popupd/popup"
)

// audiences are those of a catalog. They are immutable. Conditions name audiences by their
// keys and know nothing else of them, so a change of an audience leaves popups and their
// indexes as they are. A nil audiences is none.
type audiences struct {
	rows  []popup.AudienceRow // what they were compiled from
	key   audience.Key        // of the fingerprints in lists
	byKey map[string]*userSet
	joint *audience.Joint // of lists; nil: none has been made yet
}

// userSet is an audience: the users who fit a rule, or those in a list.
type userSet struct {
	row    popup.AudienceRow
	name   []byte // the key
	number int    // of all audiences of the catalog, from 0 on
	why    string // why it can't be used; empty: it can

	rule   *targeting // nil: a list
	source []byte     // JSON of the rule
	refs   []*userSet // that the rule names

	list *audience.Set     // nil: it has not been loaded yet, or is a rule
	of   popup.AudienceRow // of list: an older one until the newest has been loaded

	inJoint int // number of the list in the joint; 0: it is not there
}

func (a *audiences) jointBytes() int {
	if a == nil {
		return 0
	}
	return a.joint.Bytes()
}

// find returns the audience with this key, nil if there is none.
func (a *audiences) find(key string) *userSet {
	if a == nil {
		return nil
	}
	return a.byKey[key]
}

// unusable returns the first of some keys whose audience can't be used, and why; empty: all can.
func (a *audiences) unusable(keys ...string) (key, why string) {
	for _, key := range keys {
		if s := a.find(key); s == nil {
			return key, "is not in the catalog"
		} else if s.why != "" {
			return key, s.why
		}
	}
	return "", ""
}

// sameAudience reports whether two rows are of one state of an audience. All of what the store
// adds is compared, since a restored database gives out numbers again.
func sameAudience(a, b *popup.AudienceRow) bool {
	return a.ID == b.ID && a.Version == b.Version && a.Key == b.Key && a.List == b.List && a.Members == b.Members &&
		a.UpdatedAtMS == b.UpdatedAtMS && a.Actor == b.Actor && (a.Rule == nil) == (b.Rule == nil) && bytes.Equal(a.Rule, b.Rule)
}

// compileAudiences compiles all audiences of a catalog: last if they are from the same rows. A
// list that was loaded for last stays in force until its successor has been loaded, and a rule
// until its successor can be compiled.
func (c *compiler) compileAudiences(rows []popup.AudienceRow, key audience.Key, last *audiences) (*audiences, []Broken) {
	switch {
	case len(rows) == 0:
		return nil, nil
	case last != nil && key == last.key && slices.EqualFunc(rows, last.rows, func(a, b popup.AudienceRow) bool { return sameAudience(&a, &b) }):
		return last, nil
	}
	a := &audiences{rows: rows, key: key, byKey: make(map[string]*userSet, len(rows))}
	if last != nil && key == last.key {
		a.joint = last.joint
	}
	var broken []Broken
	var rules []string
	for i := range rows {
		row := &rows[i]
		before := last.find(row.Key)
		if before != nil && (before.row.ID != row.ID || key != last.key) {
			before = nil
		}
		s, err := c.compileAudience(row, before)
		if a.byKey[row.Key] != nil {
			err = errors.New("another row has the same key")
		} else if len(a.byKey) == popup.MaxAudiences {
			err = fmt.Errorf("there are more than %d audiences", popup.MaxAudiences)
		} else {
			s.number = len(a.byKey)
			if a.byKey[row.Key] = s; s.rule != nil {
				rules = append(rules, row.Key)
			}
		}
		if err != nil {
			broken = append(broken, Broken{ID: row.ID, Version: row.Version, Key: row.Key, IsAudience: true, Err: err})
		}
	}
	return a, append(broken, a.connect(rules)...)
}

// compileAudience compiles a row on top of what was in force for it before, which may be nil.
func (c *compiler) compileAudience(row *popup.AudienceRow, before *userSet) (s *userSet, err error) {
	s = &userSet{row: *row, name: []byte(row.Key)}
	if row.Rule == nil {
		if s.why = notLoaded; before != nil && before.list != nil {
			s.list, s.of, s.inJoint, s.why = before.list, before.of, before.inJoint, ""
		}
		return s, nil
	}
	if before != nil && before.rule != nil && bytes.Equal(before.source, row.Rule) {
		s.rule, s.source = before.rule, before.source
		return s, nil
	}
	rule, err := c.compileRule(row.Rule)
	switch {
	case err == nil:
		s.rule, s.source = rule, row.Rule
	case before != nil && before.rule != nil:
		s.rule, s.source = before.rule, before.source
	default:
		s.why = "has a rule that is broken"
	}
	return s, err
}

const notLoaded = "has a list that is not loaded yet"

// compileRule compiles the rule of an audience. As with popups, a panic is an error of this
// one.
func (c *compiler) compileRule(rule []byte) (t *targeting, err error) {
	defer func() {
		if r := recover(); r != nil {
			t, err = nil, fmt.Errorf("compile: panic: %v", r)
		}
	}()
	spec, _, err := popup.DecodeStoredAudienceRule(rule)
	if err != nil {
		return nil, err
	}
	compiled, err := c.compileTargeting(&spec)
	if err != nil {
		return nil, err
	}
	return &compiled, nil
}

// connect has the rules know the audiences that they name, and finds which of them can't be
// used, those that name others before them in a circle too.
func (a *audiences) connect(rules []string) (broken []Broken) {
	order, cycle := popup.OrderAudiences(rules, func(key string) []string { return a.byKey[key].rule.audiences })
	if cycle != nil {
		for _, key := range rules {
			if !slices.Contains(order, key) {
				s := a.byKey[key]
				s.why = "is in, or names, a circle of rules that name each other"
				broken = append(broken, Broken{ID: s.row.ID, Version: s.row.Version, Key: key, IsAudience: true, Err: errors.New("the audience " + s.why)})
			}
		}
	}
	for _, key := range order {
		s := a.byKey[key]
		if named, why := a.unusable(s.rule.audiences...); why != "" {
			s.why = "names " + named + ", which " + why
			continue
		}
		for _, named := range s.rule.audiences {
			s.refs = append(s.refs, a.byKey[named])
		}
	}
	return broken
}

// List is a list of users, loaded.
type List struct {
	Row popup.AudienceRow // of the audience
	Set *audience.Set
}

// ListsToLoad returns the audiences whose newest list has not been loaded, in the order of
// the catalog.
func (s *Snapshot) ListsToLoad() (rows []popup.AudienceRow) {
	if s == nil || s.audiences == nil {
		return nil
	}
	for i := range s.audiences.rows {
		row := &s.audiences.rows[i]
		if a := s.audiences.find(row.Key); row.Rule == nil && a.row.ID == row.ID && (a.list == nil || !sameAudience(&a.of, row)) {
			rows = append(rows, *row)
		}
	}
	return rows
}

// WithList returns the snapshot with a list in force, s itself if it is not one of
// [Snapshot.ListsToLoad].
func (s *Snapshot) WithList(list List) *Snapshot {
	if s == nil || s.audiences.find(list.Row.Key) == nil || !sameAudience(&s.audiences.find(list.Row.Key).row, &list.Row) {
		return s
	}
	next := s.with(s.byPlacement, s.active)
	next.unchanged()
	next.audiences = s.audiences.with(func(all map[string]*userSet) {
		u := all[list.Row.Key]
		u.list, u.of, u.inJoint, u.why = list.Set, list.Row, 0, ""
	})
	next.planAudiences(s)
	return next
}

// with returns a copy of the audiences in which change has changed the lists.
func (a *audiences) with(change func(all map[string]*userSet)) *audiences {
	c := &audiences{rows: a.rows, key: a.key, joint: a.joint, byKey: make(map[string]*userSet, len(a.byKey))}
	var rules []string
	for key, u := range a.byKey {
		next := *u
		if c.byKey[key] = &next; u.rule != nil {
			next.why, next.refs = "", nil
			rules = append(rules, key)
		}
	}
	change(c.byKey)
	slices.Sort(rules)
	c.connect(rules)
	return c
}

// compacted returns the audiences with a joint of the lists in force, a itself if that is what
// it has. Those of more lists than a joint may have are asked one by one.
func (a *audiences) compacted() *audiences {
	if a == nil {
		return nil
	}
	var sets []*audience.Set
	numbers := map[string]int{}
	for i := range a.rows {
		key := a.rows[i].Key
		if u := a.byKey[key]; u != nil && u.list != nil && numbers[key] == 0 && len(sets) < audience.MaxJoint {
			sets = append(sets, u.list)
			numbers[key] = len(sets)
		}
	}
	if len(sets) < 2 {
		sets, numbers = nil, nil
	}
	if slices.Equal(sets, a.joint.Sets()) {
		return a
	}
	c := a.with(func(all map[string]*userSet) {
		for key, u := range all {
			u.inJoint = numbers[key]
		}
	})
	if c.joint = nil; len(sets) > 0 {
		c.joint = audience.NewJoint(sets)
	}
	return c
}

// Lists returns the lists in force, in the order of the catalog.
func (s *Snapshot) Lists() (lists []List) {
	if s == nil || s.audiences == nil {
		return nil
	}
	for i := range s.audiences.rows {
		row := &s.audiences.rows[i]
		if a := s.audiences.find(row.Key); a.list != nil && a.row.ID == row.ID {
			lists = append(lists, List{a.of, a.list})
		}
	}
	return lists
}

// ListBytes returns how much memory the lists in force take.
func (s *Snapshot) ListBytes() (n int) {
	for _, list := range s.Lists() {
		n += list.Set.Bytes()
	}
	return n + s.currentAudiences().jointBytes()
}

// Audiences returns the rows of all audiences, and the key of the fingerprints in their lists.
// The caller must not change the rows.
func (s *Snapshot) Audiences() ([]popup.AudienceRow, audience.Key) {
	switch {
	case s == nil:
		return nil, audience.Key{}
	case s.audiences == nil:
		return nil, s.audienceKey
	}
	return s.audiences.rows, s.audienceKey
}

// Audience is an audience of a snapshot, for people to be told of.
type Audience struct {
	Unusable string           // why it can't be used, as in "is not in the catalog"; empty: it can
	Rule     *popup.Targeting // in force; nil: a list
	Members  int              // of the list in force
}

// Audience returns the audience with a key.
func (s *Snapshot) Audience(key string) (out Audience) {
	_, out.Unusable = s.currentAudiences().unusable(key)
	a := s.currentAudiences().find(key)
	switch {
	case a == nil:
	case a.rule != nil:
		rule, _, _ := popup.DecodeStoredAudienceRule(a.source) // has been compiled
		out.Rule = &rule
	case a.list != nil:
		out.Members = a.list.Len()
	}
	return out
}

// Fingerprint returns the fingerprint of a user in lists of users, 0 if the key of these is not
// known. It does not allocate.
func (s *Snapshot) Fingerprint(user []byte) uint64 {
	if s == nil || s.audienceKey == (audience.Key{}) {
		return 0
	}
	return audience.Fingerprint(s.audienceKey, user)
}

func (s *Snapshot) currentAudiences() *audiences {
	if s == nil {
		return nil
	}
	return s.audiences
}
