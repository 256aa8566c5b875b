// Package doctor is the command popupd doctor: it gathers what package tuning
// examines, from this host, MySQL and Redis, and prints the report. What is wanted
// of a setting, and why, lives in tuning.
package doctor

import (
	"errors"
	"io"
	"os"

	"github.com/popupd/popupd/internal/cli"
	"github.com/popupd/popupd/tuning"
)

var errCritical = errors.New("something is critical")

// Run prints what this host and the stores lack. It changes nothing, and returns
// an error if one of its findings is critical.
func Run(c cli.Doctor, environ []string, stdout io.Writer) error {
	site := tuning.Site{
		Host:    tuning.NewHost(os.DirFS("/")),
		Process: process(c, environ),
		Disk:    disk(c),
		Servers: c.Servers,
	}
	var err error
	if site.MySQL, err = askMySQL(c.MySQL); err != nil {
		return err
	}
	if site.Redis, err = askRedis(c.Redis); err != nil {
		return err
	}
	report := tuning.Examine(site)
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
