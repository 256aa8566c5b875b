package journal

import (
	"cmp"
	"fmt"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"slices"

	"github.com/popupd/popupd/popup"
)

// recovered is what the directory of a stream that has ended turned out to hold.
// Events missing between its segments and extents are lost: readers declare them
// as gaps.
type recovered struct {
	segs     []*segment
	times    appendTimes
	last     uint64
	lost     uint64 // events missing in between
	setAside int    // files renamed by this call
	torn     int64  // bytes of a torn frame behind the last one
}

// recover reads a stream whose lock the caller holds. A torn frame or zeroes at
// the end of the last segment is what a kill leaves, and the end of the stream.
// Any other damage loses events: the file is renamed to *.bad, and its whole
// frames are still part of the stream. It returns [ErrFrameVersion], with
// nothing changed, if the stream was written by a newer version.
func (d *disk) recover(dir string, id popup.StreamID, nowMS int64, log *slog.Logger) (*recovered, error) {
	files, spare, err := listSegments(dir, log)
	if err != nil {
		return nil, err
	}
	rec := &recovered{}
	all, err := d.scanSegments(files, id, nowMS, rec)
	if err != nil {
		return nil, err
	}
	for i, s := range all {
		last := i == len(all)-1
		switch damaged := s.damaged(last, rec.last+1); {
		case damaged && !s.bad:
			d.setAside(&s.segment, log)
			rec.setAside++
		case last && !damaged:
			d.freeZeroes(s, log)
		}
		if last && s.dirtEnd > 0 {
			rec.torn = s.dirtEnd - s.used()
		}
		rec.segs = append(rec.segs, &s.segment)
	}
	if spare {
		if err := d.remove(filepath.Join(dir, spareName)); err != nil {
			log.Warn("journal keeps an unused file", "err", err)
		}
	}
	return rec, nil
}

// listSegments returns the segments in a stream's directory by name, ascending and
// not yet read, and whether there is a spare.
func listSegments(dir string, log *slog.Logger) (files []*segment, spare bool, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, false, fmt.Errorf("list stream: %w", err)
	}
	for _, e := range entries {
		first, bad, ok := parseSegmentName(e.Name())
		switch {
		case ok && e.Type().IsRegular():
			files = append(files, &segment{first: first, path: filepath.Join(dir, e.Name()), bad: bad})
		case e.Name() == spareName:
			spare = true
		case e.Name() != lockName:
			log.Warn("foreign file in the journal is left alone", "path", filepath.Join(dir, e.Name()))
		}
	}
	// Of N.seg and N.seg.bad the first is taken.
	slices.SortFunc(files, func(a, b *segment) int {
		return cmp.Or(cmp.Compare(a.first, b.first), len(a.path)-len(b.path))
	})
	return slices.CompactFunc(files, func(a, b *segment) bool { return a.first == b.first }), spare, nil
}

// scanSegments reads the segments of a stream, and fills in rec.last, rec.lost and
// rec.times.
func (d *disk) scanSegments(files []*segment, id popup.StreamID, nowMS int64, rec *recovered) ([]*scanned, error) {
	all := make([]*scanned, len(files))
	next := uint64(1)
	if len(files) > 0 {
		next = files[0].first
	}
	for i, file := range files {
		lim := limits{next: next, last: math.MaxUint64, stop: i == len(files)-1, nowMS: nowMS}
		var err error
		if all[i], err = d.scan(file.path, file.first, id, lim); err != nil {
			return nil, err
		}
		all[i].bad = file.bad
		for _, at := range all[i].times.entries {
			rec.times.noteEvent(at.first, at.ms)
		}
		for _, x := range all[i].extents {
			rec.lost += x.first - next
			next = x.last + 1
		}
	}
	rec.last = next - 1
	return all, nil
}

// damaged reports whether something is wrong with a segment that a kill does not
// leave. The end of the last segment may be torn, or the segment may still be
// empty; next is then the number of the stream's next event.
func (s *scanned) damaged(last bool, next uint64) bool {
	if !last {
		return !s.clean()
	}
	return !s.torn() || len(s.extents) == 0 && s.first != next
}

// freeZeroes truncates the last segment to what was written: the rest was allocated
// and never used.
func (d *disk) freeZeroes(s *scanned, log *slog.Logger) {
	end := max(s.used(), s.dirtEnd)
	if end >= s.size {
		return
	}
	if err := d.truncate(s.path, end); err != nil {
		log.Warn("journal keeps an unused piece of disk", "err", err)
		return
	}
	s.size = end
}

// setAside renames a damaged segment, for somebody to look at. Its whole frames
// are read from there.
func (d *disk) setAside(g *segment, log *slog.Logger) {
	g.bad = true
	to := g.path + badSuffix
	if err := d.rename(g.path, to); err != nil {
		log.Error("damaged journal segment is read where it is", "err", err)
		return
	}
	log.Error("damaged journal segment set aside", "path", to, "events_from", g.first)
	g.path = to
}
