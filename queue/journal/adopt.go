package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/popupd/popupd/internal/retry"
	"github.com/popupd/popupd/popup"
)

// Directories in Config.Dir that are not streams: not yet, or no longer.
const (
	newPrefix  = ".new-"
	gonePrefix = ".gone-"
)

// newAge is how old a stream that is still being made must be for its maker to be
// taken for dead.
const newAge = time.Minute

// adopt looks for streams whose process has ended and takes them over, to be
// drained. It calls onEvent, if there is one, with what they hold.
func (j *Journal) adopt(onEvent func(*popup.Event)) error {
	entries, err := os.ReadDir(j.c.Dir)
	if err != nil {
		return fmt.Errorf("list journal: %w", err)
	}
	for _, e := range entries {
		name := e.Name()
		path := filepath.Join(j.c.Dir, name)
		id, err := popup.ParseStreamID(strings.TrimSuffix(name, badSuffix))
		switch {
		case j.ignored[name]:
		case strings.HasPrefix(name, gonePrefix):
			err := j.disk.removeAll(path)
			j.reports.error(path, "journal cannot delete a stream", err)
		case strings.HasPrefix(name, newPrefix):
			j.clearUnborn(path)
		case err != nil || !e.IsDir():
			j.ignored[name] = true
			j.c.Log.Warn("foreign file in the journal is left alone", "path", path)
		case strings.HasSuffix(name, badSuffix):
			j.ignored[name] = true // set aside when its stream was deleted
		default:
			err := j.adoptStream(id, path, onEvent)
			if errors.Is(err, ErrFrameVersion) {
				j.ignored[name] = true
			}
			j.reports.error(path, "journal leaves a stream alone", err)
		}
	}
	return nil
}

// adoptStream takes one stream over, unless somebody else has it, and calls
// onEvent, if there is one, with what it holds.
func (j *Journal) adoptStream(id popup.StreamID, dir string, onEvent func(*popup.Event)) (err error) {
	lock, err := j.disk.lock(dir)
	if errors.Is(err, errLocked) || errors.Is(err, fs.ErrNotExist) { // being removed
		return nil
	}
	if err != nil {
		return err
	}
	rec, err := j.disk.recover(dir, id, j.c.Now(), j.c.Log)
	if err != nil {
		return errors.Join(err, lock.Close())
	}
	s := &Stream{id: id, dir: dir, journal: j, segs: rec.segs, times: rec.times, lock: lock, sealed: true}
	s.readable.Store(rec.last)
	var size int64
	for _, g := range rec.segs {
		if !g.bad {
			size += g.size
		}
	}
	if rec.setAside > 0 || rec.lost > 0 {
		j.metrics.errors.Add(float64(max(rec.setAside, 1)))
		j.c.Log.Error("journal stream is damaged", "stream", id.String(), "events_lost", rec.lost, "segments_set_aside", rec.setAside)
	}
	if onEvent != nil {
		if err := j.replay(s, onEvent); err != nil {
			return errors.Join(err, lock.Close()) // the next look for streams tries again
		}
	}
	j.c.Log.Info("journal adopts a stream", "stream", id.String(), "last", rec.last, "bytes", size, "torn_bytes", rec.torn)

	j.mu.Lock()
	defer j.mu.Unlock()
	if j.released {
		return lock.Close()
	}
	j.streams = append(j.streams, s)
	j.growLocked(size)
	retry.Notify(j.changed)
	return nil
}

// clearUnborn deletes a stream whose maker has died before it was complete.
func (j *Journal) clearUnborn(dir string) {
	info, err := os.Stat(dir)
	if err != nil || time.Since(info.ModTime()) < newAge {
		return
	}
	lock, err := j.disk.lock(dir)
	if err != nil {
		return
	}
	err = errors.Join(j.disk.removeAll(dir), lock.Close())
	j.reports.error(dir, "journal cannot delete a stream", err)
}

// reports logs errors of things that are tried again and again: each once, until it
// changes.
type reports struct {
	log *slog.Logger

	mu   sync.Mutex
	said map[string]string // by what it is about
}

func newReports(log *slog.Logger) *reports { return &reports{log: log, said: make(map[string]string)} }

// error logs err, about the thing called key, if it is news; nil takes it back.
func (r *reports) error(key, message string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err == nil {
		delete(r.said, key)
		return
	}
	if text := err.Error(); r.said[key] != text {
		r.said[key] = text
		r.log.Error(message, "err", err)
	}
}
