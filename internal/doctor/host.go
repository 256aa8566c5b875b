package doctor

import (
	"math"
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
