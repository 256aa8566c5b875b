//go:build !unix

package frequency

// mapPages returns nil: on systems without mmap the table is on Go's heap.
func mapPages(int) []slot { return nil }

func unmapPages([]slot) {}
