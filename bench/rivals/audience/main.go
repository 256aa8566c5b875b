// Command audience measures representations of a list of user ids: how many bytes a member
// takes, how long it takes to build one and with how much memory, and what a search costs.
// Run it in bench/rivals.
//
//	go run ./audience [-members 5000000] [-sets 20]
//
// Each representation runs in a process of its own, in turn, several times; the table has the
// medians. The first row is what popupd has.
package main

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"
)

// set is a compiled list.
type set interface{ Has(fingerprint uint64) bool }

// form is one representation of lists.
type form struct {
	name  string
	build func(fingerprints []uint64) (set, error) // it may sort them in place
}

var columns = []string{"bytes a member", "build, s", "build, peak MB", "member, ns", "no member, ns", "no member of many sets, ns a set"}

func main() {
	members := flag.Int("members", 5_000_000, "members of a set")
	sets := flag.Int("sets", 20, "sets of a tenth of the members, asked one after the other")
	rounds := flag.Int("rounds", 3, "rounds")
	one := flag.Int("one", -1, "measure one representation and print its figures")
	flag.Parse()
	if *one >= 0 {
		if err := measure(forms()[*one], *members, *sets); err != nil {
			fmt.Fprintln(os.Stderr, "audience:", err)
			os.Exit(1)
		}
		return
	}
	figures := make([][][]float64, len(forms()))
	for range *rounds {
		for i := range figures {
			out, err := exec.Command(os.Args[0], "-one", strconv.Itoa(i), "-members", strconv.Itoa(*members), "-sets", strconv.Itoa(*sets)).Output()
			if err != nil {
				fmt.Fprintln(os.Stderr, "audience:", forms()[i].name, err)
				os.Exit(1)
			}
			var row []float64
			for _, field := range strings.Fields(string(out)) {
				x, _ := strconv.ParseFloat(field, 64) // our own output
				row = append(row, x)
			}
			figures[i] = append(figures[i], row)
		}
	}
	fmt.Printf("| %d members | %s |\n|---|%s\n", *members, strings.Join(columns, " | "), strings.Repeat("---:|", len(columns)))
	for i, f := range forms() {
		fmt.Printf("| %s |", f.name)
		for column := range columns {
			var all []float64
			for _, row := range figures[i] {
				all = append(all, row[column])
			}
			slices.Sort(all)
			fmt.Printf(" %.*f |", [...]int{2, 2, 0, 0, 0, 0}[column], all[len(all)/2])
		}
		fmt.Println()
	}
}

// measure prints the figures of one representation, in the order of columns.
func measure(f form, members, sets int) error {
	random := rand.NewChaCha8([32]byte{1})
	draw := func(n int) []uint64 {
		all := make([]uint64, n)
		for i := range all {
			all[i] = random.Uint64()
		}
		return all
	}
	const asked = 1 << 20
	in := draw(members)
	hits := make([]uint64, asked)
	for i := range hits {
		hits[i] = in[random.Uint64()%uint64(members)]
	}
	misses := draw(asked)
	before := live()
	start := time.Now()
	s, err := f.build(in)
	if err != nil {
		return err
	}
	built := time.Since(start)
	peak := highWater()
	in = nil
	size := live() + int64(members)*8 - before // of which in was a part

	several := make([]set, sets)
	for i := range several {
		if several[i], err = f.build(draw(members / 10)); err != nil {
			return err
		}
	}
	hit := each(asked, func() { count(s, hits) })
	miss := each(asked, func() { count(s, misses) })
	many := each(asked/16*sets, func() {
		for _, fingerprint := range misses[:asked/16] {
			for _, s := range several {
				if s.Has(fingerprint) {
					found++
				}
			}
		}
	})
	fmt.Printf("%f %f %f %f %f %f\n", float64(size)/float64(members), built.Seconds(), float64(peak)/1e6, hit, miss, many)
	runtime.KeepAlive(s)
	if found == 0 { // read, or searches could be left out
		return errors.New("no search has found anything")
	}
	return nil
}

// found is how many searches have found something.
var found int

func count(s set, fingerprints []uint64) {
	for _, f := range fingerprints {
		if s.Has(f) {
			found++
		}
	}
}

// each returns the ns that each of n things takes, at best of three times.
func each(n int, all func()) float64 {
	best := time.Duration(1 << 62)
	for range 3 {
		start := time.Now()
		all()
		best = min(best, time.Since(start))
	}
	return float64(best.Nanoseconds()) / float64(n)
}

// live returns the bytes of the heap that are in use.
func live() int64 {
	debug.FreeOSMemory()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// highWater returns the most memory that the process has had, in bytes.
func highWater() (peak int64) {
	status, _ := os.ReadFile("/proc/self/status") // 0 where there is none
	for line := range strings.Lines(string(status)) {
		if fields := strings.Fields(line); fields[0] == "VmHWM:" {
			peak, _ = strconv.ParseInt(fields[1], 10, 64)
		}
	}
	return peak << 10
}
