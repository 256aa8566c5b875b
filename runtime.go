package main

import (
	"io/fs"
	"log/slog"
	"os"
	"runtime/debug"

	"github.com/popupd/popupd/tuning"
)

// limitMemory tells Go's collector of the memory that the cgroup of this
// process allows, unless GOMEMLIMIT has: a heap that doubles between two
// collections would else end the process. root is that of the file system.
func limitMemory(root fs.FS, stateMax int64, log *slog.Logger) {
	if os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	allowed, ok := tuning.NewHost(root).MemoryLimit()
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
