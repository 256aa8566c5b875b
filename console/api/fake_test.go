package api_test

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/popupd/popupd/internal/popuplist"
	"github.com/popupd/popupd/popup"
)

// memory is a store that keeps everything in memory, with the contract that
// the console asks of persist.DB. down, if set, fails every call.
type memory struct {
	noAudiences

	mu          sync.Mutex
	down        error
	afterRead   func()              // called when Popup has read, if set
	importing   func()              // called when Import is, if set
	rules       []popup.AudienceRow // of audiences, that were imported
	now         func() int64
	popups      []popup.Popup // by id
	revisions   map[string][]popup.Revision
	audit       []popup.AuditEntry // oldest first
	counts      map[uint32][]popup.Counts
	experiments map[uint32]map[int][]popup.ExperimentCount // by popup and days of the window
	whyNot      []popup.WhyNot
	served      map[uint32][]popup.Served // by popup, newest first
	revision    int64
	settings    popup.StoredSettings
	erased      map[int64]popup.Erasure
	events      []popup.CountedEvent
	cutOff      error              // of an export, after its first events
	tokens      []popup.AdminToken // by name
}

func newMemory(now func() int64) *memory {
	return &memory{now: now, revisions: map[string][]popup.Revision{}, counts: map[uint32][]popup.Counts{}}
}

func (m *memory) lock(ctx context.Context) (unlock func(), err error) {
	m.mu.Lock()
	return m.mu.Unlock, cmp.Or(m.down, ctx.Err())
}

func (m *memory) find(key string) *popup.Popup {
	i := slices.IndexFunc(m.popups, func(p popup.Popup) bool { return p.Key == key })
	if i < 0 {
		return nil
	}
	return &m.popups[i]
}

func (m *memory) record(c popup.Change, p popup.Popup, from uint32) {
	m.revision++
	m.revisions[p.Key] = append(m.revisions[p.Key], popup.Revision{Version: p.Version, Actor: c.Actor, CreatedAt: p.UpdatedAt, Spec: p.Spec})
	m.audit = append(m.audit, popup.AuditEntry{
		ID: int64(len(m.audit) + 1), At: p.UpdatedAt, Actor: c.Actor, Action: c.Action, Object: p.Key, FromVersion: from, ToVersion: p.Version,
	})
}

func (m *memory) time() time.Time { return time.UnixMilli(m.now()).UTC() }

func (m *memory) Create(ctx context.Context, c popup.Change, s popup.Spec) (popup.Popup, error) {
	unlock, err := m.lock(ctx)
	defer unlock()
	switch {
	case err != nil:
		return popup.Popup{}, err
	case m.find(s.Key) != nil:
		return popup.Popup{}, popup.ErrExists
	}
	p := popup.Popup{ID: uint32(len(m.popups) + 1), Version: 1, UpdatedAt: m.time(), Spec: s}
	m.popups = append(m.popups, p)
	m.record(c, p, 0)
	return p, nil
}

func (m *memory) Put(ctx context.Context, c popup.Change, version uint32, s popup.Spec) (popup.Popup, error) {
	unlock, err := m.lock(ctx)
	defer unlock()
	p := m.find(s.Key)
	switch {
	case err != nil:
		return popup.Popup{}, err
	case p == nil:
		return popup.Popup{}, popup.ErrNotFound
	case p.Status == popup.Archived:
		return popup.Popup{}, popup.ErrArchived
	case version != 0 && version != p.Version:
		return popup.Popup{}, popup.ErrStale
	}
	p.Spec, p.Version, p.UpdatedAt = s, p.Version+1, m.time()
	m.record(c, *p, p.Version-1)
	return *p, nil
}

func (m *memory) Popup(ctx context.Context, key string) (popup.Popup, error) {
	unlock, err := m.lock(ctx)
	p := m.find(key)
	var read popup.Popup
	switch {
	case err != nil:
	case p == nil:
		err = popup.ErrNotFound
	default:
		read = *p
	}
	unlock()
	if m.afterRead != nil {
		m.afterRead()
	}
	return read, err
}

func (m *memory) FindPopups(ctx context.Context, q popuplist.Query) (page popuplist.Page, popups []popup.Popup, err error) {
	unlock, err := m.lock(ctx)
	defer unlock()
	if err != nil {
		return page, nil, err
	}
	var entries []*popuplist.Entry
	for _, p := range m.popups {
		entries = append(entries, popuplist.NewEntry(p.ID, p.Version, p.UpdatedAt.UnixMilli(), p.Key, p.Status, p.Spec.Encode()))
	}
	page = popuplist.New(entries).Find(&q)
	for _, id := range page.IDs {
		popups = append(popups, m.popups[id-1])
	}
	return page, popups, nil
}

func (m *memory) RecentStats(ctx context.Context, ids []uint32, fromMS, toMS, stepMS int64) (map[uint32][]popup.Counts, error) {
	unlock, err := m.lock(ctx)
	defer unlock()
	sums := map[uint32][]popup.Counts{}
	for _, id := range ids {
		for _, c := range m.counts[id] {
			if c.HourMS >= fromMS && c.HourMS < toMS {
				c.HourMS -= (c.HourMS - fromMS) % stepMS
				sums[id] = append(sums[id], c)
			}
		}
	}
	return sums, err
}

func (m *memory) Revisions(ctx context.Context, key string) ([]popup.Revision, error) {
	unlock, err := m.lock(ctx)
	defer unlock()
	out := slices.Clone(m.revisions[key])
	slices.Reverse(out)
	return out, err
}

func (m *memory) Changes(context.Context, popup.Position) (c popup.CatalogChange, known bool, err error) {
	return c, false, nil
}

func (m *memory) Audit(ctx context.Context, object string, before int64, limit int) ([]popup.AuditEntry, error) {
	unlock, err := m.lock(ctx)
	defer unlock()
	var out []popup.AuditEntry
	for _, e := range slices.Backward(m.audit) {
		if (before == 0 || e.ID < before) && (object == "" || e.Object == object) && len(out) < limit {
			out = append(out, e)
		}
	}
	return out, err
}

func (m *memory) AuditUser(ctx context.Context, c popup.Change, uid string) (int64, error) {
	unlock, err := m.lock(ctx)
	defer unlock()
	if err == nil {
		m.audit = append(m.audit, popup.AuditEntry{ID: int64(len(m.audit) + 1), At: m.time(), Actor: c.Actor, Action: c.Action, Object: "user:" + uid})
	}
	return int64(len(m.audit)), err
}

func (m *memory) Erasure(ctx context.Context, id int64) (popup.Erasure, error) {
	unlock, err := m.lock(ctx)
	defer unlock()
	if err != nil {
		return popup.Erasure{}, err
	}
	if e, ok := m.erased[id]; ok {
		return e, nil
	}
	if id > int64(len(m.audit)) || m.audit[id-1].Action != "reset" {
		return popup.Erasure{}, popup.ErrNotFound
	}
	return popup.Erasure{ID: id, AskedMS: m.audit[id-1].At.UnixMilli(), Audited: true}, nil
}

func (m *memory) AuditServer(ctx context.Context, c popup.Change, value string) error {
	unlock, err := m.lock(ctx)
	defer unlock()
	if err == nil {
		m.audit = append(m.audit, popup.AuditEntry{ID: int64(len(m.audit) + 1), At: m.time(), Actor: c.Actor, Action: c.Action, Object: "server:" + value})
	}
	return err
}

func (m *memory) Experiment(ctx context.Context, id uint32, windowDays int) ([]popup.ExperimentCount, error) {
	unlock, err := m.lock(ctx)
	defer unlock()
	return m.experiments[id][windowDays], err
}

func (m *memory) VariantTotals(ctx context.Context, id uint32, fromMS int64) ([]popup.Counts, error) {
	unlock, err := m.lock(ctx)
	defer unlock()
	var totals []popup.Counts
	for _, c := range m.counts[id] {
		i := slices.IndexFunc(totals, func(t popup.Counts) bool { return t.Variant == c.Variant })
		switch {
		case c.HourMS < fromMS:
		case i < 0:
			totals = append(totals, c)
		default:
			totals[i].Impressions += c.Impressions
			totals[i].Clicks += c.Clicks
		}
	}
	return totals, err
}

func (m *memory) Stats(ctx context.Context, id uint32, fromMS, toMS int64) ([]popup.Counts, error) {
	unlock, err := m.lock(ctx)
	defer unlock()
	var out []popup.Counts
	for _, c := range m.counts[id] {
		if c.HourMS >= fromMS && c.HourMS < toMS {
			out = append(out, c)
		}
	}
	slices.SortFunc(out, func(a, b popup.Counts) int {
		return cmp.Or(cmp.Compare(a.HourMS, b.HourMS), cmp.Compare(a.Variant, b.Variant))
	})
	return out, err
}

func (m *memory) Position(ctx context.Context) (popup.Position, error) {
	unlock, err := m.lock(ctx)
	defer unlock()
	return popup.Position{Revision: m.revision}, err
}

func (m *memory) WhyNot(ctx context.Context, id uint32, fromMS, toMS int64) ([]popup.WhyNot, error) {
	unlock, err := m.lock(ctx)
	defer unlock()
	var out []popup.WhyNot
	for _, w := range m.whyNot {
		if w.PopupID == id && w.HourMS >= fromMS && w.HourMS < toMS {
			out = append(out, w)
		}
	}
	return out, err
}

func (m *memory) RecentImpressions(ctx context.Context, _ []byte, ids []uint32, limit int) ([]popup.Served, error) {
	unlock, err := m.lock(ctx)
	defer unlock()
	var list []popup.Served
	for _, id := range ids {
		list = append(list, m.served[id]...)
	}
	return list[:min(len(list), limit)], err
}

func (m *memory) Settings(ctx context.Context) (popup.StoredSettings, error) {
	unlock, err := m.lock(ctx)
	defer unlock()
	return m.settings, err
}

func (m *memory) PutSettings(ctx context.Context, c popup.Change, version uint32, s popup.Settings) (popup.StoredSettings, error) {
	unlock, err := m.lock(ctx)
	defer unlock()
	switch {
	case err != nil:
		return popup.StoredSettings{}, err
	case version != m.settings.Version:
		return popup.StoredSettings{}, popup.ErrStale
	}
	now := m.time()
	m.revision++
	m.settings = popup.StoredSettings{Version: version + 1, UpdatedAt: &now, Settings: s}
	m.audit = append(m.audit, popup.AuditEntry{
		ID: int64(len(m.audit) + 1), At: now, Actor: c.Actor, Action: c.Action, Object: "config:settings", FromVersion: version, ToVersion: version + 1,
	})
	return m.settings, nil
}

func (m *memory) Rows(ctx context.Context) (popup.Catalog, error) {
	unlock, err := m.lock(ctx)
	defer unlock()
	var rows []popup.Row
	for _, p := range m.popups {
		if p.Status != popup.Archived {
			rows = append(rows, popup.Row{ID: p.ID, Version: p.Version, UpdatedAtMS: p.UpdatedAt.UnixMilli(), Key: p.Key, Spec: p.Spec.Encode()})
		}
	}
	c := popup.Catalog{Revision: m.revision, Popups: rows, Audiences: m.rules}
	if m.settings.Version > 0 {
		c.Settings = popup.SettingsRow{Version: m.settings.Version, UpdatedAtMS: m.settings.UpdatedAt.UnixMilli(), Spec: m.settings.Encode()}
	}
	return c, err
}

// site is where events are recorded.
type site struct {
	full     error // Record's answer
	reported []string
}

func (s *site) Record(events []popup.SiteEvent) error {
	if s.full != nil {
		return s.full
	}
	for _, e := range events {
		s.reported = append(s.reported, string(e.User)+" "+string(e.Name))
	}
	return nil
}

// people is what a server remembers of its users.
type people struct {
	mu     sync.Mutex
	full   error // Reset's answer
	away   error // LookUpWithin's
	states map[string]map[uint32]popup.State
}

func (p *people) States(user []byte, fn func(uint32, popup.State)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	states := p.states[string(user)]
	for _, id := range slices.Backward(slices.Sorted(maps.Keys(states))) { // any order will do
		fn(id, states[id])
	}
}

func (p *people) LookUpWithin(context.Context, ...[]byte) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.away
}

func (p *people) Reset(user []byte) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.full != nil {
		return p.full
	}
	delete(p.states, string(user))
	return nil
}

// CountedEvents gives two events at a time; a cursor is the number of events before it.
func (m *memory) CountedEvents(ctx context.Context, after string, limit int, send func([]popup.CountedEvent, string) error) error {
	unlock, err := m.lock(ctx)
	defer unlock()
	if err != nil {
		return err
	}
	at := 0
	switch {
	case after == "lost":
		return popup.ErrCursorLost
	case after != "":
		if at, err = strconv.Atoi(after); err != nil {
			return popup.ErrCursor
		}
	}
	if at >= len(m.events) {
		return send(nil, after)
	}
	for end := min(at+limit, len(m.events)); at < end; {
		n := min(2, end-at)
		if err := send(m.events[at:at+n], strconv.Itoa(at+n)); err != nil {
			return err
		}
		if at += n; m.cutOff != nil {
			return m.cutOff
		}
	}
	return nil
}
