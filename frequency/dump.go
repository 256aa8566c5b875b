package frequency

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"slices"

	"github.com/popupd/popupd/internal/durable"
	"github.com/popupd/popupd/internal/failpoint"
	"github.com/popupd/popupd/internal/siphash"
	"github.com/popupd/popupd/popup"
)

const (
	dumpMagic    = "popupdFT"
	dumpVersion  = 4 // with users that are held; without, which earlier releases can read,
	dumpSeen     = 3 // with impressions; and without them, too,
	dumpPlain    = 2
	dumpHeader   = 24
	dumpPosition = 16 + 8
	dumpTrailer  = 4 + 8 + 4
)

// castagnoli computes the CRC-32C that dumps and journal frames carry.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// keyCheck tells whether a dump was made under the table's key, without telling the key.
func (t *Table) keyCheck() uint64 { return siphash.Sum64(t.k0, t.k1, []byte("popupd state dump")) }

// dumpFile is the dump at path and the one before it.
func dumpFile(path string) durable.File {
	f := durable.File{
		Path:     path,
		Unusable: []error{ErrDumpDamaged, ErrDumpVersion, ErrDumpKey},
	}
	if failpoint.Enabled {
		f.Reached = func(s durable.Step) {
			switch s {
			case durable.Written:
				failpoint.Reach(failpoint.DumpFileWritten)
			case durable.Kept:
				failpoint.Reach(failpoint.DumpOldRenamed)
			case durable.Renamed:
				failpoint.Reach(failpoint.DumpFileRenamed)
			}
		}
	}
	return f
}

// Dump writes the table and the positions in event streams that it covers to
// path; the dump that was there becomes path.1. It returns once the file and
// its name are on disk. The table stays in use: each shard is locked while it is
// copied, so take the positions before. note, if there is one, is called after that,
// and what it returns is kept for whoever loads the dump.
func (t *Table) Dump(path string, at map[popup.StreamID]uint64, note func() []byte) error {
	t.dumpMu.Lock()
	defer t.dumpMu.Unlock()
	t.dumping.Store(true) // who is held must not be without impressions, which come last
	defer t.dumping.Store(false)
	file := dumpFile(path)
	if err := file.Replace(func(w io.Writer) error { return t.writeDump(w, at, note) }); err != nil {
		return fmt.Errorf("dump state to %s: %w", path, err)
	}
	return nil
}

// DumpRoom returns how many bytes of disk dumps to path may take more than they do:
// until one has replaced another there are three of them.
func (t *Table) DumpRoom(path string) int64 {
	size := dumpHeader + int64(t.entries()+t.HeldUsers())*entrySize + int64(len(t.shards))*4 + dumpTrailer
	if t.keep.Load() != nil {
		size += int64(t.impressions())*impressionSize + int64(len(t.shards))*4 + 4 + 8
	}
	room := 3 * size
	file := dumpFile(path)
	for _, name := range []string{file.Path, file.Older()} {
		if info, err := os.Stat(name); err == nil {
			room -= min(info.Size(), size)
		}
	}
	return room
}

// writeDump writes a dump to f. It buffers one shard.
func (t *Table) writeDump(f io.Writer, at map[popup.StreamID]uint64, note func() []byte) error {
	crc := crc32.New(castagnoli)
	w := io.MultiWriter(f, crc)
	version := uint32(dumpPlain)
	switch {
	case t.holds != nil:
		version = dumpVersion
	case t.keep.Load() != nil:
		version = dumpSeen
	}
	if _, err := w.Write(t.appendDumpHeader(nil, version, at)); err != nil {
		return err
	}
	le := binary.LittleEndian
	var total uint64
	var entries []entry
	var block []byte
	for i := range t.shards {
		entries = t.snapshot(entries[:0], i)
		if len(entries) == 0 {
			continue
		}
		total += uint64(len(entries))
		block = le.AppendUint32(block[:0], uint32(len(entries)))
		for j := range entries {
			block = entries[j].append(block)
		}
		if _, err := w.Write(block); err != nil {
			return err
		}
	}
	block = le.AppendUint32(block[:0], 0)
	block = le.AppendUint64(block, total)
	if version >= dumpSeen {
		if _, err := w.Write(block); err != nil {
			return err
		}
		var err error
		if block, err = t.writeImpressions(w, block); err != nil {
			return err
		}
	}
	if note != nil {
		if text := note(); len(text) > 0 {
			block = le.AppendUint32(block, uint32(len(text)))
			block = append(block, text...)
		}
	}
	if _, err := w.Write(block); err != nil {
		return err
	}
	_, err := f.Write(le.AppendUint32(nil, crc.Sum32()))
	return err
}

func (t *Table) appendDumpHeader(dst []byte, version uint32, at map[popup.StreamID]uint64) []byte {
	le := binary.LittleEndian
	dst = append(dst, dumpMagic...)
	dst = le.AppendUint32(dst, version)
	dst = le.AppendUint32(dst, uint32(len(at)))
	dst = le.AppendUint64(dst, t.keyCheck())
	streams := make([]popup.StreamID, 0, len(at))
	for id := range at {
		streams = append(streams, id)
	}
	slices.SortFunc(streams, func(a, b popup.StreamID) int { return bytes.Compare(a[:], b[:]) })
	for _, id := range streams {
		dst = append(dst, id[:]...)
		dst = le.AppendUint64(dst, at[id])
	}
	return dst
}

// snapshot appends a shard's entries, in order, and then one for each of its users who is held.
func (t *Table) snapshot(dst []entry, shard int) []entry {
	s, high := &t.shards[shard], uint64(shard)<<hashBits
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.slots {
		if k := s.slots[i].key; k != 0 && k&isTail == 0 {
			dst = append(dst, s.unpack(i, high|k>>flagBits))
		}
	}
	if t.holds == nil {
		return dst
	}
	for i := range t.holds[shard].slots {
		if v := &t.holds[shard].slots[i]; v.key != 0 && t.isHeld(v) {
			dst = append(dst, entry{hash: high | v.key>>flagBits, popup: heldID})
		}
	}
	return dst
}

func (e *entry) append(dst []byte) []byte {
	le := binary.LittleEndian
	dst = le.AppendUint64(dst, e.hash)
	dst = le.AppendUint32(dst, e.popup)
	dst = le.AppendUint32(dst, uint32(e.served))
	dst = le.AppendUint32(dst, uint32(e.at))
	dst = le.AppendUint32(dst, uint32(e.clickUntil))
	dst = le.AppendUint32(dst, uint32(e.next))
	dst = le.AppendUint16(dst, e.impressions)
	dst = append(dst, e.acted, byte(e.last))
	return le.AppendUint32(dst, uint32(e.shown))
}

// decode is the reverse of append. An entry of version 1 has the first
// entrySizeV1 bytes.
func (e *entry) decode(src *[entrySize]byte) {
	le := binary.LittleEndian
	*e = entry{
		hash:        le.Uint64(src[0:]),
		popup:       le.Uint32(src[8:]),
		served:      tick(le.Uint32(src[12:])),
		at:          tick(le.Uint32(src[16:])),
		clickUntil:  tick(le.Uint32(src[20:])),
		next:        tick(le.Uint32(src[24:])),
		impressions: le.Uint16(src[28:]),
		acted:       src[30],
		last:        popup.Action(src[31]),
		shown:       tick(le.Uint32(src[32:])),
	}
}
