package tuning

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// WriteJSON writes the report as an object with kernel and findings; of each
// finding status, check, found, wanted and why, and what there is of source,
// change, rollback and sysctl (a list of key, value, was).
func (r Report) WriteJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

// Widths in characters.
const (
	statusWidth = 8  // of the first column
	checkWidth  = 30 // of the second, if there is room; the others share the rest
	leastWidth  = 60 // of the table
)

// WriteTable writes the report for a terminal of so many columns: what is not
// as wanted with all that there is to say, then a line each of what is.
func (r Report) WriteTable(w io.Writer, columns int) error {
	out := bufio.NewWriter(w)
	columns = max(columns, leastWidth)
	count := map[Status]int{}
	for _, f := range r.Findings {
		count[f.Status]++
	}
	kernel := r.Kernel
	if kernel == "" {
		kernel = "not known"
	}
	fmt.Fprintf(out, "%d critical, %d warn, %d unknown, %d ok. Kernel: %s\n\n", count[Critical], count[Warn], count[Unknown], count[OK], printable(kernel))
	room := columns - statusWidth - 3*len("  ")
	check := min(checkWidth, room*3/7)
	found := (room - check) / 2
	widths := []int{statusWidth, check, found, room - check - found}
	writeRow(out, widths, "STATUS", "CHECK", "FOUND", "WANTED")
	for i, f := range r.Findings {
		if i > 0 && (f.Status != OK || r.Findings[i-1].Status != OK) {
			fmt.Fprintln(out)
		}
		writeRow(out, widths, string(f.Status), f.Check, f.Found, f.Wanted)
		if f.Status == OK {
			continue
		}
		for _, detail := range []struct{ name, text string }{
			{"why", f.Why}, {"change", f.Change}, {"back", f.Rollback}, {"see", f.Source},
		} {
			if detail.text != "" {
				writeRow(out, []int{statusWidth, len("change"), columns - statusWidth - len("change") - 2*len("  ")}, "", detail.name, detail.text)
			}
		}
	}
	return out.Flush()
}

// WriteSysctl writes a sysctl.d file (sysctl.d(5)) of the kernel parameters
// that are to be changed here, each with its reason and its former value. With
// nothing to change it is comments only.
func (r Report) WriteSysctl(w io.Writer) error {
	const columns = 100
	out := bufio.NewWriter(w)
	comment := func(text string) {
		for _, line := range wrap(text, columns-len("# "), false) {
			fmt.Fprintln(out, "#", line)
		}
	}
	comment("What this host lacks for popupd, as popupd doctor -sysctl finds it.")
	var settings int
	for _, f := range r.Findings {
		settings += len(f.Sysctl)
	}
	if settings == 0 {
		comment("Nothing: no kernel parameter is to be changed.")
		return out.Flush()
	}
	comment("Apply: save as /etc/sysctl.d/90-popupd.conf, then sysctl -p /etc/sysctl.d/90-popupd.conf")
	comment("In a container: docker run --sysctl KEY=VALUE, or securityContext.sysctls of the pod, for those that begin with net.")
	comment("Keep it: a host that has it lacks nothing, so that a second run prints no settings.")
	comment("Roll back: delete the file, then the commands below.")
	for _, f := range r.Findings {
		if len(f.Sysctl) == 0 {
			continue
		}
		fmt.Fprintln(out)
		comment(fmt.Sprintf("%s: %s. Found: %s. %s", f.Status, f.Check, f.Found, f.Why))
		if f.Source != "" {
			comment(f.Source)
		}
		comment("roll back: " + f.Rollback)
		for _, s := range f.Sysctl {
			fmt.Fprintf(out, "%s = %s\n", s.Key, s.Value)
		}
	}
	return out.Flush()
}

// writeRow writes cells side by side, each wrapped to its width. Words that are
// longer are cut, but for those of the last cell: they may be links.
func writeRow(w io.Writer, widths []int, cells ...string) {
	lines := make([][]string, len(cells))
	height := 0
	for i, cell := range cells {
		lines[i] = wrap(cell, widths[i], i < len(cells)-1)
		height = max(height, len(lines[i]))
	}
	for y := range height {
		var row strings.Builder
		for i := range cells {
			text := ""
			if y < len(lines[i]) {
				text = lines[i][y]
			}
			row.WriteString(text)
			if i < len(cells)-1 {
				row.WriteString(strings.Repeat(" ", widths[i]-utf8.RuneCountInString(text)+len("  ")))
			}
		}
		fmt.Fprintln(w, strings.TrimRight(row.String(), " "))
	}
}

// wrap breaks text at spaces into lines of at most width characters. A longer
// word is cut or, if it may not be, has a line of its own.
func wrap(text string, width int, cut bool) []string {
	var lines []string
	line, used := "", 0
	for _, word := range strings.Fields(printable(text)) {
		n := utf8.RuneCountInString(word)
		if used > 0 && used+1+n <= width {
			line, used = line+" "+word, used+1+n
			continue
		}
		if used > 0 {
			lines = append(lines, line)
		}
		for ; cut && n > width; n -= width {
			head := len(string([]rune(word)[:width]))
			lines, word = append(lines, word[:head]), word[head:]
		}
		line, used = word, n
	}
	if used > 0 {
		lines = append(lines, line)
	}
	return lines
}

// printable keeps what a file or a server says from steering the terminal.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 || r == utf8.RuneError {
			return ' '
		}
		return r
	}, text)
}
