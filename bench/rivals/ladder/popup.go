package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// spec is the part of a popup's JSON that this server knows.
type spec struct {
	Key        string   `json:"key"`
	Status     string   `json:"status"`
	Priority   int      `json:"priority"`
	Placements []string `json:"placements"`
	Targeting  struct {
		All []struct {
			Attr  string          `json:"attr"`
			Op    string          `json:"op"`
			Value json.RawMessage `json:"value"`
		} `json:"all"`
	} `json:"targeting"`
	Frequency struct {
		AfterImpressionSec *int64 `json:"after_impression_sec"`
	} `json:"frequency"`
	Variants []struct {
		Key     string          `json:"key"`
		Content json.RawMessage `json:"content"`
	} `json:"variants"`
}

// popup is a row of the table popup: conditions as columns, and the answer as
// far as it is the same for all users.
type popup struct {
	id         uint32
	priority   int
	placements string // separated by commas
	platforms  string // likewise
	minVersion uint32
	waitMS     int64  // from an impression to the next
	variant    string // of which there is one
	head, tail []byte // the answer up to its placement, and from there to its token
}

// request is who asks.
type request struct {
	user, placement, platform string
	version                   uint32
}

// newPopup turns a popup's JSON into its row. What this server does not know is
// an error: a popup may not fit more users here than it does in popupd.
func newPopup(id uint32, s spec) (popup, error) {
	p := popup{
		id: id, priority: s.Priority, placements: strings.Join(s.Placements, ","), waitMS: 86_400_000,
	}
	if s.Status != "active" || len(s.Placements) == 0 || len(s.Variants) != 1 {
		return p, fmt.Errorf("popup %s: want an active one with placements and one variant", s.Key)
	}
	if s.Frequency.AfterImpressionSec != nil {
		p.waitMS = *s.Frequency.AfterImpressionSec * 1000
	}
	for _, c := range s.Targeting.All {
		switch {
		case c.Attr == "platform" && c.Op == "in":
			var in []string
			if err := json.Unmarshal(c.Value, &in); err != nil {
				return p, fmt.Errorf("popup %s: %w", s.Key, err)
			}
			p.platforms = strings.Join(in, ",")
		case c.Attr == "app_version" && c.Op == "semver_gte":
			var v string
			err := json.Unmarshal(c.Value, &v)
			if err == nil {
				p.minVersion, err = parseVersion(v)
			}
			if err != nil {
				return p, fmt.Errorf("popup %s: %w", s.Key, err)
			}
		default:
			return p, fmt.Errorf("popup %s: condition %s %s is not known here", s.Key, c.Attr, c.Op)
		}
	}
	if p.platforms == "" {
		return p, fmt.Errorf("popup %s: want a condition on the platform", s.Key)
	}
	p.variant = s.Variants[0].Key
	p.head = fmt.Appendf(nil, `{"popup":{"id":%d,"key":%q,"version":1,"variant":%q,"placement":"`, id, s.Key, p.variant)
	p.tail = fmt.Appendf(nil, `","content":%s},"token":"`, s.Variants[0].Content)
	return p, nil
}

// fits says in Go what the query of database.due says in SQL.
func (p *popup) fits(r *request) bool {
	return p.minVersion <= r.version && inList(p.platforms, r.platform) && inList(p.placements, r.placement)
}

func inList(list, s string) bool {
	for list != "" {
		var item string
		if item, list, _ = strings.Cut(list, ","); item == s {
			return true
		}
	}
	return false
}

// parseVersion reads MAJOR.MINOR.PATCH into one number that compares as they
// do; each is below 1,000.
func parseVersion(s string) (uint32, error) {
	parts := strings.Split(s, ".")
	var v uint32
	for _, part := range parts {
		n, err := strconv.ParseUint(part, 10, 32)
		if err != nil || n > 999 || len(parts) != 3 {
			return 0, fmt.Errorf("version %q: want MAJOR.MINOR.PATCH", s)
		}
		v = v*1000 + uint32(n)
	}
	return v, nil
}

// byPriority sorts as popups are shown: the highest priority first, then the
// lowest id.
func byPriority(popups []popup) {
	slices.SortFunc(popups, func(a, b popup) int {
		if a.priority != b.priority {
			return b.priority - a.priority
		}
		return int(a.id) - int(b.id)
	})
}
