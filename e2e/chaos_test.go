//go:build linux

package e2e

import (
	"cmp"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

var (
	chaosIterations = flag.Int("chaos.iterations", 0, "iterations of TestChaos; 0: a handful of short ones")
	chaosSeed       = flag.Uint64("chaos.seed", 0, "what the schedule of TestChaos follows from; 0: another each time")
	chaosFaults     = flag.String("chaos.faults", "", "only faults whose name matches this `regexp`")
	chaosScope      = flag.String("chaos.scope", "all", "-state-scope of popupd")
)

// fault is one kind of damage.
type fault struct {
	name string
	// layout is how the system is set up; nil is plainLayout.
	layout *layout
	// run does the damage, at moments and for times that it takes from w.rand,
	// with w.load going on beside it, and undoes it: when it returns every
	// process runs, can be reached and is as it was configured. It notes what it
	// does. The iteration itself waits a little before and after.
	run func(sys *system)

	answers answers // that the load may get meanwhile
	// evidence is a regexp for a line of the server's log that shows that the
	// fault was felt. A long run in which it never appears fails. Empty: no line.
	evidence string
	// freshSystem: the system is new, and thrown away afterwards.
	freshSystem bool
	// declaresLosses: events may be lost, as many as have a row in dead_frame. Implies freshSystem.
	declaresLosses bool
	// long: an iteration takes longer than about 10 s; not in the handful.
	long bool
	// within is the longest that counting all may take after it; 0 is 30 s.
	within time.Duration
}

// answers says what the load may be answered during a fault.
type answers int

const (
	allAnswered    answers = iota // the server is up: each request is answered, none with an error
	someRefused                   // or with an error: the server can record nothing
	someUnanswered                // or not at all: it is killed or stopped
)

// faults returns all of them.
func faults() []fault {
	return slices.Concat(processFaults, wireFaults, diskFaults)
}

func (f *fault) on() *layout { return cmp.Or(f.layout, plainLayout) }

// group is the iterations that share a system.
type group struct {
	layout     *layout
	iterations []iteration
}

type iteration struct {
	number int
	fault  *fault
}

// maxIterations bounds what a system has to remember.
const maxIterations = 10

// schedule orders the faults: each once before any comes again, those of one
// layout together.
func schedule(list []fault, iterations int, seed uint64) []group {
	r := rand.New(rand.NewPCG(seed, 0))
	var groups []group
	shared := -1 // the group that the next fault may join
	for n := 1; n <= iterations; {
		round := r.Perm(len(list))
		round = round[:min(len(round), iterations-n+1)]
		order := make(map[*layout]int)
		for i, f := range round {
			if _, known := order[list[f].on()]; !known {
				order[list[f].on()] = i
			}
		}
		slices.SortStableFunc(round, func(a, b int) int { return cmp.Compare(order[list[a].on()], order[list[b].on()]) })
		for _, i := range round {
			f := &list[i]
			apart := f.freshSystem || f.declaresLosses
			if apart || shared < 0 || groups[shared].layout != f.on() || len(groups[shared].iterations) == maxIterations {
				groups = append(groups, group{layout: f.on()})
				if !apart {
					shared = len(groups) - 1
				}
			}
			to := &groups[len(groups)-1]
			if !apart {
				to = &groups[shared]
			}
			to.iterations = append(to.iterations, iteration{n, f})
			n++
		}
	}
	return groups
}

// TestChaos damages what a server under load stands on, in every way we know,
// and holds afterwards that nothing acknowledged is lost, nothing is committed
// twice, nothing was made up, no one saw a popup too soon, and all is as it was.
// What happens when follows from the seed: make chaos ITER=300 SEED=1.
func TestChaos(t *testing.T) {
	t.Parallel()
	only, err := regexp.Compile(*chaosFaults)
	if err != nil {
		t.Fatal(err)
	}
	list := slices.DeleteFunc(faults(), func(f fault) bool {
		return !only.MatchString(f.name) || *chaosIterations == 0 && (f.long || f.freshSystem)
	})
	seed := *chaosSeed
	if seed == 0 {
		seed = rand.Uint64N(1e6)
	}
	n := *chaosIterations
	switch {
	case n == 0 && testing.Short():
		n = 3
	case n == 0:
		n = 6
	}
	t.Logf("%d iterations over %d faults, seed %d", n, len(list), seed)
	var records []record
	for i, a := range schedule(list, n, seed) {
		t.Run(fmt.Sprintf("%d %s", i+1, a.layout.name), func(t *testing.T) {
			started := time.Now()
			sys := newSystem(t, a.layout, seed)
			t.Logf("the system took %v", time.Since(started).Round(time.Millisecond))
			for _, s := range a.iterations {
				records = append(records, record{fault: s.fault, failed: true})
				sys.runIteration(s, &records[len(records)-1])
				if t.Failed() {
					return
				}
			}
		})
	}
	t.Logf("seed %d\n%s", seed, table(records))
	if *chaosIterations == 0 {
		return
	}
	checkEvidence(t, list, records)
}

// checkEvidence fails the test for a fault that the server never logged in five
// iterations or more.
func checkEvidence(t *testing.T, list []fault, records []record) {
	t.Helper()
	for _, f := range list {
		mine := slices.DeleteFunc(slices.Clone(records), func(r record) bool { return r.fault.name != f.name })
		if f.evidence != "" && len(mine) >= 5 && !slices.ContainsFunc(mine, func(r record) bool { return r.seenInLog }) {
			t.Errorf("%s: in %d iterations the server never logged %q", f.name, len(mine), f.evidence)
		}
	}
}

// runIteration runs a fault under load and checks what it left behind.
func (sys *system) runIteration(s iteration, r *record) {
	sys.t.Helper()
	f := s.fault
	sys.rand = rand.New(rand.NewPCG(sys.seed, uint64(s.number)))
	started, begun, said := time.Now(), sys.history.len(), len(sys.server.Log())
	sys.findings = new(findings)
	defer func() { // also when the test ends here
		r.took = time.Since(started)
		r.acked, r.lost, r.twice = countOutcomes(sys.history.since(begun))[acked], len(sys.findings.lost), len(sys.findings.twice)
		r.failed = sys.t.Failed()
	}()
	before := len(sys.steps)
	sys.note("\n%d %s:", s.number, f.name)

	sys.startLoad(fmt.Sprintf("i%d", s.number))
	sys.pause(100*time.Millisecond, 500*time.Millisecond)
	sys.load.waitAcked(1) // on a busy machine it may need longer
	f.run(sys)
	healed := time.Now()
	sys.note("healed")
	sys.pause(100*time.Millisecond, 300*time.Millisecond)
	sys.load.stop()
	sys.t.Log(strings.TrimSpace(strings.Join(sys.steps[before:], " ")))

	sys.check(f, begun, said)
	r.recovery = time.Since(healed)
	log := sys.server.Log()[said:]
	r.seenInLog = f.evidence != "" && regexp.MustCompile(f.evidence).MatchString(log)
	sys.t.Logf("%d: %v, recovered after %v, %v in all; bitten: %v", s.number, countOutcomes(sys.history.since(begun)), r.recovery.Round(time.Millisecond), time.Since(started).Round(time.Millisecond), r.seenInLog)
}

// trouble is what no log may contain.
var trouble = regexp.MustCompile(`panic|fatal error|DATA RACE|a part failed`)

// check waits until all is committed and quiet, and looks whether it is right.
// begun and said are where history and log stood before the fault.
func (sys *system) check(f *fault, begun, said int) {
	sys.t.Helper()
	sys.checkServer(said)
	sys.checkAnswers(f, begun)
	sys.checkEvents(f)
	eventually(sys.t, 15*time.Second, func() error { return sys.resources().exceeds(sys.baseline) })
}

// checkServer looks whether popupd ended by itself or logged what it never may,
// behind the first said bytes.
func (sys *system) checkServer(said int) {
	sys.t.Helper()
	if crashes := sys.server.Crashes(); len(crashes) > 0 {
		sys.t.Fatalf("popupd ended by itself: %q", crashes)
	}
	for line := range strings.Lines(sys.server.Log()[said:]) {
		if trouble.MatchString(line) {
			sys.t.Errorf("popupd logs %s", line)
		}
	}
}

// checkAnswers looks whether the load since attempt begun was answered as it may
// be during the fault.
func (sys *system) checkAnswers(f *fault, begun int) {
	sys.t.Helper()
	wrong := sys.history.wrong()
	for _, what := range wrong[:min(len(wrong), 10)] {
		sys.t.Error(what)
	}
	if n := len(wrong); n > 10 {
		sys.t.Errorf("and %d more", n-10)
	}
	attempts := slices.Clone(sys.history.since(begun))
	if *chaosScope == "hashed" { // nobody knows whether an event is a goal of a user who cannot be looked up
		attempts = slices.DeleteFunc(attempts, func(a attempt) bool { return a.Action == "goal" && a.Outcome == refused })
	}
	n := countOutcomes(attempts)
	if n[unknown] > 0 && f.answers < someUnanswered || n[refused] > 0 && f.answers < someRefused {
		bad := slices.DeleteFunc(attempts, func(a attempt) bool {
			return a.Action == "reset" || a.Outcome != unknown && a.Outcome != refused
		})
		sys.t.Errorf("requests were not answered, or refused, though the server was up: %v; the first: %+v", n, bad[0])
	}
	if n[acked] == 0 {
		sys.t.Error("nothing was acknowledged: the load did nothing")
	}
}

// checkEvents waits until the database holds what was acknowledged, and looks
// whether it holds anything else.
func (sys *system) checkEvents(f *fault) {
	sys.t.Helper()
	sys.waitDrained(cmp.Or(f.within, 30*time.Second))
	lost := func() (int, error) {
		return queryInt(sys.db, "SELECT COALESCE(SUM(last_seq - first_seq + 1), 0) FROM dead_frame")
	}
	eventually(sys.t, 10*time.Second, func() error {
		v, err := sys.history.compare(sys.db)
		if err != nil {
			return err
		}
		sys.findings = v
		declared := 0
		if f.declaresLosses {
			if declared, err = lost(); err != nil {
				return err
			}
		}
		if err := v.err(declared); err != nil {
			return err
		}
		return sys.history.compareStatistics(sys.db, declared)
	})
	if n, err := lost(); !f.declaresLosses && (err != nil || n > 0) {
		sys.t.Errorf("%d events are declared lost, %v; want none", n, err)
	}
	if err := checkInvariants(sys.db); err != nil {
		sys.t.Error(err)
	}
}

// record is what an iteration came to.
type record struct {
	fault              *fault
	acked, lost, twice int
	recovery, took     time.Duration
	seenInLog, failed  bool
}

// table sums up the records by fault, in Markdown.
func table(records []record) string {
	type sum struct {
		record
		iterations, bitten, failed int
	}
	sums := make(map[string]*sum)
	all := &sum{}
	for _, r := range records {
		s := sums[r.fault.name]
		if s == nil {
			s = &sum{}
			sums[r.fault.name] = s
		}
		for _, s := range []*sum{s, all} {
			s.fault = r.fault
			s.iterations++
			s.acked += r.acked
			s.lost += r.lost
			s.twice += r.twice
			s.recovery = max(s.recovery, r.recovery)
			s.took += r.took
			if r.seenInLog {
				s.bitten++
			}
			if r.failed {
				s.failed++
			}
		}
	}
	var b strings.Builder
	fmt.Fprintln(&b, "| fault | iterations | seen in the log | failed | events acknowledged | lost | duplicated | worst recovery |")
	fmt.Fprintln(&b, "|---|---:|---:|---:|---:|---:|---:|---:|")
	line := func(name string, s *sum, seen string) {
		fmt.Fprintf(&b, "| %s | %d | %s | %d | %d | %d | %d | %.1f s |\n", name, s.iterations, seen, s.failed, s.acked, s.lost, s.twice, s.recovery.Seconds())
	}
	for _, name := range slices.Sorted(maps.Keys(sums)) {
		s, seen := sums[name], "-"
		if s.fault.evidence != "" {
			seen = fmt.Sprint(s.bitten)
		}
		line(name, s, seen)
	}
	line("all", all, "")
	return b.String()
}
