// Package doctor gathers what package tuning examines, from this host, MySQL and Redis:
// for the command popupd doctor, which prints the report, and for the console of a running
// popupd. What is wanted of a setting, and why, lives in tuning.
package doctor

import (
	"context"
	"errors"
	"io"
	"os"

	"github.com/popupd/popupd/internal/cli"
	"github.com/popupd/popupd/tuning"
)

var errCritical = errors.New("something is critical")

// Examine examines this host and the stores. It changes nothing, and takes some seconds for
// each store that does not answer. Only a configuration that cannot be read is an error.
func Examine(ctx context.Context, c cli.Doctor, environ []string) (tuning.Report, error) {
	site := tuning.Site{
		Host:    tuning.NewHost(os.DirFS("/")),
		Process: process(c, environ),
		Disk:    disk(c),
		Servers: c.Servers,
	}
	var err error
	if site.MySQL, err = askMySQL(ctx, c.MySQL); err != nil {
		return tuning.Report{}, err
	}
	if site.Redis, err = askRedis(ctx, c.Redis); err != nil {
		return tuning.Report{}, err
	}
	return tuning.Examine(site), nil
}

// Run prints what this host and the stores lack, and returns an error if one of its
// findings is critical.
func Run(c cli.Doctor, environ []string, stdout io.Writer) error {
	report, err := Examine(context.Background(), c, environ)
	if err != nil {
		return err
	}
	switch {
	case c.JSON:
		err = report.WriteJSON(stdout)
	case c.Sysctl:
		err = report.WriteSysctl(stdout)
	default:
		err = report.WriteTable(stdout, columns(stdout))
	}
	if err == nil && report.Critical() {
		return errCritical
	}
	return err
}

// columns returns the width of the terminal that w is, or a usual one.
func columns(w io.Writer) int {
	const usual, most = 100, 140
	if f, ok := w.(*os.File); ok {
		if width := terminalWidth(f); width > 0 {
			return min(width, most)
		}
	}
	return usual
}
