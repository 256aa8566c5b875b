package sample

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"slices"
)

// fileMagic begins the file, with the version of its format.
const fileMagic = "popupdSP\x01"

// What makes a file unusable.
var (
	errDamaged = errors.New("the file is damaged")
	errNewer   = errors.New("the file was written by a newer release")
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// bucketHead is the length of what a bucket begins with in the file.
const bucketHead = 3 * 8

// Load reads what an earlier process has kept. Without a rate it removes that: nobody wants
// it any more. A file that is damaged is set aside and logged.
func (r *Reservoir) Load() error {
	if r.perBucket == 0 {
		for _, name := range []string{r.file.Path, r.file.Older()} {
			if err := os.Remove(name); err != nil && !errors.Is(err, os.ErrNotExist) {
				return fmt.Errorf("remove the polls that were kept: %w", err)
			}
		}
		return nil
	}
	_, err := r.file.Load(func(f *os.File) error {
		b, err := io.ReadAll(io.LimitReader(f, 2*maxBytes))
		if err != nil {
			return err
		}
		buckets, err := decodeFile(b)
		if err == nil {
			r.adopt(buckets)
		}
		return err
	})
	if err != nil {
		r.config.Log.Warn("polls that were kept for simulations can't be read", "err", err)
	}
	return nil
}

// adopt goes on with the buckets of an earlier process.
func (r *Reservoir) adopt(buckets []bucket) {
	r.mu.Lock()
	defer r.mu.Unlock()
	nowMS := r.config.Now()
	buckets = slices.DeleteFunc(buckets, func(b bucket) bool { return b.startMS > nowMS }) // a clock that was wrong
	r.buckets, r.bytes = buckets, 0
	for i := range buckets {
		r.bytes += len(buckets[i].polls)
	}
	r.expireLocked(nowMS)
	if n := len(r.buckets); n > 0 {
		r.below.Store(r.buckets[n-1].below)
	}
}

// save writes the file if something has changed.
func (r *Reservoir) save() {
	r.mu.Lock()
	r.expireLocked(r.config.Now())
	changed, buckets := r.changed, slices.Clone(r.buckets)
	r.changed = false
	r.mu.Unlock()
	if !changed {
		return
	}
	err := r.file.Replace(func(w io.Writer) error { return encodeFile(w, buckets) })
	if err != nil {
		r.mu.Lock()
		r.changed = true
		r.mu.Unlock()
		r.config.Log.Warn("write the polls that are kept for simulations", "err", err)
	}
}

func encodeFile(w io.Writer, buckets []bucket) error {
	crc := crc32.New(castagnoli)
	out := bufio.NewWriterSize(io.MultiWriter(w, crc), 64<<10)
	_, _ = out.WriteString(fileMagic) // the first error comes back from Flush
	for i := range buckets {
		b := &buckets[i]
		head := binary.LittleEndian.AppendUint64(nil, uint64(b.startMS))
		head = binary.LittleEndian.AppendUint64(head, b.below)
		head = binary.LittleEndian.AppendUint64(head, uint64(len(b.polls)))
		_, _ = out.Write(head)
		_, _ = out.Write(b.polls)
	}
	if err := out.Flush(); err != nil {
		return err
	}
	_, err := w.Write(binary.LittleEndian.AppendUint32(nil, crc.Sum32()))
	return err
}

// decodeFile returns the buckets of a file, which refer to it.
func decodeFile(b []byte) ([]bucket, error) {
	version := len(fileMagic) - 1
	switch {
	case len(b) < len(fileMagic)+4 || string(b[:version]) != fileMagic[:version]:
		return nil, errDamaged
	case b[version] > fileMagic[version]:
		return nil, errNewer
	case crc32.Checksum(b[:len(b)-4], castagnoli) != binary.LittleEndian.Uint32(b[len(b)-4:]):
		return nil, errDamaged
	}
	var buckets []bucket
	var poll keptPoll
	for left := b[len(fileMagic) : len(b)-4]; len(left) > 0; {
		if len(left) < bucketHead {
			return nil, errDamaged
		}
		next := bucket{startMS: int64(binary.LittleEndian.Uint64(left)), below: binary.LittleEndian.Uint64(left[8:])}
		n := binary.LittleEndian.Uint64(left[16:])
		if left = left[bucketHead:]; n > uint64(len(left)) {
			return nil, errDamaged
		}
		next.polls = left[:n:n]
		left = left[n:]
		for rest := next.polls; len(rest) > 0; next.n++ {
			p, after, ok := nextPoll(rest)
			if !ok || poll.decode(p) != nil {
				return nil, errDamaged
			}
			rest = after
		}
		buckets = append(buckets, next)
	}
	return buckets, nil
}
