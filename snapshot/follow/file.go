package follow

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"

	"github.com/popupd/popupd/internal/durable"
	"github.com/popupd/popupd/internal/failpoint"
	"github.com/popupd/popupd/popup"
	"github.com/popupd/popupd/snapshot"
)

// The last-good file is one line of text and then JSON:
//
//	popupd-snapshot FORMAT CRC32C\n
//	{"revision":12,"saved_at_ms":...,"rows":[{"id":7,"version":3,"updated_at_ms":...,"key":"...","spec":{...}}],
//	 "settings":{"version":2,"updated_at_ms":...,"spec":{...}},
//	 "audiences":{"key":"...","rows":[{"id":1,"version":2,"key":"...","rule":{...}},{...,"list":77,"members":5000}]}}
//
// Settings that are the defaults, and audiences where there are none and no key, are left out, as
// they are by earlier releases, which ignore them. What is in the lists is in files of their
// own: see lists.go.
//
// FORMAT is decimal, CRC32C (Castagnoli) has 8 hex digits and covers the bytes
// "FORMAT " and everything after the first line. It is replaced by rename, so it
// is always whole; the checksum finds what a disk does to it. The file that it
// replaces stays as FILE.1: see package durable. What changes later is in FILE.changes.
const (
	fileMagic  = "popupd-snapshot"
	fileFormat = 1
)

// ErrNewerFile is returned by [Watcher.LoadFile] for a file that a newer release
// wrote.
var ErrNewerFile = errors.New("the file was written by a newer release")

// errDamaged is returned for a file that is not what was written.
var errDamaged = errors.New("the file is damaged")

type savedFile struct {
	Revision  int64          `json:"revision"`
	SavedAtMS int64          `json:"saved_at_ms"`
	Rows      []savedRow     `json:"rows"`
	Settings  *savedSettings `json:"settings,omitempty"`

	Audiences *savedAudiences `json:"audiences,omitempty"`
}

type savedSettings struct {
	Version     uint32          `json:"version"`
	UpdatedAtMS int64           `json:"updated_at_ms"`
	Spec        json.RawMessage `json:"spec"`
}

type savedRow struct {
	ID          uint32          `json:"id"`
	Version     uint32          `json:"version"`
	UpdatedAtMS int64           `json:"updated_at_ms"`
	Key         string          `json:"key"`
	Spec        json.RawMessage `json:"spec"`
}

func (f *savedFile) catalog() popup.Catalog {
	c := popup.Catalog{Revision: f.Revision, Popups: make([]popup.Row, len(f.Rows))}
	for i, r := range f.Rows {
		c.Popups[i] = popup.Row{ID: r.ID, Version: r.Version, UpdatedAtMS: r.UpdatedAtMS, Key: r.Key, Spec: r.Spec}
	}
	if s := f.Settings; s != nil && s.Version != 0 {
		c.Settings = popup.SettingsRow{Version: s.Version, UpdatedAtMS: s.UpdatedAtMS, Spec: s.Spec}
	}
	c.Audiences, c.AudienceKey = f.Audiences.rows()
	return c
}

// lastGood is the last-good file and the one before it.
func lastGood(path string) durable.File {
	f := durable.File{
		Path:     path,
		Unusable: []error{errDamaged, ErrNewerFile},
	}
	if failpoint.Enabled {
		f.Reached = func(s durable.Step) {
			switch s {
			case durable.Written:
				failpoint.Reach(failpoint.PopupsFileWritten)
			case durable.Renamed:
				failpoint.Reach(failpoint.PopupsFileRenamed)
			}
		}
	}
	return f
}

// LoadFile puts the last-good file in force, so that popups are served before
// the store can be reached; FILE.1 if there is none or it can't be used. Without
// either, or after a reload, it does nothing. A file that is damaged or of a newer
// release ([ErrNewerFile]) is set aside as *.bad and returned as an error, also if
// the older one is in force.
func (w *Watcher) LoadFile() error {
	if w.c.File == "" {
		return nil
	}
	isInstalled := false
	defer func() {
		if isInstalled {
			w.loadListFiles()
		}
	}()
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.loaded.Load() {
		return nil
	}
	file := lastGood(w.c.File)
	_, err := file.Load(func(f *os.File) error {
		saved, err := w.readFile(f, file)
		if err != nil {
			return err
		}
		w.install(context.Background(), saved.catalog())
		isInstalled = true
		w.confirmedMS.Store(saved.SavedAtMS)
		return nil
	})
	if err != nil {
		return fmt.Errorf("read last-good popups: %w", err)
	}
	return nil
}

// readFile reads a generation of a last-good file with what has changed since, as far as that
// can be read: without the last changes it is better than none.
func (w *Watcher) readFile(f io.Reader, of durable.File) (savedFile, error) {
	data, err := io.ReadAll(f)
	if err != nil {
		return savedFile{}, err
	}
	saved, err := parseFile(data)
	if err != nil {
		return savedFile{}, err
	}
	newest, older := changePaths(of)
	for _, path := range []string{newest, older} {
		if err := saved.addChanges(path, data); err != nil {
			w.c.Log.Error("config: a file of changes of the last-good popups can't be read; what is in it is left out",
				"path", path, "revision", saved.Revision, "err", err)
		}
	}
	return saved, nil
}

// unsaved is a snapshot that was put in force and is not in the files yet.
type unsaved struct {
	*snapshot.Snapshot
	settings, audiences bool // they are other ones than in the snapshot before
}

// toSave notes that next has been put in force after previous.
func (w *Watcher) toSave(previous, next *snapshot.Snapshot) {
	u := unsaved{next, next.Settings() != previous.Settings(), !sameAudiences(previous, next)}
	if w.c.File == "" || !u.settings && !u.audiences && len(next.Changed())+len(next.Removed()) == 0 && next.Revision == previous.Revision {
		return
	}
	w.unsavedMu.Lock()
	defer w.unsavedMu.Unlock()
	w.unsaved = append(w.unsaved, u)
}

func (w *Watcher) hasUnsaved() bool {
	w.unsavedMu.Lock()
	defer w.unsavedMu.Unlock()
	return len(w.unsaved) > 0
}

// save brings the last-good file, with its changes, to the snapshot in force. A failure is
// logged once; the next call tries again.
func (w *Watcher) save() {
	if w.c.File == "" || !w.loaded.Load() {
		return
	}
	w.saveMu.Lock()
	defer w.saveMu.Unlock()
	w.unsavedMu.Lock()
	unsaved := w.unsaved
	w.unsaved = nil
	w.unsavedMu.Unlock()
	if w.changes != nil && len(unsaved) == 0 {
		return
	}
	var err error
	if w.changes.canTake() {
		var lines []byte
		for _, u := range unsaved {
			lines = appendChange(lines, u, w.c.Now())
		}
		err = w.changes.append(lines)
	} else {
		err = w.saveAllLocked()
	}
	w.savedLocked(err)
}

// syncSaved waits until what was saved is on disk.
func (w *Watcher) syncSaved() {
	w.saveMu.Lock()
	defer w.saveMu.Unlock()
	if err := w.changes.sync(); err != nil {
		w.savedLocked(err)
	}
}

// savedLocked reports what came of writing. After an error the next save writes the whole
// last-good file.
func (w *Watcher) savedLocked(err error) {
	if err != nil {
		w.closeChangesLocked()
		err = fmt.Errorf("write last-good popups: %w", err)
	}
	w.saving.Report(err)
}

// saveAllLocked writes the last-good file.
func (w *Watcher) saveAllLocked() error {
	w.closeChangesLocked()
	data := appendFile(nil, catalogOf(w.store.Current()), w.c.Now())
	err := writeFile(w.c.File, data)
	if err == nil {
		w.changes, err = newChangeFile(w.c.File, data)
	}
	return err
}

// closeChanges has the next save, if there is one, write the whole last-good file.
func (w *Watcher) closeChanges() {
	w.saveMu.Lock()
	defer w.saveMu.Unlock()
	w.closeChangesLocked()
}

func (w *Watcher) closeChangesLocked() {
	w.changes.close()
	w.changes = nil
}

// catalogOf returns the rows that are in force: of a popup or settings whose row is
// broken now, the last good one.
func catalogOf(s *snapshot.Snapshot) popup.Catalog {
	c := popup.Catalog{Revision: s.Revision, Popups: make([]popup.Row, len(s.All())), Settings: s.Settings().Row()}
	for i, p := range s.All() {
		c.Popups[i] = p.Row()
	}
	c.Audiences, c.AudienceKey = s.Audiences()
	return c
}

// appendFile appends the content of a last-good file.
func appendFile(dst []byte, c popup.Catalog, nowMS int64) []byte {
	saved := savedFile{Revision: c.Revision, SavedAtMS: nowMS, Rows: make([]savedRow, len(c.Popups))}
	for i := range c.Popups {
		r := &c.Popups[i]
		saved.Rows[i] = savedRowOf(*r)
	}
	if s := c.Settings; s.Version != 0 {
		saved.Settings = &savedSettings{Version: s.Version, UpdatedAtMS: s.UpdatedAtMS, Spec: s.Spec}
	}
	saved.Audiences = savedAudiencesOf(c.Audiences, c.AudienceKey)
	body := encode(saved)
	dst = fmt.Appendf(dst, "%s %d %08x\n", fileMagic, fileFormat, fileChecksum(fileFormat, body))
	return append(dst, body...)
}

func savedRowOf(r popup.Row) savedRow {
	return savedRow{ID: r.ID, Version: r.Version, UpdatedAtMS: r.UpdatedAtMS, Key: r.Key, Spec: r.Spec}
}

// encode returns a line of JSON.
func encode(saved any) []byte {
	var line bytes.Buffer
	enc := json.NewEncoder(&line)
	enc.SetEscapeHTML(false) // keeps specs byte for byte, so that an unchanged popup is not compiled again
	if err := enc.Encode(saved); err != nil {
		panic("follow: a compiled spec is not JSON: " + err.Error())
	}
	return line.Bytes()
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func checksum(b []byte) uint32 { return crc32.Checksum(b, castagnoli) }

func fileChecksum(format int, body []byte) uint32 {
	return crc32.Update(checksum(fmt.Appendf(nil, "%d ", format)), castagnoli, body)
}

func parseFile(data []byte) (savedFile, error) {
	var saved savedFile
	head, body, ok := bytes.Cut(data, []byte("\n"))
	var format int
	var sum uint32
	if n, err := fmt.Sscanf(string(head), fileMagic+" %d %08x", &format, &sum); !ok || n != 2 || err != nil ||
		string(head) != fmt.Sprintf("%s %d %08x", fileMagic, format, sum) {
		return saved, fmt.Errorf("%w: the first line", errDamaged)
	}
	if got := fileChecksum(format, body); got != sum {
		return saved, fmt.Errorf("%w: checksum %08x, want %08x", errDamaged, got, sum)
	}
	if format > fileFormat {
		return saved, fmt.Errorf("format %d: %w", format, ErrNewerFile)
	}
	if err := json.Unmarshal(body, &saved); err != nil {
		return saved, fmt.Errorf("%w: %w", errDamaged, err)
	}
	return saved, nil
}

func writeFile(path string, data []byte) error {
	file := lastGood(path)
	return file.Replace(func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}
