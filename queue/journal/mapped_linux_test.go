package journal

import (
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

// TestFault truncates the file under the mapping: the store raises SIGBUS.
func TestFault(t *testing.T) {
	if !reportsFaultAddress(t) {
		t.Skip("the emulator does not say where a fault was, so the runtime takes it for a nil pointer (qemu-user does that)")
	}
	c := testConfig(t.TempDir())
	c.SegmentBytes = 64 << 10
	clock := newTestClock()
	c.Now = clock.now
	j := mustOpen(t, c, &disk{})
	s := own(t, j)
	mustAppend(t, j, testEvents(0, 50))
	clock.move(time.Minute)
	if err := os.Truncate(segmentFiles(t, c.Dir, s.ID())[0], int64(s.segs[0].used())); err != nil {
		t.Fatal(err)
	}
	err := j.Append(testEvents(50, 100)) // past the page in which the file ends
	if err == nil || !strings.Contains(err.Error(), "fault") {
		t.Fatalf("append to a truncated file: %v", err)
	}
	mustAppend(t, j, testEvents(1000, 1))
	if !s.Sealed() || own(t, j) == s {
		t.Error("the stream was not ended")
	}
	if d := cmp.Diff(items(1, 0, 50), read(t, s, 0, 1000)); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// reportsFaultAddress reports whether the address of a fault reaches the program,
// as the kernel has it: only then can a fault be made an error.
func reportsFaultAddress(t *testing.T) (reports bool) {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "empty"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	mem, err := unix.Mmap(int(f.Fd()), 0, os.Getpagesize(), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Munmap(mem)
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() { _, reports = recover().(interface{ Addr() uintptr }) }()
	mem[0] = 1
	return false
}
