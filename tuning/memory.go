package tuning

// MemoryLimit returns the bytes of memory that the cgroups of this process
// allow it: the smallest limit of its own group and of all above it, version 1
// or 2. ok is false where there is none, or none that can be read. The limit
// may be larger than the machine's memory.
//
// Of version 2 both memory.max, above which the kernel kills, and memory.high
// count, above which it slows the process down until it has given memory back.
// https://docs.kernel.org/admin-guide/cgroup-v2.html#memory-interface-files
func (h Host) MemoryLimit() (bytes int64, ok bool) {
	group, err := h.cgroup("memory")
	if err != nil {
		return 0, false
	}
	files := []string{"memory.limit_in_bytes"}
	if group.v2 {
		files = []string{"memory.max", "memory.high"}
	}
	for _, dir := range group.dirs {
		for _, file := range files {
			limit, err := h.number(dir + "/" + file) // "max" is no number
			if err != nil || limit <= 0 || limit >= noLimit {
				continue
			}
			if !ok || limit < bytes {
				bytes, ok = limit, true
			}
		}
	}
	return bytes, ok
}

// noLimit and above is how version 1 says that there is none: the largest
// multiple of the page size.
const noLimit = 1 << 62
