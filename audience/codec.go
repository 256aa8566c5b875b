package audience

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
)

// A set is stored as it is in memory: a header, the blocks, the remainders and a checksum,
// numbers little-endian:
//
//	magic "popupd list\n", version (4 bytes), members (8), CRC-32C of the header so far (4)
//	blocks: first (4), ends (28); members/81+1 of them
//	remainders (4 each)
//	CRC-32C of the blocks and the remainders (4)
//
// The header has a checksum of its own, so that nothing is allocated for a number of members
// that is none.
const (
	magic      = "popupd list\n"
	version    = 1
	headerSize = len(magic) + 4 + 8 + 4
	blockSize  = 4 + 1 + bucketsPerBlock
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// What bytes may be refused for: they are not a whole set as [Set.WriteTo] writes it, or
// they are one of a newer release.
var (
	ErrDamaged = errors.New("not a whole list of users")
	ErrNewer   = errors.New("the list of users is of a newer format")
)

// WriteTo writes the set as [Read] reads it.
func (s *Set) WriteTo(w io.Writer) (int64, error) {
	out := &summed{to: w}
	out.write(appendHeader(nil, version, s.members))
	out.sum = 0
	buf := make([]byte, 0, pieceSize)
	for i := range s.blocks {
		if len(buf)+blockSize > cap(buf) {
			buf = out.write(buf)
		}
		buf = binary.LittleEndian.AppendUint32(buf, s.blocks[i].first)
		buf = append(buf, s.blocks[i].ends[:]...)
	}
	for _, r := range s.remainders[:s.members] {
		if len(buf)+4 > cap(buf) {
			buf = out.write(buf)
		}
		buf = binary.LittleEndian.AppendUint32(buf, r)
	}
	buf = out.write(buf)
	out.write(binary.LittleEndian.AppendUint32(buf, out.sum))
	if out.err != nil {
		return out.n, fmt.Errorf("write list of users: %w", out.err)
	}
	return out.n, nil
}

// pieceSize is how much is written and read at a time.
const pieceSize = 64 << 10

// summed writes until the first error, and keeps the checksum.
type summed struct {
	to  io.Writer
	n   int64
	sum uint32
	err error
}

// write returns the slice emptied.
func (s *summed) write(b []byte) []byte {
	if s.err == nil {
		var n int
		n, s.err = s.to.Write(b)
		s.n += int64(n)
		s.sum = crc32.Update(s.sum, castagnoli, b)
	}
	return b[:0]
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
	s, err := read(bufio.NewReaderSize(r, pieceSize))
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
	members := binary.LittleEndian.Uint64(header[len(magic)+4:])
	if members > MaxMembers {
		return nil, fmt.Errorf("%w: %d members", ErrDamaged, members)
	}
	s := newSet(int(members))
	sum, err := s.readBlocks(r)
	if err != nil {
		return nil, err
	}
	err = pieces(r, 4, s.members, func(i int, b []byte) { s.remainders[i] = binary.LittleEndian.Uint32(b) }, &sum)
	if err != nil {
		return nil, err
	}
	if _, err := io.ReadFull(r, header[:4]); err != nil {
		return nil, err
	}
	if binary.LittleEndian.Uint32(header) != sum {
		return nil, fmt.Errorf("%w: the checksum differs", ErrDamaged)
	}
	return s, nil
}

// readBlocks checks that the blocks follow each other, so that no search leaves the
// remainders.
func (s *Set) readBlocks(r *bufio.Reader) (sum uint32, err error) {
	next, inOrder := 0, true
	err = pieces(r, blockSize, len(s.blocks), func(i int, from []byte) {
		b := &s.blocks[i]
		b.first = binary.LittleEndian.Uint32(from)
		copy(b.ends[:], from[4:])
		inOrder = inOrder && int(b.first) == next && b.ends[0] == 0
		for j := range bucketsPerBlock {
			inOrder = inOrder && b.ends[j] <= b.ends[j+1]
		}
		next += int(b.ends[bucketsPerBlock])
	}, &sum)
	if err == nil && (!inOrder || next != s.members) {
		err = fmt.Errorf("%w: the blocks do not follow each other", ErrDamaged)
	}
	return sum, err
}

// pieces reads n items of size bytes each, calls fn for each, and adds them to the checksum.
func pieces(r *bufio.Reader, size, n int, fn func(i int, b []byte), sum *uint32) error {
	for i := 0; i < n; {
		whole := min(n-i, pieceSize/size)
		b, err := r.Peek(whole * size)
		if err != nil {
			return err
		}
		*sum = crc32.Update(*sum, castagnoli, b)
		for at := 0; at < len(b); at += size {
			fn(i, b[at:at+size])
			i++
		}
		_, _ = r.Discard(len(b)) // they were peeked
	}
	return nil
}
