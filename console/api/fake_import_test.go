package api_test

import (
	"context"
	"slices"
	"strings"

	"github.com/popupd/popupd/popup"
)

func (m *memory) ExportCatalog(ctx context.Context, begin func(popup.Position, popup.StoredSettings, []popup.ExportedAudience) error, each func(popup.Popup) error) error {
	unlock, err := m.lock(ctx)
	defer unlock()
	if err != nil {
		return err
	}
	if err := begin(popup.Position{Revision: m.revision}, m.settings, []popup.ExportedAudience{}); err != nil {
		return err
	}
	popups := slices.Clone(m.popups)
	slices.SortFunc(popups, func(a, b popup.Popup) int { return strings.Compare(a.Key, b.Key) })
	for _, p := range popups {
		if p.Status == popup.Archived {
			continue
		}
		if err := each(p); err != nil {
			return err
		}
	}
	return m.cutOff
}

func (m *memory) PlanImport(ctx context.Context, im *popup.Import, check func(popup.Position) error) (r popup.ImportResult, err error) {
	unlock, err := m.lock(ctx)
	defer unlock()
	if err != nil {
		return r, err
	}
	return m.plan(im, check)
}

func (m *memory) plan(im *popup.Import, check func(popup.Position) error) (r popup.ImportResult, err error) {
	r.Position = popup.Position{Revision: m.revision}
	if err := check(r.Position); err != nil {
		return r, err
	}
	var stored []popup.StoredPopup
	for _, p := range m.popups {
		row := popup.Row{ID: p.ID, Version: p.Version, Key: p.Key, Spec: p.Spec.Encode(), Archived: p.Status == popup.Archived}
		stored = append(stored, popup.StoredPopup{Row: row, Source: p.Source})
	}
	settings := popup.SettingsRow{Version: m.settings.Version, Spec: m.settings.Encode()}
	r.Objects, err = im.Plan(stored, settings, m.rules)
	return r, err
}

func (m *memory) Import(ctx context.Context, c popup.Change, im *popup.Import, check func(popup.Position) error) (r popup.ImportResult, err error) {
	if m.importing != nil {
		m.importing()
	}
	unlock, err := m.lock(ctx)
	defer unlock()
	if err != nil {
		return r, err
	}
	if r, err = m.plan(im, check); err != nil {
		return r, err
	}
	now := m.time()
	for i := range r.Objects {
		o := &r.Objects[i]
		change := popup.Change{Actor: c.Actor, Action: string(o.Action)}
		switch {
		case o.Action == popup.ImportUnchanged:
		case o.Kind == popup.SettingsObject:
			m.revision++
			m.settings = popup.StoredSettings{Version: o.ToVersion, UpdatedAt: &now, Settings: *o.Settings}
		case o.Kind == popup.AudienceObject:
			m.revision++
			m.rules = append(m.rules, popup.AudienceRow{ID: uint32(len(m.rules) + 1), Version: o.ToVersion, Key: o.Key, Rule: o.Rule.Encode()})
		case o.ID == 0:
			o.ID = uint32(len(m.popups) + 1)
			m.popups = append(m.popups, popup.Popup{ID: o.ID, Version: 1, UpdatedAt: now, Source: o.Source, Spec: *o.Spec})
			m.record(change, m.popups[len(m.popups)-1], 0)
		default:
			p := m.find(o.Key)
			p.Spec, p.Source, p.Version, p.UpdatedAt = *o.Spec, o.Source, o.ToVersion, now
			m.record(change, *p, o.FromVersion)
		}
	}
	r.Position.Revision = m.revision
	return r, nil
}
