package plan

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/popupd/popupd/internal/cli"
)

// write prints the plan as a table, then the flags to set and what there is to say.
func (p *plan) write(w io.Writer, c cli.Plan) error {
	var b strings.Builder
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	row := func(cells ...string) { fmt.Fprintln(t, strings.Join(cells, "\t")) }
	s, m := p.Servers, p.MySQL
	row("LOAD", "", "")
	row("polls", count(c.Polls)+"/s", count(p.Load.Served)+"/s served")
	row("events", count(p.Load.Events)+"/s", count(p.Load.Average)+"/s on average")
	row("users", count(c.Users), count(p.Load.Pairs)+" pairs with popups, "+count(p.Load.Entries)+" that matter at one time")
	row("", "", "")
	row("POPUPD", "", "")
	row("servers", strconv.Itoa(s.Count), fmt.Sprintf("%d carry the load, %d may be away", s.Needed, c.Spare))
	row("cores", decimal(s.Cores), fmt.Sprintf("of %s, at the peak", decimal(c.Cores*float64(s.Needed))))
	row("memory", about(float64(s.Memory)), "of each")
	row("disk", about(float64(s.Disk)), "of each: the journal and three dumps")
	row("start", seconds(s.StartSec), "with a dump, after a minute away")
	if s.StateScope == scopeAll {
		row("", seconds(s.StartWithoutSec), "without one")
	}
	row("", "", "")
	row("REDIS", "", "")
	row("memory", about(float64(p.Redis.MaxMemory)), "")
	row("", "", "")
	row("MYSQL", "", "")
	row("cores", decimal(m.Cores), "at the peak")
	row("connections", strconv.Itoa(m.Connections), "")
	row("memory", about(m.Hot), "holds all that flushes touch at random; less costs reads from the disk")
	row("disk", about(m.Disk), "")
	for _, table := range m.Tables {
		row("  "+table.Name, about(table.Bytes), count(table.Rows)+" rows "+table.Until)
	}
	t.Flush()
	fmt.Fprintf(&b, "\nSET\npopupd     -state-scope %s -state-max %s -journal-max %s -retention %s\n", s.StateScope, size(s.StateMax), size(s.JournalMax), strings.TrimSuffix(c.Retention.String(), "0m0s"))
	fmt.Fprintf(&b, "redis      maxmemory %d, maxmemory-policy noeviction\n", p.Redis.MaxMemory)
	fmt.Fprintf(&b, "mysql      max_connections %d or more, innodb_buffer_pool_size %s if there is so much\n\n", m.Connections+reserved, size(int64(min(m.Hot, 1<<60))))
	for _, note := range p.Notes {
		fmt.Fprintf(&b, "- %s\n", note)
	}
	for line := range strings.Lines(b.String()) {
		if _, err := fmt.Fprintln(w, strings.TrimRight(line, " \n")); err != nil {
			return err
		}
	}
	return nil
}

// reserved is how many connections others than popupd may want.
const reserved = 20

// size is a number of bytes as flags take it: a whole one of MiB.
func size(bytes int64) string {
	if bytes%(1<<30) == 0 {
		return fmt.Sprintf("%dGiB", bytes>>30)
	}
	return fmt.Sprintf("%dMiB", (bytes+1<<20-1)>>20)
}

// about is a number of bytes with three digits that count, rounded up.
func about(bytes float64) string {
	n, unit := bytes/(1<<20), 0
	for n >= 1000 && unit < 3 {
		n, unit = n/1024, unit+1
	}
	scale := math.Pow(10, float64(max(0, 3-digits(n))))
	return strconv.FormatFloat(math.Ceil(n*scale)/scale, 'f', -1, 64) + [...]string{"MiB", "GiB", "TiB", "PiB"}[unit]
}

// count is a number with three digits that count.
func count(n float64) string {
	for _, unit := range []struct {
		of   float64
		name string
	}{{1e12, " trillion"}, {1e9, " billion"}, {1e6, " million"}} {
		if n >= 0.9995*unit.of {
			return strconv.FormatFloat(n/unit.of, 'g', max(3, digits(n/unit.of)), 64) + unit.name
		}
	}
	if n < 10 && n != math.Trunc(n) {
		return strconv.FormatFloat(n, 'g', 2, 64)
	}
	whole := strconv.FormatFloat(math.Round(n), 'f', 0, 64)
	if len(whole) > 3 {
		whole = whole[:len(whole)-3] + "," + whole[len(whole)-3:]
	}
	return whole
}

// digits is how many a number has before its point.
func digits(n float64) int { return len(strconv.FormatFloat(math.Trunc(n), 'f', 0, 64)) }

func decimal(n float64) string { return strconv.FormatFloat(math.Ceil(n*10)/10, 'f', -1, 64) }

func seconds(n float64) string { return strconv.FormatFloat(math.Ceil(n), 'f', 0, 64) + " s" }
