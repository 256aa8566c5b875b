package plan

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/popupd/popupd/internal/cli"
)

var update = flag.Bool("update", false, "write the table and the examples of docs/capacity.md")

const page = "../../docs/capacity.md"

var (
	constantTable = regexp.MustCompile(`(?s)<!-- constants: .*? -->\n.*?<!-- end -->\n`)
	examples      = regexp.MustCompile("(?s)```sh\n(popupd plan [^\n]*)\n```\n\n```\n.*?```\n")
)

// TestCapacityPage holds docs/capacity.md to the command: its table of constants is that of the
// code, and its examples are what the command prints. -update writes both.
func TestCapacityPage(t *testing.T) {
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	tables, runs := 0, 0
	drawn := constantTable.ReplaceAllStringFunc(string(text), func(string) string {
		tables++
		return constantsTable()
	})
	drawn = examples.ReplaceAllStringFunc(drawn, func(block string) string {
		runs++
		command := examples.FindStringSubmatch(block)[1]
		return "```sh\n" + command + "\n```\n\n```\n" + output(t, strings.Fields(command)[2:]...) + "```\n"
	})
	if tables != 1 || runs != 3 {
		t.Fatalf("%d tables of constants and %d examples in %s, want 1 and 3", tables, runs, page)
	}
	if *update {
		if err := os.WriteFile(page, []byte(drawn), 0o666); err != nil {
			t.Fatal(err)
		}
	} else if drawn != string(text) {
		t.Errorf("%s is not what the command reckons and prints: go test ./internal/plan -run CapacityPage -update", page)
	}
}

func constantsTable() string {
	var b strings.Builder
	b.WriteString("<!-- constants: drawn by go test ./internal/plan -run CapacityPage -update -->\n\n| | | from |\n|---:|---|---|\n")
	for _, c := range constants() {
		from := cmp.Or(c.source, "chosen")
		if isFile(c) {
			from = fmt.Sprintf("[%s](../bench/results/%[1]s)", c.source)
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", strconv.FormatFloat(c.value, 'f', -1, 64), c.meaning, from)
	}
	b.WriteString("\n<!-- end -->\n")
	return b.String()
}

// TestFormulas: the constants in the formulas of the page are those that the command reckons with.
func TestFormulas(t *testing.T) {
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		fmt.Sprintf("(polls not served x %v us + served x %v + actions x %v) x %v; the peak takes %v %% of", pollNothingUS, pollServedUS, actionUS, wakeFactor, busyShare*100),
		fmt.Sprintf("| %d MiB + `-state-max` + connections x %d KB; popupd gets %v %% of", baseBytes>>20, connectionBytes/1000, memoryShare*100),
		fmt.Sprintf("| entries x %d bytes. With `-state-scope hashed`: users who came within half an hour x (%d + %[1]d x entries of a user) x %[3]v / servers", entryBytes, heldBytes, hashSkew),
		fmt.Sprintf("| polls x %d s x (1 + %d min / `-visit`) |", pollSec, heldSec/60),
		fmt.Sprintf("x `-outage` (at least %d minutes) x (%d bytes + the user id) |", journalKeepSec/60, journalBytes),
		fmt.Sprintf("| servers x %d MiB:", redisBytes>>20),
		fmt.Sprintf("| entries x %v us + events of other servers since the dump x %v us |", dumpEntryUS, dumpEventUS),
		fmt.Sprintf("| rows of `user_popup` x %v us + entries x %v us,", startRowUS, startEntryUS),
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("%s does not say %q", page, want)
		}
	}
}

func isFile(c constant) bool { return strings.HasSuffix(c.source, ".md") }

// TestConstantsAreMeasured: each constant that names a file is in that file, in the words given.
func TestConstantsAreMeasured(t *testing.T) {
	for _, c := range constants() {
		if !isFile(c) {
			continue
		}
		text, err := os.ReadFile(filepath.Join("../../bench/results", c.source))
		if err != nil {
			t.Error(err)
		} else if c.seen == "" || !strings.Contains(string(text), c.seen) {
			t.Errorf("%v %s: %s does not say %q", c.value, c.meaning, c.source, c.seen)
		}
	}
}

func output(t *testing.T, args ...string) string {
	t.Helper()
	c, err := cli.ParsePlan(args, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := Run(c, &b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
