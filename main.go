// Command popupd decides, per poll, whether a user has a popup to see now,
// answers, and records what was shown and what the user did.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"
	_ "time/tzdata" // schedules name time zones, also where the system has no zoneinfo

	"github.com/popupd/popupd/internal/plainlog"
)

func main() {
	os.Exit(run(os.Args[1:], os.Environ(), os.Stdout, os.Stderr))
}

// run does what the arguments say and returns the exit code: 0, 1 for a
// failure or 2 for a mistake in the call, both with one line on stderr.
func run(args, environ []string, stdout, stderr io.Writer) int {
	command := "serve"
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		command, args = args[0], args[1:]
	}
	switch command {
	case "serve":
	case "doctor":
		return runDoctor(args, environ, stdout, stderr)
	case "version":
		fmt.Fprintf(stdout, "popupd %s %s\n", version(), runtime.Version())
		return 0
	default:
		return fail(stderr, 2, fmt.Errorf("unknown command %q; %w", command, errUsage))
	}

	c, err := parseConfig(args, environ, stdout)
	if err == nil {
		ctx, stop := context.WithCancelCause(context.Background())
		go untilSignal(stop)
		err = serve(ctx, c, stdout, plainlog.New(c.log, stderr))
	}
	return finish(stderr, err)
}

func runDoctor(args, environ []string, stdout, stderr io.Writer) int {
	c, err := parseDoctor(args, environ, stdout)
	if err == nil {
		err = doctor(c, environ, stdout)
	}
	return finish(stderr, err)
}

// finish returns the exit code for how a command ended, and says why it failed.
func finish(stderr io.Writer, err error) int {
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return 0
	case errors.Is(err, errUsage):
		return fail(stderr, 2, err)
	}
	return fail(stderr, 1, err)
}

// The causes of an orderly end.
var (
	errTerminated  = errors.New("terminated") // by an orchestrator, whose load balancers must notice
	errInterrupted = errors.New("interrupted")
)

// untilSignal ends the server at the first SIGTERM or SIGINT. A second one ends
// the process at once, since by then the default handling is back.
func untilSignal(stop context.CancelCauseFunc) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	if <-signals == syscall.SIGTERM {
		stop(errTerminated)
	} else {
		stop(errInterrupted)
	}
	signal.Stop(signals)
}

func fail(stderr io.Writer, code int, err error) int {
	fmt.Fprintf(stderr, "popupd: %s\n", strings.ReplaceAll(err.Error(), "\n", "; "))
	return code
}

// version is the module's version, or devel for a build from a work tree.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return "devel"
}
