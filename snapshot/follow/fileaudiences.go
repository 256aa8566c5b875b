package follow

import (
	"encoding/hex"
	"encoding/json"

	"github.com/popupd/popupd/audience"
	"github.com/popupd/popupd/popup"
)

// savedAudiences are the audiences in a last-good file.
type savedAudiences struct {
	Key  string          `json:"key"` // of the fingerprints in lists, in hex
	Rows []savedAudience `json:"rows"`
}

type savedAudience struct {
	ID          uint32          `json:"id"`
	Version     uint32          `json:"version"`
	Key         string          `json:"key"`
	Rule        json.RawMessage `json:"rule,omitempty"` // absent: a list
	List        uint64          `json:"list,omitempty"`
	Members     uint64          `json:"members,omitempty"`
	UpdatedAtMS int64           `json:"updated_at_ms"`
	Actor       string          `json:"actor"`
}

// savedAudiencesOf returns audiences as they are saved, nil if there are none and no key.
func savedAudiencesOf(rows []popup.AudienceRow, key audience.Key) *savedAudiences {
	if len(rows) == 0 && key == (audience.Key{}) {
		return nil
	}
	s := &savedAudiences{Key: hex.EncodeToString(key[:]), Rows: make([]savedAudience, len(rows))}
	for i := range rows {
		s.Rows[i] = savedAudience{
			ID: rows[i].ID, Version: rows[i].Version, Key: rows[i].Key, Rule: savedRule(rows[i].Rule), List: rows[i].List, Members: rows[i].Members,
			UpdatedAtMS: rows[i].UpdatedAtMS, Actor: rows[i].Actor,
		}
	}
	return s
}

// savedRule returns a rule as it is saved. One that somebody has broken in the store may not even
// be JSON: it is saved as a text, which is no rule either.
func savedRule(rule []byte) json.RawMessage {
	if rule == nil || json.Valid(rule) {
		return rule
	}
	text, _ := json.Marshal(string(rule)) // a string has no error
	return text
}

// rows returns the audiences and their key. A key that can't be read is one under which nobody
// is in any list.
func (s *savedAudiences) rows() (rows []popup.AudienceRow, key audience.Key) {
	if s == nil {
		return nil, key
	}
	if text, err := hex.DecodeString(s.Key); err == nil && len(text) == len(key) {
		key = audience.Key(text)
	}
	for _, r := range s.Rows {
		rows = append(rows, popup.AudienceRow{
			ID: r.ID, Version: r.Version, Key: r.Key, Rule: r.Rule, List: r.List, Members: r.Members, UpdatedAtMS: r.UpdatedAtMS, Actor: r.Actor,
		})
	}
	return rows, key
}
