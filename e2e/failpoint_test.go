//go:build linux

package e2e

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/popupd/popupd/internal/failpoint"
	"github.com/popupd/popupd/internal/testbed"
)

// withFailpoints builds popupd with failpoints, once.
var withFailpoints = sync.OnceValues(func() (string, error) {
	return build("-tags", "failpoint")
})

// failpointCase says how a server comes to a point.
type failpointCase struct {
	most  int64    // at the most so many passings are let go by
	how   string   // "": under load; start: by itself; stop: at its orderly end; import: by an import
	flags []string // that bring it there sooner
	// blind: what survived must do for a start without the database.
	blind bool
	slow  bool // takes half a minute
}

var small = []string{"-journal-max", "1MiB"} // segments of 128 KiB

var failpointCases = map[failpoint.Point]failpointCase{
	failpoint.JournalAppendBefore:   {most: 500},
	failpoint.JournalAppendTorn:     {most: 500},
	failpoint.JournalAppendWritten:  {most: 500},
	failpoint.JournalAppendDone:     {most: 500},
	failpoint.JournalStreamNamed:    {most: 1, how: "start"},
	failpoint.JournalSpareCreated:   {most: 2, flags: small},
	failpoint.JournalRollCreated:    {most: 2, flags: small},
	failpoint.JournalTrimUnlinked:   {most: 1, flags: small, slow: true}, // the second dump is after 20 s
	failpoint.JournalDiscardRenamed: {most: 1, how: "stop"},              // of a stream without events
	failpoint.ShipRegisterDone:      {most: 2},
	failpoint.ShipPushBefore:        {most: 10},
	failpoint.ShipPushDone:          {most: 10},
	failpoint.ShipCloseDone:         {most: 1},
	failpoint.CountLookDone:         {most: 4},
	failpoint.FlushProgressMoved:    {most: 4},
	failpoint.FlushEventsInserted:   {most: 4},
	failpoint.FlushCommitBefore:     {most: 4},
	failpoint.FlushCommitSent:       {most: 4},
	failpoint.FlushCommitDone:       {most: 4},
	failpoint.CountTrimBefore:       {most: 4},
	failpoint.CountTrimDone:         {most: 4},
	failpoint.DumpFileWritten:       {most: 1, how: "stop", blind: true},
	failpoint.DumpOldRenamed:        {most: 1, how: "stop", blind: true},
	failpoint.DumpFileRenamed:       {most: 1, how: "stop", blind: true},
	failpoint.PopupsFileWritten:     {most: 1, how: "start", blind: true},
	failpoint.PopupsFileRenamed:     {most: 1, how: "start", blind: true},
	failpoint.ImportCommitBefore:    {most: 1, how: "import"},
}

// TestFailpoints ends a server at each of the moments that are hardest to
// survive, and holds what it left behind against the history of its load.
func TestFailpoints(t *testing.T) {
	t.Parallel()
	popupd, err := withFailpoints()
	if err != nil {
		t.Fatal(err)
	}
	st := startStores(t)
	seed := *chaosSeed
	if seed == 0 {
		seed = rand.Uint64N(1e6)
	}
	t.Logf("seed %d", seed)
	for i, point := range failpoint.Points() {
		a, known := failpointCases[point]
		switch {
		case !known:
			t.Errorf("nobody comes to %s", point)
			continue
		case testing.Short() && (a.slow || (uint64(i)+seed)%4 != 0):
			continue
		}
		passing := 1 + rand.New(rand.NewPCG(seed, uint64(i))).Int64N(a.most)
		t.Run(fmt.Sprintf("%s:%d", point, passing), func(t *testing.T) {
			t.Parallel()
			a.run(t, popupd, st, fmt.Sprintf("%s:%d", point, passing), seed)
		})
	}
}

// run starts a server with a point armed (POINT:PASSING), has it come there, starts
// it again and checks what it left behind.
func (a *failpointCase) run(t *testing.T, popupd string, st stores, armed string, seed uint64) {
	t.Helper()
	name := strings.NewReplacer(".", "_", ":", "_").Replace(armed)
	dsn := st.mysql.CreateDatabase(t, name)
	args := append([]string{"-mysql", dsn, "-redis", st.redis.URL(), "-redis-prefix", name}, a.flags...)
	s := launchWith(t, testbed.PopupdOptions{Binary: popupd, Flags: args})
	s.waitReady()
	h := newHistory(loadPopups)
	loadPopups.create(s)
	l := startLoad(s, h, "before", seed)
	l.waitAcked(50)
	if a.how != "" {
		l.stop()
	}
	s.stop()

	s.Env = []string{failpoint.Variable + "=" + armed}
	s.mustSpawn()
	s.ExpectEnd()
	if a.how == "stop" {
		s.waitReady()
		if a.blind {
			l = startLoad(s, h, "armed", seed)
			l.waitAcked(50)
			l.stop()
		}
		s.stop()
	}
	if a.how == "import" {
		s.waitReady()
		s.importDies()
	}
	select {
	case <-s.Exited():
	case <-time.After(60 * time.Second):
		t.Fatal("it was not reached")
	}
	if end := s.State().String(); end != "signal: killed" {
		t.Fatalf("popupd ended otherwise: %s\n%s", end, s.Log())
	}
	l.stop()

	s.Env = nil
	if a.blind {
		s.Flags = append(args, "-mysql", "root@tcp(127.0.0.1:1)/"+name) // nobody is there
		s.restart()
		l = startLoad(s, h, "blind", seed)
		l.waitAcked(50)
		l.stop()
		s.Kill()
		s.Flags = args
	}
	s.restart()
	if a.how == "import" {
		s.nothingImported()
	}
	l = startLoad(s, h, "after", seed)
	l.waitAcked(50)
	l.check(t, openDB(t, dsn))
	if crashes := s.Crashes(); len(crashes) > 0 {
		t.Errorf("popupd ended by itself: %q", crashes)
	}
}

// TestFailpointsAreCompiledOut: of the points, nothing is left in the popupd
// that is shipped.
func TestFailpointsAreCompiledOut(t *testing.T) {
	popupd, err := withFailpoints()
	if err != nil {
		t.Fatal(err)
	}
	read := func(path string) []byte {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	with, without := read(popupd), read(binary)
	for _, p := range failpoint.Points() {
		if !bytes.Contains(with, []byte(p)) {
			t.Errorf("the build with failpoints does not know %s: nothing reaches it", p)
		}
		if bytes.Contains(without, []byte(p)) {
			t.Errorf("the build without failpoints knows %s", p)
		}
	}
	for _, name := range []string{"failpoint.Reach", failpoint.Variable} {
		if bytes.Contains(without, []byte(name)) {
			t.Errorf("the build without failpoints has %s", name)
		}
	}
}
