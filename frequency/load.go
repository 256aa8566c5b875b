package frequency

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"math/bits"
	"os"

	"github.com/popupd/popupd/popup"
)

// What makes a dump unusable.
var (
	ErrDumpDamaged = errors.New("the dump is damaged")
	ErrDumpVersion = errors.New("the dump was made by a newer version")
	ErrDumpKey     = errors.New("the dump was made with another key")
)

// What is returned beside the positions of a dump that does not say all that it should.
var (
	// ErrDumpTooBig: it was loaded only as far as the memory budget allowed.
	ErrDumpTooBig = errors.New("the dump does not fit the memory budget")
	// ErrDumpOfHeld: a table that is HeldOnly made it, and this one is not.
	ErrDumpOfHeld = errors.New("the dump is of the users whom a server held, not of all")
)

// Load merges the dump at path into the table and returns the positions in event
// streams that it covers, and its note, nil if it has none. If that dump can't be used, nothing of it is, and Load
// takes path.1. What can't be used is renamed to *.bad, or the next dumps would replace
// the one that can. The positions are nil if there was nothing to load; an error
// beside positions says what is wrong with a newer dump, or [ErrDumpTooBig] or [ErrDumpOfHeld].
// If there is no dump at all the error is [fs.ErrNotExist].
func (t *Table) Load(path string) (at map[popup.StreamID]uint64, note []byte, err error) {
	t.dumpMu.Lock()
	defer t.dumpMu.Unlock()
	var partial error
	file := dumpFile(path)
	loaded, err := file.Load(func(f *os.File) (err error) {
		at, note, err = t.loadDump(f)
		if errors.Is(err, ErrDumpTooBig) || errors.Is(err, ErrDumpOfHeld) {
			partial, err = err, nil
		}
		return err
	})
	if err == nil && loaded != path {
		err = fmt.Errorf("%s: %w", path, fs.ErrNotExist)
	}
	if err = errors.Join(err, partial); err != nil {
		return at, note, fmt.Errorf("load state: %w", err)
	}
	return at, note, nil
}

// loadDump reads one file twice: not an entry is taken before the checksum
// of all of them is known to be right.
func (t *Table) loadDump(f *os.File) (map[popup.StreamID]uint64, []byte, error) {
	if err := t.checkDump(f); err != nil {
		return nil, nil, err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return nil, nil, err
	}
	return t.readDump(bufio.NewReaderSize(f, 256<<10))
}

// checkDump says whether the file is a whole dump of this version and key.
func (t *Table) checkDump(f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if info.Size() < dumpHeader+dumpTrailer {
		return fmt.Errorf("%w: %d bytes", ErrDumpDamaged, info.Size())
	}
	le := binary.LittleEndian
	var header [dumpHeader]byte
	if _, err := io.ReadFull(f, header[:]); err != nil {
		return err
	}
	if string(header[:8]) != dumpMagic {
		return fmt.Errorf("%w: it does not start like a dump", ErrDumpDamaged)
	}
	crc := crc32.New(castagnoli)
	crc.Write(header[:])
	if _, err := io.Copy(crc, io.LimitReader(f, info.Size()-dumpHeader-4)); err != nil {
		return err
	}
	var sum [4]byte
	if _, err := io.ReadFull(f, sum[:]); err != nil {
		return err
	}
	if le.Uint32(sum[:]) != crc.Sum32() {
		return fmt.Errorf("%w: wrong checksum", ErrDumpDamaged)
	}
	if v := le.Uint32(header[8:]); v < 1 || v > dumpVersion {
		return fmt.Errorf("%w: %d", ErrDumpVersion, v)
	}
	if le.Uint64(header[16:]) != t.keyCheck() {
		return ErrDumpKey
	}
	return nil
}

// readDump merges a dump that has been checked.
func (t *Table) readDump(r *bufio.Reader) (at map[popup.StreamID]uint64, note []byte, err error) {
	le := binary.LittleEndian
	var b [entrySize]byte
	if _, err := io.ReadFull(r, b[:dumpHeader]); err != nil {
		return nil, nil, err
	}
	version, positions := le.Uint32(b[8:]), le.Uint32(b[12:])
	size := entrySize
	if version == 1 {
		size = entrySizeV1
	}
	at = make(map[popup.StreamID]uint64)
	for range positions {
		if _, err := io.ReadFull(r, b[:dumpPosition]); err != nil {
			return nil, nil, err
		}
		at[popup.StreamID(b[:16])] = le.Uint64(b[16:])
	}
	var total, lost uint64
	var block []entry
	for {
		if _, err := io.ReadFull(r, b[:4]); err != nil {
			return nil, nil, err
		}
		count := le.Uint32(b[:])
		if count == 0 {
			break
		}
		block = block[:0]
		for range count {
			if _, err := io.ReadFull(r, b[:size]); err != nil {
				return nil, nil, err
			}
			var e entry
			e.decode(&b)
			if version == 1 {
				s := e.state()
				s.Upgrade()
				e = quantize(e.hash, e.popup, &s)
			}
			if e.hash == 0 {
				return nil, nil, fmt.Errorf("%w: an entry of nobody", ErrDumpDamaged)
			}
			block = append(block, e)
		}
		total += uint64(count)
		lost += t.mergeBlock(block)
	}
	if _, err := io.ReadFull(r, b[:8]); err != nil {
		return nil, nil, err
	}
	if want := le.Uint64(b[:]); total != want {
		return nil, nil, fmt.Errorf("%w: %d entries, want %d", ErrDumpDamaged, total, want)
	}
	if version >= dumpSeen {
		n, out, err := t.readImpressions(r)
		if err != nil {
			return nil, nil, err
		}
		total, lost = total+n, lost+out
	}
	if lost > 0 {
		if t.holds != nil {
			t.Unhold() // whose entries were left out is not known
		}
		return at, nil, fmt.Errorf("%w: %d of %d entries left out", ErrDumpTooBig, lost, total)
	}
	if version == dumpVersion && t.holds == nil {
		return at, nil, ErrDumpOfHeld
	}
	note, err = readNote(r)
	return at, note, err
}

// readNote reads the note that may stand before the checksum.
func readNote(r *bufio.Reader) ([]byte, error) {
	rest, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	if len(rest) < 8 {
		return nil, nil
	}
	if n := int(binary.LittleEndian.Uint32(rest)); n != len(rest)-8 {
		return nil, fmt.Errorf("%w: a note of %d bytes where %d are", ErrDumpDamaged, n, len(rest)-8)
	}
	return rest[4 : len(rest)-4], nil
}

// mergeBlock adds entries of a dump and returns for how many there was no memory.
// They are sorted like the shard: added from first to last, they would all crowd
// into its front while it grows, each behind a longer run. Counting with the bits
// reversed spreads them at any time.
func (t *Table) mergeBlock(entries []entry) (lost uint64) {
	width := bits.Len(uint(len(entries)))
	for n := range uint64(1) << width {
		i := bits.Reverse64(n) >> (64 - width)
		if i >= uint64(len(entries)) {
			continue
		}
		e := &entries[i]
		u := t.lockHash(e.hash)
		if e.popup == heldID {
			if t.holds != nil && !u.hold(t.Era()) {
				lost++
			}
		} else if !u.merge(e.popup, e.state(), t.nowMS.Load(), t.maxBytes) {
			lost++
		}
		u.Unlock()
		if e.popup == resetID {
			t.tellReset(e.hash, e.served.ms())
		}
	}
	return lost
}
