package follow

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/popupd/popupd/audience"
	"github.com/popupd/popupd/internal/durable"
	"github.com/popupd/popupd/internal/retry"
	"github.com/popupd/popupd/popup"
	"github.com/popupd/popupd/snapshot"
)

// A list of users is loaded once the catalog names it, from FILE.list-NUMBER if it has been
// loaded before, else from the store, which is how the file comes to be. A file that is damaged
// is written anew. Those that the catalog does not name any more are removed once the last-good
// file does not name them either. Lists are loaded one at a time, so that at most one is in
// memory that is not in force; popups are never waited for.

// listFile returns the path of a list's file; empty: there are none.
func (w *Watcher) listFile(number uint64) string {
	if w.c.File == "" {
		return ""
	}
	return w.c.File + listSuffix + strconv.FormatUint(number, 10)
}

const listSuffix = ".list-"

// runLists loads lists until ctx ends: when a change names one, and after a failure again, after
// growing pauses.
func (w *Watcher) runLists(ctx context.Context) {
	backoff := retry.Backoff{First: time.Second, Most: 30 * time.Second}
	for {
		err := retry.Guard(func() error { return w.loadLists(ctx, w.store.Current().ListsToLoad()) })
		if ctx.Err() != nil {
			return
		}
		w.lists.Report(err)
		w.reportUnavailable()
		w.save()
		w.removeLists()
		if err == nil {
			backoff.Reset()
			select {
			case <-ctx.Done():
				return
			case <-w.listsWanted:
			}
		} else if retry.Wait(ctx, backoff.Next(), w.listsWanted) != nil {
			return
		}
	}
}

// loadLists loads lists that are not in force yet, and puts each in force.
func (w *Watcher) loadLists(ctx context.Context, rows []popup.AudienceRow) error {
	if len(rows) == 0 {
		return nil
	}
	select { // a list that comes slowly holds up nobody for longer than they want to wait
	case w.listsSlot <- struct{}{}:
	case <-ctx.Done():
		return fmt.Errorf("wait for other lists to be loaded: %w", ctx.Err())
	}
	defer func() { <-w.listsSlot }()
	var errs []error
	for _, row := range rows {
		if !w.isToLoad(row) { // loaded meanwhile, or replaced
			continue
		}
		set, err := w.readListFile(row.List)
		if err != nil {
			set, err = w.fetchList(ctx, row.List)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("load the list of audience %s: %w", row.Key, err))
			continue
		}
		w.installList(snapshot.List{Row: row, Set: set})
	}
	return errors.Join(errs...)
}

func (w *Watcher) isToLoad(row popup.AudienceRow) bool {
	return slices.ContainsFunc(w.store.Current().ListsToLoad(), func(r popup.AudienceRow) bool { return r.List == row.List })
}

// installList puts a list in force.
func (w *Watcher) installList(list snapshot.List) {
	w.mu.Lock()
	defer w.mu.Unlock()
	last := w.store.Current()
	if next := last.WithList(list); next != last {
		w.swap(next, *w.position.Load())
	}
}

// loadListFiles puts the lists in force that files have, as at a start without the store.
func (w *Watcher) loadListFiles() {
	w.listsSlot <- struct{}{}
	defer func() { <-w.listsSlot }()
	for _, row := range w.store.Current().ListsToLoad() {
		if set, err := w.readListFile(row.List); err == nil {
			w.installList(snapshot.List{Row: row, Set: set})
		}
	}
}

// readListFile reads a list from its file. One that can't be used is logged and removed.
func (w *Watcher) readListFile(number uint64) (*audience.Set, error) {
	path := w.listFile(number)
	if path == "" {
		return nil, fs.ErrNotExist
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	set, err := audience.Read(f)
	f.Close() // before it is removed, for Windows
	if err != nil {
		w.c.Log.Error("config: the file of a list of users can't be used and is read from the store anew", "path", path, "err", err)
		if errors.Is(err, audience.ErrDamaged) || errors.Is(err, audience.ErrNewer) {
			os.Remove(path)
		}
	}
	return set, err
}

// fetchList reads a list from the store and keeps it in its file. A file that can't be written
// is reported, and the list is returned all the same.
func (w *Watcher) fetchList(ctx context.Context, number uint64) (set *audience.Set, err error) {
	ctx, cancel := context.WithTimeout(ctx, listTimeout)
	defer cancel()
	path := w.listFile(number)
	if path == "" {
		return w.streamList(ctx, number, io.Discard)
	}
	file := durable.File{Path: path}
	errFile := file.Replace(func(to io.Writer) error {
		copied := &lossyWriter{to: to}
		if set, err = w.streamList(ctx, number, copied); err != nil {
			return err
		}
		return copied.err
	})
	if set == nil && err == nil { // the file could not even be begun
		set, err = w.streamList(ctx, number, io.Discard)
	}
	if err == nil {
		w.savingLists.Report(errFile)
	}
	return set, err
}

// streamList reads a list from the store, and writes to copied what it reads.
func (w *Watcher) streamList(ctx context.Context, number uint64, copied io.Writer) (*audience.Set, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	from, to := io.Pipe()
	defer from.Close() // has the goroutine end if the list is refused before its end
	go func() {
		to.CloseWithError(retry.Guard(func() error { return w.c.Source.WriteAudienceList(ctx, number, to) }))
	}()
	return audience.Read(io.TeeReader(from, copied))
}

// lossyWriter drops what comes after an error.
type lossyWriter struct {
	to  io.Writer
	err error
}

func (l *lossyWriter) Write(p []byte) (int, error) {
	if l.err == nil {
		_, l.err = l.to.Write(p)
	}
	return len(p), nil
}

// removeLists removes the files of lists that neither the catalog nor, as far as it can be
// written, the last-good file names.
func (w *Watcher) removeLists() {
	if w.c.File == "" {
		return
	}
	w.saveMu.Lock()
	defer w.saveMu.Unlock()
	if w.changes == nil || w.hasUnsaved() {
		return
	}
	current := w.store.Current()
	kept := map[string]bool{}
	rows, _ := current.Audiences()
	for _, row := range rows {
		kept[w.listFile(row.List)] = true
	}
	for _, list := range current.Lists() { // an older one, until its successor has been loaded
		kept[w.listFile(list.Row.List)] = true
	}
	entries, _ := os.ReadDir(filepath.Dir(w.c.File))
	for _, entry := range entries {
		number, isList := strings.CutPrefix(entry.Name(), filepath.Base(w.c.File)+listSuffix)
		no, err := strconv.ParseUint(number, 10, 64)
		if path := w.listFile(no); isList && err == nil && !kept[path] {
			os.Remove(path) // it is tried again
		}
	}
}

// usesAudiences reports whether there is anything for runLists to look at in a snapshot.
func usesAudiences(s *snapshot.Snapshot) bool {
	rows, _ := s.Audiences()
	return len(rows) > 0 || len(s.Unavailable()) > 0
}

// sameAudiences reports whether two snapshots have the same audiences, whatever has been loaded
// of them.
func sameAudiences(a, b *snapshot.Snapshot) bool {
	rows, key := a.Audiences()
	others, other := b.Audiences()
	return key == other && len(rows) == len(others) && (len(rows) == 0 || &rows[0] == &others[0])
}

// reportUnavailable logs which audiences can't be used that popups name, each once.
func (w *Watcher) reportUnavailable() {
	w.mu.Lock()
	defer w.mu.Unlock()
	logged := w.unavailable
	w.unavailable = map[string]string{}
	for _, u := range w.store.Current().Unavailable() {
		w.unavailable[u.Key] = u.Why
		if logged[u.Key] != u.Why {
			w.c.Log.Error("config: an audience can't be used; popups that name it are shown to nobody", "audience", u.Key, "why", u.Why, "popups", u.Popups)
		}
	}
	for key := range logged {
		if w.unavailable[key] == "" {
			w.c.Log.Info("config: an audience can be used again, or is named no more", "audience", key)
		}
	}
}
