package snapshot

import (
	"fmt"
	"strconv"
	"time"

	"github.com/cespare/xxhash/v2"

	"github.com/popupd/popupd/popup"
)

// Popup is a compiled popup. It is immutable.
type Popup struct {
	ID, Version uint32
	Key         string
	Status      popup.Status
	Priority    int
	Frequency   popup.Frequency
	GoalWindow  time.Duration // how long after an exposure its goal counts; 0: it has none
	Ignored     []string      // pointers of members of the row's spec that this version does not know

	trigger      string
	goal         string // name of the event that is its goal; empty: none
	placements   []string
	schedule     schedule
	targeting    targeting
	rolloutShare uint64 // users in the rollout, of rolloutSteps
	rollout      stickyHash
	variant      stickyHash
	variants     []Variant // those with a weight
	row          popup.Row // what it was compiled from
}

// Row returns the row that the popup was compiled from. Its Spec must not be changed.
func (p *Popup) Row() popup.Row { return p.row }

// Gate returns the first gate that stops the popup from being shown in a placement
// to whoever asks, at nowMS: status, schedule, placement, trigger, targeting or rollout.
// [popup.Eligible] if none does. It does not allocate. [Snapshot.Match] finds
// the same for many popups in a fraction of the time.
func (p *Popup) Gate(r *popup.Request, placement []byte, nowMS int64) popup.Reason {
	if p.Status != popup.Active {
		return popup.NotActive
	}
	if reason := p.schedule.gate(nowMS); reason != popup.Eligible {
		return reason
	}
	switch {
	case !p.isPlaced(placement):
		return popup.WrongPlacement
	case string(r.TriggerName()) != p.trigger:
		return popup.WrongTrigger
	case !p.targeting.match(r):
		return popup.NotTargeted
	case !p.inRollout(r.User):
		return popup.NotInRollout
	}
	return popup.Eligible
}

// IsOver reports whether the popup is to leave the screen, too: it is not active, or
// has ended. Outside its hours it may stay there.
func (p *Popup) IsOver(nowMS int64) bool {
	return p.Status != popup.Active || nowMS >= p.schedule.endMS
}

// inRollout reports whether the user is in the rollout.
func (p *Popup) inRollout(user []byte) bool {
	return p.rolloutShare >= rolloutSteps || p.rollout.sum(user)%rolloutSteps < p.rolloutShare
}

func (p *Popup) isPlaced(placement []byte) bool {
	for _, known := range p.placements {
		if known == string(placement) {
			return true
		}
	}
	return false
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

// The purposes of the published hash, see the package comment. Changing any of
// this moves users in and out of rollouts and between variants.
const (
	purposeRollout = "rollout"
	purposeVariant = "variant"

	rolloutSteps = 10_000
)

// stickyHash is the published hash for one purpose and salt.
type stickyHash struct{ prefix xxhash.Digest }

func newStickyHash(purpose, salt string) stickyHash {
	var l stickyHash
	l.prefix.Reset()
	// A Digest accepts everything and never returns an error.
	l.prefix.WriteString(purpose + "\x00" + salt + "\x00")
	return l
}

func (l *stickyHash) sum(user []byte) uint64 {
	d := l.prefix
	d.Write(user)
	return d.Sum64()
}
