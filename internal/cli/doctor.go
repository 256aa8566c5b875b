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
	fs.StringVar(&c.MySQL, "mysql", "", "Check the MySQL or MariaDB of this go-sql-driver `DSN` too")
	fs.StringVar(&c.Redis, "redis", "", "Check the Redis at this `URL`, as of popupd serve, too")
	fs.StringVar(&c.Data, "data", defaultData, "Check the file system of this data `directory`, which need not exist yet")
	fs.TextVar((*size)(&c.JournalMax), "journal-max", size(defaultJournalMax), "Expect a journal of this many bytes, as 1GiB")
	fs.TextVar((*size)(&c.StateMax), "state-max", size(defaultStateMax), "Expect users' state of this many bytes, as 1GiB")
	fs.IntVar(&c.Servers, "servers", 1, "Expect this many servers to share MySQL and Redis")
	fs.BoolVar(&c.JSON, "json", false, "Print JSON")
	fs.BoolVar(&c.Sysctl, "sysctl", false, "Print a sysctl.d file with what this host lacks")
	addFileFlags(fs, "mysql", "redis")
	return fs
}

// ParseDoctor is [ParseServe] for popupd doctor.
func ParseDoctor(args, environ []string, help io.Writer) (Doctor, error) {
	var c Doctor
	if _, err := parseFlags(doctorFlags(&c), args, environ, help); err != nil {
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
