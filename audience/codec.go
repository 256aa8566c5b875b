package audience

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
)

// A set is stored as a header, the fingerprints in ascending order and a checksum, all
// little-endian:
//
//	magic "popupd list\n", version (4 bytes), members (8), CRC-32C of the header so far (4)
//	fingerprints (8 each)
//	CRC-32C of the fingerprints (4)
//
// The header has a checksum of its own, so that nothing is allocated for a length that
// is not one.
const (
	magic      = "popupd list\n"
	version    = 1
	headerSize = len(magic) + 4 + 8 + 4
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// ErrDamaged means that bytes are not a whole set as [Set.WriteTo] writes it.
var ErrDamaged = errors.New("not a whole list of users")

// ErrNewer means that a set was written by a newer release.
var ErrNewer = errors.New("the list of users is of a newer format")

// WriteTo writes the set as [Read] reads it.
func (s *Set) WriteTo(w io.Writer) (int64, error) {
	out := bufio.NewWriterSize(w, 64<<10)
	_, _ = out.Write(appendHeader(nil, version, len(s.sorted))) // Flush returns the first error
	var sum uint32
	var b [8]byte
	for _, f := range s.sorted {
		binary.LittleEndian.PutUint64(b[:], f)
		sum = crc32.Update(sum, castagnoli, b[:])
		_, _ = out.Write(b[:])
	}
	_, _ = out.Write(binary.LittleEndian.AppendUint32(nil, sum))
	if err := out.Flush(); err != nil {
		return 0, fmt.Errorf("write list of users: %w", err)
	}
	return int64(headerSize + 8*len(s.sorted) + 4), nil
}

func appendHeader(dst []byte, version uint32, members int) []byte {
	begin := len(dst)
	dst = binary.LittleEndian.AppendUint32(append(dst, magic...), version)
	dst = binary.LittleEndian.AppendUint64(dst, uint64(members))
	return binary.LittleEndian.AppendUint32(dst, crc32.Checksum(dst[begin:], castagnoli))
}

// Read reads a set; of r it may read more than that. It returns [ErrDamaged] or
// [ErrNewer] for bytes that are none, and the error of r.
func Read(r io.Reader) (*Set, error) {
	s, err := read(bufio.NewReaderSize(r, 64<<10))
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = fmt.Errorf("%w: it ends early", ErrDamaged)
	}
	if err != nil {
		return nil, fmt.Errorf("read list of users: %w", err)
	}
	return s, nil
}

func read(r *bufio.Reader) (*Set, error) {
	header := make([]byte, headerSize)
	if _, err := io.ReadFull(r, header); err != nil {
		return nil, err
	}
	sum := binary.LittleEndian.Uint32(header[headerSize-4:])
	if string(header[:len(magic)]) != magic || crc32.Checksum(header[:headerSize-4], castagnoli) != sum {
		return nil, fmt.Errorf("%w: the header is damaged", ErrDamaged)
	}
	if v := binary.LittleEndian.Uint32(header[len(magic):]); v != version {
		return nil, fmt.Errorf("%w: %d, this release knows %d", ErrNewer, v, version)
	}
	n := binary.LittleEndian.Uint64(header[len(magic)+4:])
	if n > MaxMembers {
		return nil, fmt.Errorf("%w: %d members", ErrDamaged, n)
	}
	s := &Set{sorted: make([]uint64, n)}
	sum = 0
	var b [8]byte
	for i := range s.sorted {
		if _, err := io.ReadFull(r, b[:]); err != nil {
			return nil, err
		}
		sum = crc32.Update(sum, castagnoli, b[:])
		s.sorted[i] = binary.LittleEndian.Uint64(b[:])
		if i > 0 && s.sorted[i] <= s.sorted[i-1] {
			return nil, fmt.Errorf("%w: member %d is out of order", ErrDamaged, i)
		}
	}
	if _, err := io.ReadFull(r, b[:4]); err != nil {
		return nil, err
	}
	if binary.LittleEndian.Uint32(b[:4]) != sum {
		return nil, fmt.Errorf("%w: the checksum differs", ErrDamaged)
	}
	return s, nil
}
