package sample

import (
	"bufio"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/popupd/popupd/frequency"
	"github.com/popupd/popupd/internal/durable"
)

// fileMagic begins the file, with the version of its format.
const fileMagic = "popupdSP\x03"

// What makes a file unusable.
var (
	errDamaged = errors.New("the file is damaged")
	errVersion = errors.New("the file was written by another release")
	errKey     = errors.New("the file was written under another key")
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

const (
	fileHead   = len(fileMagic) + 8 // with the check of the key
	bucketHead = 3 * 8              // what a bucket begins with in the file
)

// keyCheck tells the key of the hashes by the hash of what is nobody's id: of users under
// another key nobody could be forgotten.
func keyCheck(users *frequency.Table) uint64 { return users.Hash([]byte("\x00popupd sample")) }

// Load reads what an earlier process has kept, of users with the hashes of a table. What can't
// be used is logged and removed, as is everything without a rate: polls that nobody reads are
// none to keep.
func (r *Reservoir) Load(users *frequency.Table) {
	r.key = keyCheck(users)
	loaded := ""
	if r.perBucket > 0 {
		var err error
		loaded, err = r.file.Load(r.read)
		if loaded == r.file.Older() { // the process died while it replaced the file
			err = errors.Join(err, os.Rename(loaded, r.file.Path))
		}
		if err != nil {
			r.config.Log.Warn("polls that were kept for simulations can't be used", "err", err)
		}
	}
	remove := r.removeOthers
	if loaded == "" {
		remove = r.removeFiles
	}
	if err := remove(); err != nil {
		r.config.Log.Error("polls that were kept for simulations are not removed", "err", err)
	}
}

// read takes over the polls of a file.
func (r *Reservoir) read(f *os.File) error {
	b, err := io.ReadAll(io.LimitReader(f, 2*maxBytes))
	if err != nil {
		return err
	}
	buckets, err := decodeFile(b, r.key)
	if err == nil {
		r.adopt(buckets)
	}
	return err
}

// removeFiles removes all that is kept on disk.
func (r *Reservoir) removeFiles() error {
	return errors.Join(remove(r.file.Path), r.removeOthers())
}

// removeOthers removes everything but the file: its older generation, what earlier releases
// have set aside, and what was being written when a process died.
func (r *Reservoir) removeOthers() error {
	return errors.Join(remove(r.file.Older()), remove(r.file.Path+".bad"), remove(r.file.Older()+".bad"),
		durable.RemoveTemporaries(filepath.Dir(r.file.Path)))
}

// DiskRoom returns how many bytes of disk the file may take for now: until one has replaced
// another there are two.
func (r *Reservoir) DiskRoom() int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.buckets) == 0 {
		return 0
	}
	return 2 * int64(fileHead+len(r.buckets)*bucketHead+r.live+4)
}

func remove(name string) error {
	if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// adopt goes on with the buckets of an earlier process.
func (r *Reservoir) adopt(buckets []bucket) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.buckets, r.live, r.held = buckets, 0, 0
	for i := range buckets {
		r.live += int(buckets[i].live.bytes)
		r.held += len(buckets[i].polls)
	}
	r.expireLocked(r.config.Now())
	if n := len(r.buckets); n > 0 {
		r.below.Store(r.buckets[n-1].below)
	}
}

// save writes the file if something has changed, and removes the one before, which has polls
// of users who were reset since. One that can't be replaced is removed for that too.
func (r *Reservoir) save() {
	isNew := r.inFile.Swap(false)
	r.mu.Lock()
	r.expireLocked(r.config.Now())
	changed, buckets := r.changed, slices.Clone(r.buckets)
	r.changed = false
	r.mu.Unlock()
	if !changed && !isNew {
		return
	}
	err := r.file.Replace(func(w io.Writer) error { return r.encodeFile(w, buckets) })
	if err == nil {
		err = r.removeOthers()
	} else {
		r.mu.Lock()
		r.changed = true
		r.mu.Unlock()
		if err = errors.Join(err, r.removeFiles()); isNew {
			r.inFile.Store(true)
		}
	}
	r.unsaved.Report(err)
}

// encodeFile writes what is in the sample of some buckets.
func (r *Reservoir) encodeFile(w io.Writer, buckets []bucket) error {
	crc := crc32.New(castagnoli)
	out := bufio.NewWriterSize(io.MultiWriter(w, crc), 64<<10)
	_, _ = out.WriteString(fileMagic) // the first error comes back from Flush
	_, _ = out.Write(binary.LittleEndian.AppendUint64(nil, r.key))
	for i := range buckets {
		b := buckets[i].without(&r.resets)
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

// decodeFile returns the buckets of a file under a key, which refer to it.
func decodeFile(b []byte, key uint64) ([]bucket, error) {
	version := len(fileMagic) - 1
	switch {
	case len(b) < fileHead+4 || string(b[:version]) != fileMagic[:version]:
		return nil, errDamaged
	case b[version] != fileMagic[version]:
		return nil, errVersion
	case crc32.Checksum(b[:len(b)-4], castagnoli) != binary.LittleEndian.Uint32(b[len(b)-4:]):
		return nil, errDamaged
	case binary.LittleEndian.Uint64(b[len(fileMagic):]) != key:
		return nil, errKey
	}
	var buckets []bucket
	var poll keptPoll
	for left := b[fileHead : len(b)-4]; len(left) > 0; {
		if len(left) < bucketHead {
			return nil, errDamaged
		}
		next := bucket{startMS: int64(binary.LittleEndian.Uint64(left)), below: binary.LittleEndian.Uint64(left[8:])}
		n := binary.LittleEndian.Uint64(left[16:])
		if left = left[bucketHead:]; n > uint64(len(left)) || next.below&(next.below+1) != 0 {
			return nil, errDamaged
		}
		next.polls = left[:n:n]
		left = left[n:]
		for rest := next.polls; len(rest) > 0; {
			p, after, ok := nextPoll(rest)
			if !ok || poll.decode(p) != nil || userOf(p) >= next.below {
				return nil, errDamaged
			}
			next.count(p)
			rest = after
		}
		buckets = append(buckets, next)
	}
	return buckets, nil
}
