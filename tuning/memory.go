package tuning

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
)

// MemoryLimit returns the bytes of memory that the cgroups of this process
// allow it: the smallest limit of its own group and of all above it, version 1
// or 2. ok is false where there is none, or none that can be read. The limit
// may be larger than the machine's memory.
//
// Of version 2 both memory.max, above which the kernel kills, and memory.high
// count, above which it slows the process down until it has given memory back.
// https://docs.kernel.org/admin-guide/cgroup-v2.html#memory-interface-files
func (h Host) MemoryLimit() (bytes int64, ok bool) {
	bytes, _ = h.memoryLimit()
	return bytes, bytes > 0
}

// GoMemory returns how many bytes of a cgroup's limit popupd leaves to Go: not
// those of the users' state, which is outside of its heap, nor a twentieth for
// what the kernel counts besides.
func GoMemory(limit, stateMax int64) int64 { return max(leastGo, limit-limit/20-stateMax) }

// memoryLimit returns 0 where there is no limit. With an error there may be one
// that is smaller.
func (h Host) memoryLimit() (bytes int64, err error) {
	group, err := h.cgroup("memory")
	if err != nil {
		return 0, err
	}
	files := []string{"memory.limit_in_bytes"}
	if group.v2 {
		files = []string{"memory.max", "memory.high"}
	}
	for _, dir := range group.dirs {
		for _, file := range files {
			limit, limitErr := h.limit(dir + "/" + file)
			if limit > 0 && (bytes == 0 || limit < bytes) {
				bytes = limit
			}
			err = cmp.Or(err, limitErr)
		}
	}
	return bytes, err
}

// limit returns a file that is a number or says that there is no limit, 0.
// Groups at the top, and those without the controller, have no such file.
func (h Host) limit(name string) (int64, error) {
	// Version 1 says the largest multiple of the page size.
	const none = 1 << 62
	if text, err := h.text(name); errors.Is(err, fs.ErrNotExist) || text == "max" {
		return 0, nil
	}
	n, err := h.number(name)
	switch {
	case err != nil:
		return 0, err
	case n <= 0:
		return 0, fmt.Errorf("%s: %w", name, errMalformed)
	case n >= none:
		return 0, nil
	}
	return n, nil
}
