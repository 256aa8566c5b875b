package cli

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the tables of docs/configuration.md")

// table is a block of the page: the command, the names of its flags, the rows.
var table = regexp.MustCompile(`(?s)<!-- (popupd|popupd doctor|popupd explain|popupd plan|popupd popups):([a-z -]+) -->\n(.*?)<!-- end -->\n`)

// TestConfigurationPage draws the tables of docs/configuration.md from the flags:
// the page says which flags a table has, the code what is in it. -update writes it.
func TestConfigurationPage(t *testing.T) {
	const path = "../../docs/configuration.md"
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	commands := map[string]*flag.FlagSet{"popupd": serveFlags(new(Serve)), "popupd doctor": doctorFlags(new(Doctor)), "popupd explain": explainFlags(new(Explain)), "popupd plan": planFlags(new(Plan)), "popupd popups": popupsFlags(new(Popups), "")}
	listed := map[string]int{}
	drawn := table.ReplaceAllStringFunc(string(text), func(block string) string {
		match := table.FindStringSubmatch(block)
		command, names := match[1], strings.Fields(match[2])
		var b strings.Builder
		fmt.Fprintf(&b, "<!-- %s: %s -->\n\n| flag | default | variable | |\n|---|---|---|---|\n", command, strings.Join(names, " "))
		for _, name := range names {
			f := commands[command].Lookup(name)
			if f == nil {
				t.Errorf("%s has no flag -%s", command, name)
				continue
			}
			listed[command+" -"+name]++
			b.WriteString(flagRow(f))
		}
		return b.String() + "\n<!-- end -->\n"
	})
	for command, flags := range commands {
		flags.VisitAll(func(f *flag.Flag) {
			if n := listed[command+" -"+f.Name]; n != 1 {
				t.Errorf("%s -%s is in %d tables of docs/configuration.md, want 1", command, f.Name, n)
			}
		})
	}
	if *update {
		if err := os.WriteFile(path, []byte(drawn), 0o666); err != nil {
			t.Fatal(err)
		}
	} else if drawn != string(text) {
		t.Error("the tables of docs/configuration.md are not those of the flags: go test ./internal/cli -run ConfigurationPage -update")
	}
}

func flagRow(f *flag.Flag) string {
	_, usage := flag.UnquoteUsage(f)
	standard := strings.TrimSuffix(f.DefValue, "0m0s") // of 2160h0m0s
	if standard != "" {
		standard = "`" + standard + "`"
	}
	return fmt.Sprintf("| `-%s` | %s | `%s` | %s |\n", f.Name, standard, envPrefix+strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_")), usage)
}
