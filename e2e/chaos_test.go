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
)

// fault is one kind of damage.
type fault struct {
	name string
	// stage is how the world must be laid out; nil is plain.
	stage *stage
	// run does the damage, at moments and for times that it takes from w.rand,
	// with w.load going on beside it, and undoes it: when it returns every
	// process runs, can be reached and is as it was configured. It notes what it
	// does. The iteration itself waits a little before and after.
	run func(w *world)

	answers answers // that the load may get meanwhile
	// bites is a regexp for a line in the server's log that says it was hit. A
	// fault that never bites in a long run fails it. Empty: it leaves no line.
	bites string
	// alone: the world is new, and thrown away afterwards.
	alone bool
	// declares: events may be lost, as many as have a row in dead_frame. Implies alone.
	declares bool
	// long: an iteration takes longer than about 10 s; not in the handful.
	long bool
	// within is the longest that counting all may take after it; 0 is 30 s.
	within time.Duration
}

// answers says what the load may be answered during a fault.
type answers int

const (
	asEver    answers = iota // the server is up: each request is answered, none with an error
	orRefused                // or with an error: the server can record nothing
	orNone                   // or not at all: it is killed or stopped
)

// faults returns all of them.
func faults() []fault {
	return slices.Concat(processFaults, wireFaults, diskFaults)
}

func (f *fault) on() *stage { return cmp.Or(f.stage, plain) }

// act is the iterations that share a world.
type act struct {
	stage  *stage
	scenes []scene
}

type scene struct {
	number int
	fault  *fault
}

// mostScenes bounds what a world has to remember.
const mostScenes = 10

// plot makes the schedule: every fault once before any comes again, those of
// one stage together.
func plot(list []fault, iterations int, seed uint64) []act {
	r := rand.New(rand.NewPCG(seed, 0))
	var acts []act
	shared := -1 // the act that the next fault may join
	for n := 1; n <= iterations; {
		round := r.Perm(len(list))
		round = round[:min(len(round), iterations-n+1)]
		order := make(map[*stage]int)
		for i, f := range round {
			if _, known := order[list[f].on()]; !known {
				order[list[f].on()] = i
			}
		}
		slices.SortStableFunc(round, func(a, b int) int { return cmp.Compare(order[list[a].on()], order[list[b].on()]) })
		for _, i := range round {
			f := &list[i]
			apart := f.alone || f.declares
			if apart || shared < 0 || acts[shared].stage != f.on() || len(acts[shared].scenes) == mostScenes {
				acts = append(acts, act{stage: f.on()})
				if !apart {
					shared = len(acts) - 1
				}
			}
			to := &acts[len(acts)-1]
			if !apart {
				to = &acts[shared]
			}
			to.scenes = append(to.scenes, scene{n, f})
			n++
		}
	}
	return acts
}

// TestChaos damages what a server under load stands on, in every way we know,
// and holds afterwards that nothing acknowledged is lost, nothing is counted
// twice, nothing was made up, no one saw a popup too soon, and all is as it was.
// What happens when follows from the seed: make chaos ITER=300 SEED=1.
func TestChaos(t *testing.T) {
	only, err := regexp.Compile(*chaosFaults)
	if err != nil {
		t.Fatal(err)
	}
	list := slices.DeleteFunc(faults(), func(f fault) bool { return !only.MatchString(f.name) || *chaosIterations == 0 && (f.long || f.alone) })
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
	for i, a := range plot(list, n, seed) {
		t.Run(fmt.Sprintf("%d %s", i+1, a.stage.name), func(t *testing.T) {
			started := time.Now()
			w := newWorld(t, a.stage, seed)
			t.Logf("the world took %v", time.Since(started).Round(time.Millisecond))
			for _, s := range a.scenes {
				records = append(records, record{fault: s.fault, failed: true})
				w.play(s, &records[len(records)-1])
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
	for _, f := range list {
		mine := slices.DeleteFunc(slices.Clone(records), func(r record) bool { return r.fault.name != f.name })
		if f.bites != "" && len(mine) >= 5 && !slices.ContainsFunc(mine, func(r record) bool { return r.bitten }) {
			t.Errorf("%s: in %d iterations the server never logged %q", f.name, len(mine), f.bites)
		}
	}
}

// play is one iteration.
func (w *world) play(s scene, r *record) {
	w.t.Helper()
	f := s.fault
	w.rand = rand.New(rand.NewPCG(w.seed, uint64(s.number)))
	started, begun, said := time.Now(), w.history.len(), len(w.server.Log())
	w.verdict = new(verdict)
	defer func() { // also when the test ends here
		r.took = time.Since(started)
		r.acked, r.lost, r.twice = numbers(w.history.since(begun))[acked], len(w.verdict.lost), len(w.verdict.twice)
		r.failed = w.t.Failed()
	}()
	before := len(w.diary)
	w.note("\n%d %s:", s.number, f.name)

	w.attack(fmt.Sprintf("i%d", s.number))
	w.pause(100*time.Millisecond, 500*time.Millisecond)
	f.run(w)
	healed := time.Now()
	w.note("healed")
	w.pause(100*time.Millisecond, 300*time.Millisecond)
	w.load.stop()
	w.t.Log(strings.TrimSpace(strings.Join(w.diary[before:], " ")))

	w.check(f, begun, said)
	r.recovery = time.Since(healed)
	log := w.server.Log()[said:]
	r.bitten = f.bites != "" && regexp.MustCompile(f.bites).MatchString(log)
	w.t.Logf("%d: %v, recovered after %v, %v in all; bitten: %v", s.number, numbers(w.history.since(begun)), r.recovery.Round(time.Millisecond), time.Since(started).Round(time.Millisecond), r.bitten)
}

// trouble is what no log may contain.
var trouble = regexp.MustCompile(`panic|fatal error|DATA RACE|a part failed`)

// check waits until all is counted and quiet, and looks whether it is right.
// begun and said are where history and log stood before the fault.
func (w *world) check(f *fault, begun, said int) {
	w.t.Helper()
	for _, what := range w.history.wrong[:min(len(w.history.wrong), 10)] {
		w.t.Error(what)
	}
	if n := len(w.history.wrong); n > 10 {
		w.t.Errorf("and %d more", n-10)
	}
	if crashes := w.server.Crashes(); len(crashes) > 0 {
		w.t.Fatalf("popupd ended by itself: %q", crashes)
	}
	for line := range strings.Lines(w.server.Log()[said:]) {
		if trouble.MatchString(line) {
			w.t.Errorf("popupd logs %s", line)
		}
	}
	n := numbers(w.history.since(begun))
	if n[unknown] > 0 && f.answers < orNone || n[denied] > 0 && f.answers < orRefused {
		bad := slices.DeleteFunc(slices.Clone(w.history.since(begun)), func(a attempt) bool { return a.Outcome != unknown && a.Outcome != denied })
		w.t.Errorf("requests were not answered, or refused, though the server was up: %v; the first: %+v", n, bad[0])
	}
	if n[acked] == 0 {
		w.t.Error("nothing was acknowledged: the load did nothing")
	}

	w.settle(cmp.Or(f.within, 30*time.Second))
	eventually(w.t, 10*time.Second, func() error {
		v, err := w.history.compare(w.db)
		if err != nil {
			return err
		}
		w.verdict = v
		declared := 0
		if f.declares {
			if declared, err = count(w.db, "SELECT COALESCE(SUM(last_seq - first_seq + 1), 0) FROM dead_frame"); err != nil {
				return err
			}
		}
		return v.err(declared)
	})
	if !f.declares {
		if n, err := count(w.db, "SELECT COUNT(*) FROM dead_frame"); err != nil || n > 0 {
			w.t.Errorf("%d rows in dead_frame, %v; nothing should have been declared lost", n, err)
		}
	}
	if err := broken(w.db); err != nil {
		w.t.Error(err)
	}
	eventually(w.t, 15*time.Second, func() error { return w.vitals().beyond(w.healthy) })
}

// record is what an iteration came to.
type record struct {
	fault              *fault
	acked, lost, twice int
	recovery, took     time.Duration
	bitten, failed     bool
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
			if r.bitten {
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
		if s.fault.bites != "" {
			seen = fmt.Sprint(s.bitten)
		}
		line(name, s, seen)
	}
	line("all", all, "")
	return b.String()
}
