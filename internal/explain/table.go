package explain

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"github.com/popupd/popupd/internal/cli"
	"github.com/popupd/popupd/popup"
)

// write prints an explanation: first what the poll comes to, then why, popup by popup. Of a
// single popup that was asked for it prints every gate.
func write(w io.Writer, c *cli.Explain, e *popup.Explanation) error {
	var b strings.Builder
	writeOutcome(&b, c, e)
	if c.Popup != "" {
		for i := range e.Candidates {
			writeGates(&b, &e.Candidates[i], e.At)
		}
	} else {
		writeCandidates(&b, e)
	}
	for line := range strings.Lines(b.String()) {
		if _, err := fmt.Fprintln(w, strings.TrimRight(line, " \n")); err != nil {
			return err
		}
	}
	return nil
}

func writeOutcome(b *strings.Builder, c *cli.Explain, e *popup.Explanation) {
	placements := strings.Join(c.Placements, ", ")
	if placements == "" {
		placements = popup.DefaultPlacement
	}
	fmt.Fprintf(b, "User %s in %s at %s, popups of revision %d\n", clean(c.UID), clean(placements), e.At.Format(time.RFC3339Nano), e.Revision)
	for _, winner := range e.Winners {
		fmt.Fprintf(b, "Returned: %s (variant %s) in %s\n", winner.Key, winner.Variant, clean(winner.Placement))
	}
	if len(e.Winners) == 0 {
		reason := "there are no popups"
		if e.Reason != nil && *e.Reason != popup.Eligible.String() {
			reason = "the best candidate is stopped by " + *e.Reason
		}
		fmt.Fprintf(b, "Nothing is returned: %s\n", reason)
	}
	fmt.Fprintf(b, "Next poll in %d s\n\n", e.NextPollSec)
}

func writeCandidates(b *strings.Builder, e *popup.Explanation) {
	if len(e.Candidates) == 0 {
		return
	}
	t := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "POPUP\tWHY NOT\tPOSSIBLE FROM\tSEEN\tBECAUSE")
	for i := range e.Candidates {
		c := &e.Candidates[i]
		why, because := "returned", ""
		if c.BlockedBy != nil {
			why, because = *c.BlockedBy, becauseOf(c)
		}
		seen := "-"
		if c.State != nil {
			seen = fmt.Sprint(c.State.Impressions)
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", c.Key, why, possibleFrom(c, e.At), seen, clean(because))
	}
	t.Flush()
	if e.NextCursor != nil {
		fmt.Fprintln(b, "\nThere are more popups: -limit shows up to 500, -popup KEY a certain one.")
	}
}

// possibleFrom says when the popup could be returned.
func possibleFrom(c *popup.Candidate, at time.Time) string {
	switch {
	case c.EligibleAt == nil:
		return "never"
	case !c.EligibleAt.After(at):
		return "now"
	}
	return c.EligibleAt.Format(time.RFC3339Nano)
}

// becauseOf says in words what is closed about the gate that stops a popup.
func becauseOf(c *popup.Candidate) string {
	for i := range c.Gates {
		g := &c.Gates[i]
		if g.Open || *g.Reason != *c.BlockedBy {
			continue
		}
		switch g.Gate {
		case popup.TargetingGate, popup.CooldownGate, popup.ControlGate, popup.RankGate, popup.MemoryGate:
			return g.Actual
		}
		return g.Actual + ", wanted: " + g.Wanted
	}
	return ""
}

func writeGates(b *strings.Builder, c *popup.Candidate, at time.Time) {
	why := "is returned"
	if c.BlockedBy != nil {
		why = "is stopped by " + *c.BlockedBy + ": " + clean(becauseOf(c))
	}
	fmt.Fprintf(b, "%s (version %d, priority %d) %s\nPossible from: %s\n", c.Key, c.Version, c.Priority, why, possibleFrom(c, at))
	fmt.Fprintf(b, "Known of the user: %s\n", stateText(c.State))
	if c.PriorState != nil {
		fmt.Fprintf(b, "Known of the prior id: %s\n", stateText(c.PriorState))
	}
	t := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "\nGATE\t\tNOW\tWANTED")
	for i := range c.Gates {
		g := &c.Gates[i]
		name := g.Gate
		if g.Cap != "" {
			name += " " + g.Cap
		}
		now := clean(g.Actual)
		if g.OpensAt != nil && g.Gate != popup.CooldownGate {
			now += ", opens at " + g.OpensAt.Format(time.RFC3339Nano)
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", name, mark(g.Open), now, clean(g.Wanted))
		for j := range g.Conditions {
			condition := &g.Conditions[j]
			fmt.Fprintf(t, "  %s\t%s\t%s\t%s\n", strings.TrimPrefix(condition.Pointer, "/targeting/"), mark(condition.Passes), actualText(condition), wantedText(condition))
		}
	}
	t.Flush()
}

func mark(ok bool) string {
	if ok {
		return "ok"
	}
	return "NO"
}

// actualText says what the poll has for a condition.
func actualText(c *popup.ExplainedCondition) string {
	if c.Actual == nil {
		return c.Attr + " is missing"
	}
	actual, _ := json.Marshal(c.Actual)
	text := c.Attr + " is " + clean(string(actual))
	if c.Note != "" {
		text += ", which " + clean(c.Note)
	}
	return text
}

// wantedText says what a condition compares.
func wantedText(c *popup.ExplainedCondition) string {
	text := string(c.Op)
	if c.Value != nil {
		value, _ := json.Marshal(c.Value)
		text += " " + clean(string(value))
	}
	if c.IgnoreCase {
		text += ", in any letter case"
	}
	if strings.HasPrefix(c.Pointer, "/targeting/none/") {
		text = "not " + text
	}
	return text
}

func stateText(s *popup.StateReport) string {
	if s == nil {
		return "nothing"
	}
	text := fmt.Sprintf("%d impressions, last %s", s.Impressions, s.LastAction)
	if s.LastActionAt != nil {
		text += " at " + s.LastActionAt.Format(time.RFC3339Nano)
	}
	if len(s.Acted) > 0 {
		text += ", with the latest impression " + strings.Join(s.Acted, ", ")
	}
	return text
}

// clean takes out what would do something to a terminal or to the table.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '�'
		}
		return r
	}, s)
}
