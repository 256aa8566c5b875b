package snapshot

import (
	"bytes"
	"fmt"

	"github.com/popupd/popupd/popup"
)

// Settings are the settings in force. They are immutable.
type Settings struct {
	popup.Settings
	Version uint32   // 0: the defaults
	Ignored []string // pointers of members of the row's spec that this version does not know

	row     popup.SettingsRow // what they were compiled from
	holdout holdout
}

var defaultSettings Settings

// Row returns the row that the settings were compiled from. Its Spec must not be changed.
func (s *Settings) Row() popup.SettingsRow { return s.row }

// Settings returns the settings in force, never nil.
func (s *Snapshot) Settings() *Settings {
	if s == nil || s.settings == nil {
		return &defaultSettings
	}
	return s.settings
}

// compileSettings returns the settings of a row: last if they are from the same row.
func compileSettings(row *popup.SettingsRow, last *Settings) (*Settings, error) {
	switch {
	case row.Version == last.row.Version && bytes.Equal(row.Spec, last.row.Spec):
		return last, nil
	case row.Version == 0:
		return &defaultSettings, nil
	}
	s, ignored, err := popup.DecodeStoredSettings(row.Spec)
	if err != nil {
		return nil, fmt.Errorf("read the settings: %w", err)
	}
	return &Settings{Settings: s, Version: row.Version, Ignored: ignored, row: *row, holdout: newHoldout(s.Holdout)}, nil
}

// under returns the popup as it is with these settings: p itself if they change nothing
// of it.
func (p *Popup) under(s *Settings) *Popup {
	caps := s.Covering(p.Tags)
	if caps == p.Caps {
		return p
	}
	changed := *p
	changed.Caps = caps
	return &changed
}

// Caps returns the caps of the settings in force, which must not be changed.
func (s *Snapshot) Caps() []popup.Cap { return s.Settings().Caps }

// CapsEra returns a number that no snapshot has that this one was compiled after, so that
// what [Snapshot.CapsOf] says may be remembered beside it.
func (s *Snapshot) CapsEra() uint64 {
	if s == nil {
		return 0
	}
	return s.capsEra
}

// CapsOf returns the caps that count impressions of a popup: of one that is archived,
// or too new to be known here, those that cover all.
func (s *Snapshot) CapsOf(id uint32) popup.CapSet {
	if p := s.Popup(id); p != nil {
		return p.Caps
	}
	return s.Settings().Covering(nil)
}
