package journal

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/popupd/popupd/popup"
)

// killedDir, in the environment, makes the test binary the process to be killed.
const killedDir = "POPUPD_TEST_JOURNAL"

// TestKill kills processes in the middle of appending: what they had acknowledged
// must be there, once. The process is this test binary, started again.
func TestKill(t *testing.T) {
	if dir := os.Getenv(killedDir); dir != "" {
		appendUntilKilled(dir)
		return
	}
	for name := range writers {
		for _, interval := range []time.Duration{0, time.Millisecond} {
			t.Run(fmt.Sprintf("%s, sync %v", name, interval), func(t *testing.T) {
				c := testConfig(t.TempDir())
				for round := range 3 {
					cmd := exec.Command(os.Args[0], "-test.run=^TestKill$")
					cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s %v %s", killedDir, name, interval, c.Dir))
					out, err := cmd.StdoutPipe()
					if err != nil {
						t.Fatal(err)
					}
					err = cmd.Start()
					if errors.Is(err, syscall.ENOEXEC) {
						t.Skipf("%v: this binary runs in an emulator that is not registered with the kernel (binfmt_misc)", err)
					}
					if err != nil {
						t.Fatal(err)
					}
					acked := map[string]bool{}
					enough := 300 + 500*round
					for lines := bufio.NewScanner(out); lines.Scan(); { // the pipe is read to its end
						if user, ok := strings.CutPrefix(lines.Text(), "ack "); ok {
							acked[user] = true
						}
						if len(acked) == enough {
							cmd.Process.Kill()
						}
					}
					cmd.Wait()
					if len(acked) < enough {
						t.Fatalf("the process ended after %d events", len(acked))
					}
					j := mustOpen(t, c, &disk{})
					seen := map[string]bool{}
					if err := j.Replay(func(e *popup.Event) {
						if seen[string(e.User)] {
							t.Errorf("%s is there twice", e.User)
						}
						seen[string(e.User)] = true
					}); err != nil {
						t.Fatal(err)
					}
					lost := 0
					for user := range acked {
						if !seen[user] {
							lost++
						}
					}
					// Each goroutine may have had one more on the way.
					if lost > 0 || len(seen) > len(acked)+killedGoroutines {
						t.Errorf("%d acknowledged, %d there, %d lost", len(acked), len(seen), lost)
					}
					old(t, j).Remove()
					j.Covered(j.Positions())
					if err := j.Release(); err != nil { // sweeps
						t.Fatal(err)
					}
				}
			})
		}
	}
}

const killedGoroutines = 4

// appendUntilKilled is the process to be killed. It writes each event's user to
// stdout once it is acknowledged.
func appendUntilKilled(config string) {
	field := strings.SplitN(config, " ", 3)
	c := testConfig(field[2])
	c.MaxBytes, c.SegmentBytes = 64<<20, 16<<10
	c.Sync, _ = time.ParseDuration(field[1])
	j, err := open(c, writers[field[0]]())
	if err != nil {
		fmt.Println(err)
		return
	}
	var all sync.WaitGroup
	all.Go(func() { j.Run(context.Background()) })
	for g := range killedGoroutines {
		all.Go(func() {
			for n := range 1_000_000 {
				events := testEvents(0, 1)
				events[0].User = fmt.Appendf(nil, "%d-%d", g, n)
				if err := j.Append(events); err != nil {
					fmt.Println(err)
					return
				}
				// One write a line: os.Stdout is not buffered.
				os.Stdout.WriteString("ack " + string(events[0].User) + "\n")
			}
		})
	}
	all.Wait()
}
