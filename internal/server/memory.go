package server

import (
	"log/slog"
	"os"
	"runtime/debug"

	"github.com/popupd/popupd/tuning"
)

// limitMemory tells Go's collector of the memory that the cgroups of this process
// allow, unless GOMEMLIMIT is set: a heap that doubles between two collections
// would else end the process. stateMax is how many bytes the users' state may have.
func limitMemory(h tuning.Host, stateMax int64, log *slog.Logger) {
	if os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	allowed, ok := h.MemoryLimit()
	if !ok {
		return
	}
	limit := tuning.GoMemory(allowed, stateMax)
	debug.SetMemoryLimit(limit)
	if limit+stateMax > allowed {
		log.Warn("-state-max is more than this cgroup has memory for", "memory", allowed, "state_max", stateMax)
	}
	log.Info("memory is limited", "cgroup", allowed, "go", limit)
}
