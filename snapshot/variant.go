package snapshot

import (
	"fmt"
	"strconv"

	"github.com/popupd/popupd/popup"
)

// Variant is one face of a popup, as it is sent. It is immutable.
type Variant struct {
	Key     []byte
	Control bool // counted, never shown

	until      uint64 // its weight and those of the variants before it
	head, tail []byte // of the response, around the placement
}

// AppendPopup appends the popup as it stands in a response:
//
//	{"id":7,"key":"spring-sale","version":3,"variant":"a","placement":"home","content":{…}}
//
// placement must be one that the popup fits, which needs no escaping. It allocates
// only if dst must grow.
func (v *Variant) AppendPopup(dst, placement []byte) []byte {
	dst = append(dst, v.head...)
	dst = append(dst, placement...)
	return append(dst, v.tail...)
}

// compileVariants leaves out the variants without a weight: nobody sees them.
func compileVariants(row *popup.Row, s *popup.Spec) ([]Variant, error) {
	var out []Variant
	until := uint64(0)
	for i := range s.Variants {
		from := &s.Variants[i]
		if from.Weight == 0 {
			continue
		}
		content, err := from.EncodeContent()
		if err != nil {
			return nil, fmt.Errorf("encode content of variant %s: %w", from.Key, err)
		}
		until += uint64(from.Weight)
		// Keys are of a-z, 0-9 and -: nothing to escape.
		head := `{"id":` + strconv.FormatUint(uint64(row.ID), 10) + `,"key":"` + s.Key + `","version":` +
			strconv.FormatUint(uint64(row.Version), 10) + `,"variant":"` + from.Key + `","placement":"`
		out = append(out, Variant{
			Key:     []byte(from.Key),
			Control: from.Control,
			until:   until,
			head:    []byte(head),
			tail:    []byte(`","content":` + string(content) + `}`),
		})
	}
	return out, nil
}

// Variant returns the variant that this user sees, always the same one for as
// long as the variants keep their weights. It does not allocate.
func (p *Popup) Variant(user []byte) *Variant {
	last := len(p.variants) - 1
	if last == 0 {
		return &p.variants[0]
	}
	ticket := p.variant.sum(user) % p.variants[last].until
	for i := range last {
		if ticket < p.variants[i].until {
			return &p.variants[i]
		}
	}
	return &p.variants[last]
}
