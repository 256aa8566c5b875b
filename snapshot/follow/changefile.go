package follow

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/popupd/popupd/internal/durable"
)

// FILE.changes has what has changed since the last-good file was written, so that a change
// writes no more among many popups than among few. It is a line of text, and then a line a
// change:
//
//	popupd-changes FORMAT BASE\n
//	CRC32C {"revision":13,"saved_at_ms":...,"rows":[...],"removed":[7],"settings":{...},"audiences":{...}}\n
//
// BASE is the CRC32C of the whole last-good file, CRC32C that of the JSON, both with 8 hex
// digits. Rows, settings and audiences are as in the last-good file; settings are left out if
// they have not changed, and all audiences are there if one of them has. What survives a crash:
//
//	while a change is appended          the changes before: the line that is cut fails its checksum;
//	                                    after a power cut those of the last second may be gone, too,
//	                                    which the database has
//	after the last-good file was        the last-good file: FILE.changes has the BASE of the one
//	replaced                            before, FILE.1
//
// Once it is as long as the last-good file, that is written anew: FILE.changes becomes
// FILE.1.changes and begins anew. Earlier releases ignore both.
const (
	changesMagic  = "popupd-changes"
	changesFormat = 1
	leastChanges  = 64 << 10 // bytes that are appended before FILE is written again, however short it is
)

type savedChange struct {
	Revision  int64          `json:"revision"`
	SavedAtMS int64          `json:"saved_at_ms"`
	Rows      []savedRow     `json:"rows,omitempty"`
	Removed   []uint32       `json:"removed,omitempty"`  // ids of popups that are in force no more
	Settings  *savedSettings `json:"settings,omitempty"` // nil: unchanged; version 0: the defaults

	Audiences *savedAudiences `json:"audiences,omitempty"` // nil: unchanged
}

// changeFile is a FILE.changes to which this process appends.
type changeFile struct {
	f         *os.File
	base      string // path of the last-good file
	baseInfo  os.FileInfo
	size, max int64
	isSynced  bool
}

// changePaths returns the paths of the changes since a last-good file and since the one
// before it.
func changePaths(base durable.File) (newest, older string) {
	return base.Path + ".changes", base.Older() + ".changes"
}

// newChangeFile begins the changes since the last-good file at base, which holds data and
// has replaced another one.
func newChangeFile(base string, data []byte) (*changeFile, error) {
	path, older := changePaths(lastGood(base))
	if err := os.Rename(path, older); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	c := &changeFile{f: f, base: base, max: max(leastChanges, int64(len(data)))}
	if c.baseInfo, err = os.Stat(base); err == nil {
		_, err = fmt.Fprintf(f, "%s %d %08x\n", changesMagic, changesFormat, checksum(data))
	}
	if err = errors.Join(err, durable.SyncDir(filepath.Dir(path))); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return c, nil
}

// canTake reports whether a change can be appended that a start would find. If not, the
// last-good file is to be written again: the changes are long enough, or another process or
// somebody has replaced a file.
func (c *changeFile) canTake() bool {
	return c != nil && c.size < c.max && isStill(c.base, c.baseInfo) && c.isThere()
}

func (c *changeFile) isThere() bool {
	info, err := c.f.Stat()
	return err == nil && isStill(c.f.Name(), info)
}

func isStill(path string, was os.FileInfo) bool {
	info, err := os.Stat(path)
	return err == nil && os.SameFile(info, was)
}

// append appends lines. They outlive the process, and once they are synced the machine.
func (c *changeFile) append(lines []byte) error {
	c.size += int64(len(lines))
	c.isSynced = false
	_, err := c.f.Write(lines)
	return err
}

// sync waits until what was appended is on disk.
func (c *changeFile) sync() error {
	if c == nil || c.isSynced {
		return nil
	}
	c.isSynced = true
	return c.f.Sync()
}

func (c *changeFile) close() {
	if c != nil {
		_ = c.sync() // a start reads as far as it goes
		_ = c.f.Close()
	}
}

// appendChange appends the line of a snapshot: what it has other than the one before.
func appendChange(dst []byte, s unsaved, nowMS int64) []byte {
	c := savedChange{Revision: s.Revision, SavedAtMS: nowMS}
	for _, p := range s.Changed() {
		c.Rows = append(c.Rows, savedRowOf(p.Row()))
	}
	for _, p := range s.Removed() {
		c.Removed = append(c.Removed, p.ID)
	}
	if s.audiences {
		rows, key := s.Audiences()
		if c.Audiences = savedAudiencesOf(rows, key); c.Audiences == nil {
			c.Audiences = &savedAudiences{}
		}
	}
	if s.settings {
		row := s.Settings().Row()
		c.Settings = &savedSettings{Version: row.Version, UpdatedAtMS: row.UpdatedAtMS, Spec: row.Spec}
		if row.Version == 0 {
			c.Settings.Spec = json.RawMessage("null")
		}
	}
	line := encode(c)
	return append(fmt.Appendf(dst, "%08x ", checksum(line)), line...)
}

// addChanges adds to a last-good file, whose content is data, what has changed since, if the
// file at path belongs to it. What is behind a line that was cut or damaged is left out, and
// what is behind one that can't be read.
func (f *savedFile) addChanges(path string, data []byte) error {
	from, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer from.Close()
	r := bufio.NewReader(from)
	head, err := r.ReadString('\n')
	if head != fmt.Sprintf("%s %d %08x\n", changesMagic, changesFormat, checksum(data)) {
		return ignoreEOF(err)
	}
	at := make(map[uint32]int, len(f.Rows)) // where in f.Rows a popup is
	for i := range f.Rows {
		at[f.Rows[i].ID] = i
	}
	for {
		line, err := r.ReadBytes('\n')
		if err != nil {
			return ignoreEOF(err)
		}
		sum, body, _ := bytes.Cut(line, []byte(" "))
		var c savedChange
		if string(sum) != fmt.Sprintf("%08x", checksum(body)) || json.Unmarshal(body, &c) != nil {
			return nil
		}
		f.Revision, f.SavedAtMS = c.Revision, c.SavedAtMS
		if c.Settings != nil {
			f.Settings = c.Settings
		}
		if c.Audiences != nil {
			f.Audiences = c.Audiences
		}
		for _, row := range c.Rows {
			if i, ok := at[row.ID]; ok {
				f.Rows[i] = row
				continue
			}
			at[row.ID] = len(f.Rows)
			f.Rows = append(f.Rows, row)
		}
		for _, id := range c.Removed {
			if i, ok := at[id]; ok {
				last := len(f.Rows) - 1
				f.Rows[i] = f.Rows[last]
				at[f.Rows[i].ID] = i
				f.Rows = f.Rows[:last]
				delete(at, id)
			}
		}
	}
}

func ignoreEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}
