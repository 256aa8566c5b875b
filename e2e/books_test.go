//go:build linux

package e2e

import (
	"database/sql"
	"fmt"
	"strings"
)

// count is what clients know of a number in the statistics: things that must have been
// counted, by name, and things that may have been.
type count struct{ sure, maybe map[string]bool }

func (c *count) add(name string, sure bool) {
	if c.sure == nil {
		c.sure, c.maybe = make(map[string]bool), make(map[string]bool)
	}
	if sure {
		c.sure[name] = true
	} else {
		c.maybe[name] = true
	}
}

// bounds returns the least and the most that the number can be.
func (c *count) bounds() (least, most int) {
	least, most = len(c.sure), len(c.sure)
	for name := range c.maybe {
		if !c.sure[name] {
			most++
		}
	}
	return least, most
}

// bookColumns are the columns of popup_stats, in the order of books.
var bookColumns = []string{
	"impressions", "users", "clicks", "click_users", "converts", "convert_users", "dismisses", "views", "releases", "controls", "control_users",
}

// books are what the clients of a load know of the statistics, by popup and column.
type books map[uint32]map[string]*count

// columnOf names the columns of an action and of its users, which may be empty.
func columnOf(action string) (events, users string) {
	switch action {
	case "poll":
		return "impressions", "users"
	case "click":
		return "clicks", "click_users"
	case "convert":
		return "converts", "convert_users"
	case "dismiss":
		return "dismisses", ""
	}
	return action + "s", ""
}

// newBooks adds up attempts. Where the outcome of each is known and nobody was reset,
// each number but that of controls, which clients are not told of, is exact.
func newBooks(attempts []attempt, popups map[uint32]*popupSpec) books {
	o, b := newOrigins(attempts), make(books)
	for id := range popups {
		b[id] = make(map[string]*count)
		for _, column := range bookColumns {
			b[id][column] = new(count)
		}
	}
	user := func(popup uint32, column, name string, sure bool) {
		resets := len(o.resets[name])
		for n := range resets + 1 { // each time another user, and none if the reset was committed first
			b[popup][column].add(fmt.Sprint(name, "/", n), sure && resets == 0)
		}
	}
	converts := conversions(attempts)
	seen := make(map[userPopup]bool)
	for n := range attempts {
		a := &attempts[n]
		switch {
		case a.Action == "reset" || a.Outcome == refused || a.Outcome == void:
			continue
		case a.Action == "goal":
			for id := range popups { // of those that they were not shown, as far as clients know, they may have been a control
				sure := a.Outcome == acked && seen[userPopup{a.User, id}]
				user(id, "convert_users", a.User, sure)
				for n := range len(o.resets[a.User]) + 1 { // none after a conversion with the token
					b[id]["converts"].add(fmt.Sprint("goal ", a.User, "/", n), sure && len(o.resets[a.User]) == 0 && !converts[userPopup{a.User, id}])
				}
			}
			continue
		case a.Action == "poll" && a.Outcome == acked:
			seen[userPopup{a.User, a.Popup}] = true
		}
		events, users := columnOf(a.Action)
		if popups[a.Popup] != nil {
			sure := a.Outcome == acked
			b[a.Popup][events].add(fmt.Sprint(a.event()), sure && (a.Action == "poll" || o.resets[a.User] == nil))
			if users != "" {
				user(a.Popup, users, a.User, sure)
			}
		}
		for id, spec := range popups {
			if a.Action == "poll" && a.Outcome == unknown {
				b[id][events].add(fmt.Sprint("attempt ", n), false)
				user(id, users, a.User, false)
			}
			if a.Action == "poll" && spec.control {
				b[id]["controls"].add(fmt.Sprint("attempt ", n), false)
				user(id, "control_users", a.User, false)
			}
		}
	}
	return b
}

// conversions returns the users and popups of conversions with a token, also of those that
// may have been taken.
func conversions(attempts []attempt) map[userPopup]bool {
	all := make(map[userPopup]bool)
	for i := range attempts {
		if a := &attempts[i]; a.Action == "convert" && (a.Outcome == acked || a.Outcome == unknown) {
			all[userPopup{a.User, a.Popup}] = true
		}
	}
	return all
}

// compareStatistics holds popup_stats against the clients' books. Of what was declared
// lost any number may be too low.
func (h *history) compareStatistics(db *sql.DB, declared int) error {
	popups, err := h.popupsByID(db)
	if err != nil {
		return err
	}
	b := newBooks(h.since(0), popups)
	for id, spec := range popups {
		for _, column := range bookColumns {
			got, err := queryInt(db, "SELECT COALESCE(SUM("+column+"), 0) FROM popup_stats WHERE popup_id = ?", id)
			if err != nil {
				return err
			}
			least, most := b[id][column].bounds()
			if got < least-declared || got > most {
				return fmt.Errorf("%s: statistics say %d %s, the clients' books %d to %d", spec.key, got, strings.ReplaceAll(column, "_", " "), least, most)
			}
		}
	}
	return nil
}
