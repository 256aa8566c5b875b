package cli

import (
	"flag"
	"fmt"
	"io"
)

// Doctor is the configuration of popupd doctor.
type Doctor struct {
	MySQL, Redis         string // empty: not asked
	Data                 string
	JournalMax, StateMax int64 // bytes
	Servers              int
	JSON, Sysctl         bool
}

// doctorFlags returns the flags of popupd doctor. Those that serve has too mean
// the same, so that both can run with the same variables.
func doctorFlags(c *Doctor) *flag.FlagSet {
	fs := flag.NewFlagSet("popupd doctor", flag.ContinueOnError)
	fs.StringVar(&c.MySQL, "mysql", "", "go-sql-driver `DSN` of a server to look at too")
	fs.StringVar(&c.Redis, "redis", "", "redis:// or rediss:// `URL`, or host:port,host:port of a cluster, to look at too")
	fs.StringVar(&c.Data, "data", defaultData, "`directory` that popupd will have or has its data in")
	fs.TextVar((*size)(&c.JournalMax), "journal-max", size(defaultJournalMax), "quota of the journal in bytes, as 1GiB")
	fs.TextVar((*size)(&c.StateMax), "state-max", size(defaultStateMax), "memory budget of the users' state, as 1GiB")
	fs.IntVar(&c.Servers, "servers", 1, "how many popupd share MySQL and Redis")
	fs.BoolVar(&c.JSON, "json", false, "print JSON")
	fs.BoolVar(&c.Sysctl, "sysctl", false, "print a sysctl.d file with what this host lacks")
	addFileFlags(fs, "mysql", "redis")
	return fs
}

// ParseDoctor is [ParseServe] for popupd doctor.
func ParseDoctor(args, environ []string, help io.Writer) (Doctor, error) {
	var c Doctor
	if _, err := parseFlags(doctorFlags(&c), serveFlags(new(Serve)), args, environ, help); err != nil {
		return c, err
	}
	switch {
	case c.JSON && c.Sysctl:
		return c, fmt.Errorf("-json and -sysctl exclude each other; %w", ErrUsage)
	case c.Servers < 1:
		return c, fmt.Errorf("-servers %d: want 1 or more; %w", c.Servers, ErrUsage)
	}
	if err := checkRedis(c.Redis); err != nil {
		return c, fmt.Errorf("%w; %w", err, ErrUsage)
	}
	return c, nil
}
