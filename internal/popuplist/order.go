package popuplist

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// Order is in which order popups come. The zero value is by id: as they were created.
type Order struct {
	By   By
	Down bool // the greatest first
}

// By is what popups are ordered by, and after that by their ids.
type By string

// What popups may be ordered by.
const (
	ByID        By = ""
	ByKey       By = "key"
	ByName      By = "name" // in any letter case, the key where there is none
	ByPriority  By = "priority"
	ByStart     By = "start_at" // open ends first
	ByEnd       By = "end_at"   // open ends last
	ByUpdatedAt By = "updated_at"
)

// ParseOrder reads the name of an order: "priority", or "-priority" for the greatest first.
func ParseOrder(name string) (o Order, ok bool) {
	by, down := strings.CutPrefix(name, "-")
	o = Order{By(by), down}
	if by == "id" {
		o.By = ByID
	}
	known := []By{ByKey, ByName, ByPriority, ByStart, ByEnd, ByUpdatedAt}
	return o, name == "" || by == "id" || slices.Contains(known, o.By)
}

// String returns the name that [ParseOrder] reads.
func (o Order) String() string {
	name := cmp.Or(string(o.By), "id")
	if o.Down {
		return "-" + name
	}
	return name
}

// Place is where in an order a popup stands.
type Place struct {
	ID     uint32
	Number int64  // what it is ordered by, if that is a number or a time
	Text   string // or if it is a text
}

func (o Order) placeOf(e *Entry) Place {
	p := Place{ID: e.ID}
	switch o.By {
	case ByID:
	case ByKey:
		p.Text = e.Key
	case ByName:
		p.Text = e.name
	case ByPriority:
		p.Number = e.priority
	case ByStart:
		p.Number = e.startMS
	case ByEnd:
		p.Number = e.endMS
	case ByUpdatedAt:
		p.Number = e.UpdatedAtMS
	}
	return p
}

func (o Order) compare(a, b Place) int {
	c := cmp.Or(cmp.Compare(a.Number, b.Number), strings.Compare(a.Text, b.Text), cmp.Compare(a.ID, b.ID))
	if o.Down {
		return -c
	}
	return c
}

// Encode returns the order and a place in it as text, of which [DecodePlace] makes them again.
func (p Place) Encode(o Order) string {
	return o.String() + ":" + strconv.FormatUint(uint64(p.ID), 10) + ":" + strconv.FormatInt(p.Number, 10) + ":" + p.Text
}

// DecodePlace reads what [Place.Encode] wrote; ok is false for anything else.
func DecodePlace(text string) (p Place, o Order, ok bool) {
	parts := strings.SplitN(text, ":", 4)
	if len(parts) != 4 || parts[0] == "" {
		return Place{}, Order{}, false
	}
	id, idErr := strconv.ParseUint(parts[1], 10, 32)
	number, numberErr := strconv.ParseInt(parts[2], 10, 64)
	p = Place{ID: uint32(id), Number: number, Text: parts[3]}
	o, ok = ParseOrder(parts[0])
	return p, o, ok && idErr == nil && numberErr == nil && id > 0 && p.Encode(o) == text
}
