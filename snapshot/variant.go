package snapshot

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"

	"github.com/popupd/popupd/popup"
)

// Variant is one face of a popup, as it is sent. It is immutable.
type Variant struct {
	Key     []byte
	Control bool // counted, never shown

	draw       stickyHash
	weight     uint64 // above 0
	head, tail []byte // of the response, around the placement

	translations map[popup.Locale][]byte // their tails; nil: there are none
}

// AppendPopup appends the popup as it stands in a response:
//
//	{"id":7,"key":"spring-sale","version":3,"variant":"a","placement":"home","content":{…},"locale":"zh-Hans"}
//
// The locale is that of the translation which fits the user's; without one the content
// is the variant's own. placement must be one that the popup fits, which needs no
// escaping. It allocates only if dst must grow.
func (v *Variant) AppendPopup(dst, placement, locale []byte) []byte {
	dst = append(dst, v.head...)
	dst = append(dst, placement...)
	if v.translations != nil {
		return append(dst, v.translated(locale)...)
	}
	return append(dst, v.tail...)
}

// translated returns the tail of the translation for a user's locale: the first there is
// for the locale itself, its parent, and so on (RFC 4647, 3.4). It is the variant's own if
// there is none.
func (v *Variant) translated(locale []byte) []byte {
	for l, ok := popup.ParseLocale(locale); ok; l, ok = l.Parent() {
		if tail, found := v.translations[l]; found {
			return tail
		}
	}
	return v.tail
}

// compileVariants leaves out the variants without a weight: nobody sees them. The
// others are sorted by key, so that their order in the popup does not matter.
func compileVariants(row *popup.Row, s *popup.Spec) ([]Variant, error) {
	var out []Variant
	var most [1 << 10]byte // of most tails, on the stack
	for i := range s.Variants {
		from := &s.Variants[i]
		if from.Weight == 0 {
			continue
		}
		tail, err := from.AppendContent(append(most[:0], `","content":`...))
		if err != nil {
			return nil, fmt.Errorf("encode content of variant %s: %w", from.Key, err)
		}
		// Keys are of a-z, 0-9 and -: nothing to escape.
		head := `{"id":` + strconv.FormatUint(uint64(row.ID), 10) + `,"key":"` + s.Key + `","version":` +
			strconv.FormatUint(uint64(row.Version), 10) + `,"variant":"` + from.Key + `","placement":"`
		out = append(out, Variant{
			Key:     []byte(from.Key),
			Control: from.Control,
			draw:    newStickyHash(purposeVariant, s.Key+"\x00"+from.Key),
			weight:  uint64(from.Weight),
			head:    []byte(head),
			tail:    slices.Clone(append(tail, '}')),
		})
		if out[len(out)-1].translations, err = compileTranslations(from); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(out, func(a, b Variant) int { return bytes.Compare(a.Key, b.Key) })
	return out, nil
}

// NewPreview compiles the only variant of a popup that need not be in any snapshot, nor
// be stored at all: then its id or version is 0.
func NewPreview(id, version uint32, s *popup.Spec) (*Variant, error) {
	variants, err := compileVariants(&popup.Row{ID: id, Version: version}, s)
	if err != nil {
		return nil, err
	}
	if len(variants) != 1 {
		return nil, fmt.Errorf("%d variants with a weight, want 1", len(variants))
	}
	return &variants[0], nil
}

// compileTranslations returns the tails of the answers in other languages.
func compileTranslations(v *popup.Variant) (tails map[popup.Locale][]byte, err error) {
	if len(v.Translations) == 0 {
		return nil, nil
	}
	tails = make(map[popup.Locale][]byte, len(v.Translations))
	var most [1 << 10]byte // of most tails, on the stack
	for tag := range v.Translations {
		tail, err := v.AppendTranslation(append(most[:0], `","content":`...), tag)
		if err != nil {
			return nil, fmt.Errorf("encode translation %s of variant %s: %w", tag, v.Key, err)
		}
		locale, _ := popup.ParseLocale([]byte(tag))
		tails[locale] = slices.Clone(append(tail, `,"locale":"`+tag+`"}`...)) // a valid tag needs no escaping
	}
	return tails, nil
}

// Variant returns the variant that this user sees: of all variants the one with the
// least distance divided by its weight, the first one by key if two have the same.
// It does not allocate.
func (p *Popup) Variant(user []byte) *Variant {
	best := &p.variants[0]
	if len(p.variants) == 1 {
		return best
	}
	least := best.distance(user)
	for i := 1; i < len(p.variants); i++ {
		v := &p.variants[i]
		// Distances have 39 bits and weights 20: the products fit.
		if distance := v.distance(user); distance*best.weight < least*v.weight {
			best, least = v, distance
		}
	}
	return best
}

// distance is exponentially distributed among the users, independently for each
// variant. Of such distances divided by weights, the share that is least is the
// weight's, and it depends on no other variant which of two is less.
func (v *Variant) distance(user []byte) uint64 { return negLog2(v.draw.sum(user)) }
