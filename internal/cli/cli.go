// Package cli reads the command line: flags, the environment variables that
// stand for them, and the files that hold secrets. It validates what it reads
// and opens nothing but those files; what the configuration leads to is the
// business of the packages that run it (internal/server, internal/doctor).
package cli

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"runtime/debug"
	"strings"
)

// ErrUsage marks a mistake in the call: exit code 2.
var ErrUsage = errors.New("see popupd -help")

const usage = `usage: popupd [serve] [flags]
       popupd doctor [flags]    print what this host, MySQL and Redis lack
       popupd explain [flags]   print what a user's poll would come to, and why
       popupd plan [flags]      print the servers, memory and stores that a load needs
       popupd popups export|diff|apply [flags]
                                popups, settings and audiences as files; see popupd popups -help
       popupd version

Every flag is also a variable: -admin-listen is POPUPD_ADMIN_LISTEN. The flag wins.
Secrets belong in variables or files: everybody on this host can read flags.

`

// usageOf returns what the help of a command says before its flags.
func usageOf(fs *flag.FlagSet) string {
	if strings.HasPrefix(fs.Name(), "popupd popups") {
		return popupsUsage
	}
	return usage
}

// parseFlags reads the flags of one command. Variables of the other commands are no
// mistake. exposed is that of readFileFlags.
func parseFlags(fs *flag.FlagSet, args, environ []string, help io.Writer) (exposed []string, err error) {
	fs.SetOutput(io.Discard)
	if err := fs.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			fmt.Fprint(help, usageOf(fs))
			fs.SetOutput(help)
			fs.PrintDefaults()
			return nil, err
		}
		return nil, fmt.Errorf("%w; %w", err, ErrUsage)
	}
	if fs.NArg() > 0 {
		return nil, fmt.Errorf("unknown argument %q; %w", fs.Arg(0), ErrUsage)
	}
	if err := parseEnv(fs, environ); err != nil {
		return nil, fmt.Errorf("%w; %w", err, ErrUsage)
	}
	return readFileFlags(fs)
}

const envPrefix = "POPUPD_"

// isForeign reports whether a variable with the prefix is not a flag's: the tests
// of this repository have one, and Kubernetes sets some for a service called popupd.
func isForeign(name string) bool {
	return name == "POPUPD_REQUIRE_STORES" || name == "POPUPD_PORT" ||
		strings.HasPrefix(name, "POPUPD_PORT_") || strings.HasPrefix(name, "POPUPD_SERVICE_")
}

// isFlag reports whether any command has a flag of this name.
func isFlag(name string) bool {
	for _, fs := range []*flag.FlagSet{serveFlags(new(Serve)), doctorFlags(new(Doctor)), explainFlags(new(Explain)), planFlags(new(Plan)), popupsFlags(new(Popups), "")} {
		if fs.Lookup(name) != nil {
			return true
		}
	}
	return false
}

// parseEnv sets the flags that were not given from their variables.
func parseEnv(fs *flag.FlagSet, environ []string) error {
	given := make(map[string]bool)
	fs.Visit(func(f *flag.Flag) { given[f.Name] = true })
	for _, entry := range environ {
		name, value, _ := strings.Cut(entry, "=")
		suffix, ours := strings.CutPrefix(name, envPrefix)
		if !ours || isForeign(name) {
			continue
		}
		flagName := strings.ReplaceAll(strings.ToLower(suffix), "_", "-")
		if !isFlag(flagName) || suffix != strings.ToUpper(suffix) {
			return fmt.Errorf("unknown variable %s", name)
		}
		if given[flagName] || fs.Lookup(flagName) == nil {
			continue
		}
		if err := fs.Set(flagName, value); err != nil {
			return fmt.Errorf("variable %s: %w", name, err)
		}
	}
	return nil
}

// Exit prints why a command failed, in one line, and returns its exit code: 0
// without an error or after printing help, 2 for ErrUsage, 3 for ErrDiffers, which is not
// printed, else 1.
func Exit(stderr io.Writer, err error) int {
	code := exitCode(err)
	if code != 0 && code != 3 {
		fmt.Fprintf(stderr, "popupd: %s\n", oneLine(err))
	}
	return code
}

// ExitLogged is [Exit] into a log, whose readers may take nothing but its records.
func ExitLogged(log *slog.Logger, err error) int {
	code := exitCode(err)
	if code != 0 {
		log.Error("popupd ends", "err", oneLine(err), "exit_code", code)
	}
	return code
}

func oneLine(err error) string { return strings.ReplaceAll(err.Error(), "\n", "; ") }

func exitCode(err error) int {
	switch {
	case err == nil || errors.Is(err, flag.ErrHelp):
		return 0
	case errors.Is(err, ErrUsage):
		return 2
	case errors.Is(err, ErrDiffers):
		return 3
	}
	return 1
}

// Version returns the version of the module, or devel for a build from a work tree.
func Version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return "devel"
}
