package doctor

import (
	"io/fs"
	"math"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/popupd/popupd/internal/cli"
	"github.com/popupd/popupd/tuning"
)

// process returns what the Go runtime made of this machine for the doctor, and
// so for a popupd that is started likewise.
func process(c cli.Doctor, environ []string) tuning.Process {
	p := tuning.Process{
		CPUs: runtime.NumCPU(), MaxProcs: runtime.GOMAXPROCS(0), MaxProcsBy: variable(environ, "GOMAXPROCS"), StateMax: c.StateMax,
	}
	if limit := debug.SetMemoryLimit(-1); variable(environ, "GOMEMLIMIT") != "" && limit < math.MaxInt64 {
		p.MemLimit = limit
	}
	return p
}

func variable(environ []string, name string) string {
	for _, entry := range environ {
		if value, ok := strings.CutPrefix(entry, name+"="); ok {
			return value
		}
	}
	return ""
}

// disk looks at the data directory or, before there is one, at the place where
// it would be made.
func disk(c cli.Doctor) tuning.Disk {
	d := tuning.Disk{Dir: c.Data, JournalMax: c.JournalMax, StateMax: c.StateMax}
	dir, err := filepath.Abs(c.Data)
	if err != nil {
		d.Err = err
		return d
	}
	for d.Dir = dir; ; dir = filepath.Dir(dir) {
		if real, err := filepath.EvalSymlinks(dir); err == nil {
			d.Dir = real
			break
		}
		if dir == filepath.Dir(dir) {
			break
		}
	}
	if d.Free, d.Err = freeBytes(d.Dir); d.Err != nil {
		return d
	}
	d.Used = used(filepath.Join(c.Data, "journal"))
	for _, name := range []string{"state", "state.1"} {
		d.Used += used(filepath.Join(c.Data, name))
	}
	return d
}

// used returns how many bytes there are in files below path, as far as they
// can be seen.
func used(path string) (bytes int64) {
	_ = filepath.WalkDir(path, func(_ string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() {
			if info, err := entry.Info(); err == nil {
				bytes += info.Size()
			}
		}
		return nil
	})
	return bytes
}
