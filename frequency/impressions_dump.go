package frequency

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
)

// impressionSize is the size of an impression in a dump, in bytes.
const impressionSize = 17

// impressions returns how many there are.
func (t *Table) impressions() (n int) {
	for i := range t.shards {
		t.shards[i].mu.Lock()
		n += t.seen[i].used
		t.shards[i].mu.Unlock()
	}
	return n
}

// writeImpressions writes those of a dump. It buffers one shard in block, which it returns
// empty.
func (t *Table) writeImpressions(w io.Writer, block []byte) ([]byte, error) {
	le := binary.LittleEndian
	var total uint64
	for i := range t.shards {
		n := uint32(0)
		block = le.AppendUint32(block[:0], 0)
		t.shards[i].mu.Lock()
		for _, v := range t.seen[i].slots {
			if v.key != 0 {
				n++
				block = le.AppendUint64(block, uint64(i)<<hashBits|v.key>>flagBits)
				block = le.AppendUint32(block, uint32(v.times))
				block = le.AppendUint32(block, uint32(v.times>>32))
				block = append(block, byte(v.key&impressionMask))
			}
		}
		t.shards[i].mu.Unlock()
		if n == 0 {
			continue
		}
		total += uint64(n)
		le.PutUint32(block, n)
		if _, err := w.Write(block); err != nil {
			return nil, err
		}
	}
	block = le.AppendUint32(block[:0], 0)
	_, err := w.Write(le.AppendUint64(block, total))
	return block[:0], err
}

// readImpressions merges those of a dump that has been checked. It returns how many there
// were, and for how many there was no memory.
func (t *Table) readImpressions(r *bufio.Reader) (total, lost uint64, err error) {
	le := binary.LittleEndian
	var b [impressionSize]byte
	for {
		if _, err := io.ReadFull(r, b[:4]); err != nil {
			return 0, 0, err
		}
		count := le.Uint32(b[:])
		if count == 0 {
			break
		}
		for range count {
			if _, err := io.ReadFull(r, b[:]); err != nil {
				return 0, 0, err
			}
			hash := le.Uint64(b[:])
			if keyOf(hash) == 0 {
				return 0, 0, fmt.Errorf("%w: an impression of nobody", ErrDumpDamaged)
			}
			u := t.lockHash(hash)
			if !u.added(t.nowMS.Load(), t.maxBytes) {
				lost++
			} else if _, ok := u.note(le.Uint32(b[8:]), tick(le.Uint32(b[12:])), uint64(b[16])&impressionMask, t.nowMS.Load(), t.maxBytes); !ok {
				lost++
			}
			u.Unlock()
		}
		total += uint64(count)
	}
	if _, err := io.ReadFull(r, b[:8]); err != nil {
		return 0, 0, err
	}
	if want := le.Uint64(b[:]); total != want {
		return 0, 0, fmt.Errorf("%w: %d impressions, want %d", ErrDumpDamaged, total, want)
	}
	return total, lost, nil
}
