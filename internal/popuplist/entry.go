package popuplist

import (
	"cmp"
	"encoding/json"
	"math"
	"strings"
	"time"

	"github.com/popupd/popupd/popup"
)

// Entry is what a list knows of a popup.
type Entry struct {
	ID, Version uint32
	UpdatedAtMS int64
	Key         string
	Status      popup.Status

	name             string // folded; the key if it is empty
	text             string // what is searched, folded
	tags, placements []string
	priority         int64
	startMS, endMS   int64 // open ends are the least and the greatest
}

// maxText bounds what is searched of one popup, in bytes.
const maxText = 4 << 10

// listed is what of a spec is listed.
type listed struct {
	Name       string       `json:"name"`
	Status     popup.Status `json:"status"`
	Priority   int64        `json:"priority"`
	Placements []string     `json:"placements"`
	Tags       []string     `json:"tags"`
	Schedule   struct {
		StartAt *time.Time `json:"start_at"`
		EndAt   *time.Time `json:"end_at"`
	} `json:"schedule"`
	Variants []struct {
		Content      titled            `json:"content"`
		Translations map[string]titled `json:"translations"`
	} `json:"variants"`
}

// titled is a content, whose title may be anything.
type titled struct {
	Title json.RawMessage `json:"title"`
}

// NewEntry returns the entry of a popup, of which the store has the spec as JSON and beside it
// the key and the status. Of a spec that is broken it takes what can be read.
func NewEntry(id, version uint32, updatedMS int64, key string, status popup.Status, spec []byte) *Entry {
	var s listed
	_ = json.Unmarshal(spec, &s) // it goes on behind a member of a wrong type
	e := &Entry{
		ID: id, Version: version, UpdatedAtMS: updatedMS, Key: key, Status: cmp.Or(s.Status, status),
		name: fold(cmp.Or(s.Name, key)), tags: s.Tags, placements: s.Placements, priority: s.Priority,
		startMS: math.MinInt64, endMS: math.MaxInt64,
	}
	if at := s.Schedule.StartAt; at != nil {
		e.startMS = at.UnixMilli()
	}
	if at := s.Schedule.EndAt; at != nil {
		e.endMS = at.UnixMilli()
	}
	e.text = fold(strings.Join(s.texts(key), "\n"))
	return e
}

// texts returns what is searched, as much as there is room for.
func (s *listed) texts(key string) []string {
	texts := append([]string{key, s.Name}, s.Tags...)
	room := maxText
	for _, t := range texts {
		room -= len(t)
	}
	add := func(c titled) {
		var title string
		if len(c.Title) <= room && json.Unmarshal(c.Title, &title) == nil {
			texts = append(texts, title)
			room -= len(title)
		}
	}
	for _, v := range s.Variants {
		add(v.Content)
		for _, c := range v.Translations {
			add(c)
		}
	}
	return texts
}

func (e *Entry) hasAll(words []string) bool {
	for _, w := range words {
		if !strings.Contains(e.text, w) {
			return false
		}
	}
	return true
}
