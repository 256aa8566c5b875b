// Command popupd decides, per poll, whether a user has a popup to see now,
// answers, and records what was shown and what the user did.
package main

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime"
	"strings"
	_ "time/tzdata" // schedules name time zones, also where the system has no zoneinfo

	"github.com/popupd/popupd/internal/cli"
	"github.com/popupd/popupd/internal/doctor"
	"github.com/popupd/popupd/internal/explain"
	"github.com/popupd/popupd/internal/plainlog"
	"github.com/popupd/popupd/internal/plan"
	"github.com/popupd/popupd/internal/popups"
	"github.com/popupd/popupd/internal/server"
	"github.com/popupd/popupd/internal/systemd"
)

func main() {
	args, command := os.Args[1:], "serve"
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		command, args = args[0], args[1:]
	}
	os.Exit(run(command, args, os.Environ(), os.Stdout, os.Stderr))
}

// run returns the exit code.
func run(command string, args, environ []string, stdout io.Writer, stderr *os.File) int {
	if command != "serve" {
		return cli.Exit(stderr, runOther(command, args, environ, stdout, stderr))
	}
	c, err := cli.ParseServe(args, environ, stdout)
	level := new(slog.LevelVar) // the control plane changes it
	level.Set(c.LogLevel)
	newLog, toJournal := plainlog.New, systemd.IsJournal(environ, stderr)
	if toJournal {
		newLog = plainlog.NewJournal
	}
	log := newLog(c.Log, level, stderr)
	if err == nil {
		err = server.Run(c, environ, stdout, log, level)
	}
	if toJournal || c.Log == "json" {
		return cli.ExitLogged(log, err)
	}
	return cli.Exit(stderr, err)
}

func runOther(command string, args, environ []string, stdout, stderr io.Writer) error {
	switch command {
	case "doctor":
		c, err := cli.ParseDoctor(args, environ, stdout)
		if err != nil {
			return err
		}
		return doctor.Run(c, environ, stdout)
	case "explain":
		c, err := cli.ParseExplain(args, environ, stdout)
		if err != nil {
			return err
		}
		return explain.Run(c, stdout)
	case "plan":
		c, err := cli.ParsePlan(args, environ, stdout)
		if err != nil {
			return err
		}
		return plan.Run(c, stdout)
	case "popups":
		c, err := cli.ParsePopups(args, environ, stdout)
		if err != nil {
			return err
		}
		return popups.Run(c, popups.Streams{In: os.Stdin, Out: stdout, Err: stderr, HasColour: popups.HasColour(stdout, environ)})
	case "version":
		fmt.Fprintf(stdout, "popupd %s %s\n", cli.Version(), runtime.Version())
		return nil
	}
	return fmt.Errorf("unknown command %q; %w", command, cli.ErrUsage)
}
