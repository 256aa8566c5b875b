package userstate

import "slices"

// heard is what is known of one stream.
type heard struct {
	seq    uint64 // everything up to it
	ahead  []span // and these events, behind holes, ascending
	lately bool   // since the latest restore
	moved  uint64 // the greatest number since the latest call of endEpoch, with heldOnly; 0: none
	dumped uint64 // likewise, of what the dump had that was loaded, until the lists are read
}

// waits returns up to where not all may be committed that came since the latest call of endEpoch.
func (h *heard) waits() uint64 { return max(h.moved, h.dumped) }

// span is the events from one to another.
type span struct{ from, to uint64 }

// maxAhead is how many spans are told apart behind holes: more than there are while a list is
// read from its end, page by page.
const maxAhead = 8

// add says that the events from first to last are known. Of too many spans the first is known
// no more.
func (h *heard) add(first, last uint64) {
	if first <= h.seq+1 {
		h.reach(last)
		return
	}
	begin := 0
	for begin < len(h.ahead) && h.ahead[begin].to+1 < first {
		begin++
	}
	end := begin
	for ; end < len(h.ahead) && h.ahead[end].from <= last+1; end++ {
		first, last = min(first, h.ahead[end].from), max(last, h.ahead[end].to)
	}
	h.ahead = slices.Replace(h.ahead, begin, end, span{first, last})
	if len(h.ahead) > maxAhead {
		h.ahead = slices.Delete(h.ahead, 0, 1)
	}
}

// reach says that everything up to seq is known.
func (h *heard) reach(seq uint64) {
	h.seq = max(h.seq, seq)
	for len(h.ahead) > 0 && h.ahead[0].from <= h.seq+1 {
		h.seq = max(h.seq, h.ahead[0].to)
		h.ahead = slices.Delete(h.ahead, 0, 1)
	}
}
