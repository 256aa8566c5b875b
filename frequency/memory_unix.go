//go:build unix

package frequency

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// mapPages returns n empty slots in pages outside of Go's heap, or nil if the
// system has none.
func mapPages(n int) []slot {
	b, err := unix.Mmap(-1, 0, n*slotSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		return nil
	}
	return unsafe.Slice((*slot)(unsafe.Pointer(unsafe.SliceData(b))), n)
}

// unmapPages gives pages back to the system. It does nothing to slots that are
// on Go's heap: munmap refuses what it has not mapped.
func unmapPages(slots []slot) {
	_ = unix.Munmap(unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(slots))), len(slots)*slotSize))
}
