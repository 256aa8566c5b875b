package cli

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net/url"
	"strings"
)

// ErrDiffers means that what was compared differs, which nobody needs to be told again: exit
// code 3.
var ErrDiffers = errors.New("files and server differ")

// Popups is the configuration of popupd popups.
type Popups struct {
	Command string // export, diff or apply
	Server  string // URL of the control plane
	Token   string

	Path     string // file, directory or - for stdin and stdout
	Prune    bool
	Source   string // name of the files' source; empty: not given
	Revision string // of the files, such as a commit; empty: not known
	JSON     bool
}

const popupsUsage = `usage: popupd popups export [flags]   write what a server has configured to files
       popupd popups diff   [flags]   print what apply would change; exit code 3 if anything
       popupd popups apply  [flags]   make the server as the files say, all of it or nothing

Files are YAML or JSON: popups, the settings (kind: settings) and audiences by rule
(kind: audience), one object a document. Of a directory all .yaml, .yml and .json files
are read, with those of its subdirectories, but for names that begin with a dot.

  popupd popups export -f config
  popupd popups diff   -f config
  popupd popups apply  -f config -prune -source acme/popups@3f2a1c

Popups keep a mark of the file that they came from. With -prune or -source also those get
it that are on the server already and need no other change. -prune touches no popup that
was made by hand or comes from another source.

The token is read from -token-file or POPUPD_TOKEN. export and diff need the role viewer,
apply needs admin. Exit codes: 0, 1 for a failure, 2 for a mistake in the call, 3 if diff
finds a difference.

Every flag is also a variable: -server is POPUPD_SERVER. The flag wins.

`

// popupsFlags are the flags of a command, or those of all of them if it is empty.
func popupsFlags(c *Popups, command string) *flag.FlagSet {
	fs := flag.NewFlagSet("popupd popups "+command, flag.ContinueOnError)
	fs.StringVar(&c.Path, "f", "-", map[string]string{
		"export": "Write to this `path`: a directory, in which each object gets a file and files that say the same stay as they are; a file; - for stdout",
		"diff":   "Compare what this `path` says: a file or a directory; - for stdin",
		"apply":  "Apply what this `path` says: a file or a directory; - for stdin",
		"":       "A file or a directory, which is written or read; - is stdout and stdin",
	}[command])
	fs.BoolVar(&c.Prune, "prune", false, map[string]string{
		"export": "Remove files of popups and audiences that the server does not have",
		"diff":   "Compare with popups, too, that came from this source and are in no file any more",
		"apply":  "Archive popups that came from this source and are in no file any more",
		"":       "Archive popups that came from this source and are in no file any more; with `export`, remove files of what the server does not have",
	}[command])
	if command != "export" {
		fs.Func("source", "Mark popups as coming from this `NAME`, or NAME@REVISION, such as a repository and a commit; the path of the file is added. Without it the name is files", func(s string) error {
			c.Source, c.Revision = splitSource(s)
			if c.Source == "" {
				return errors.New("want NAME or NAME@REVISION")
			}
			return nil
		})
	}
	fs.StringVar(&c.Server, "server", "http://127.0.0.1:8081", "Ask the popupd whose control plane has this `URL`")
	fs.StringVar(new(string), "token-file", "", "Read the bearer token of the control plane from this `file`")
	fs.BoolVar(&c.JSON, "json", false, map[string]string{
		"export": "Write JSON instead of YAML to stdout and to new files",
		"diff":   "Print the server's JSON",
		"apply":  "Print the server's JSON",
		"":       "Print the server's JSON; with `export`, write JSON instead of YAML to stdout and to new files",
	}[command])
	return fs
}

// splitSource cuts the revision off NAME@REVISION. An @ that is followed by : or /, as in the
// address of a repository, is part of the name.
func splitSource(s string) (name, revision string) {
	if i := strings.LastIndexByte(s, '@'); i >= 0 && !strings.ContainsAny(s[i:], ":/") {
		return s[:i], s[i+1:]
	}
	return s, ""
}

// ParsePopups is [ParseServe] for popupd popups.
func ParsePopups(args, environ []string, help io.Writer) (Popups, error) {
	var c Popups
	if len(args) > 0 {
		c.Command = args[0]
	}
	switch c.Command {
	case "export", "diff", "apply":
	case "-h", "-help", "--help", "help":
		fmt.Fprint(help, popupsUsage)
		return c, flag.ErrHelp
	default:
		return c, fmt.Errorf("popups %q: want export, diff or apply, as popupd popups -help says; %w", c.Command, ErrUsage)
	}
	fs := popupsFlags(&c, c.Command)
	if _, err := parseFlags(fs, args[1:], environ, help); err != nil {
		return c, err
	}
	if err := c.readToken(fs.Lookup("token-file").Value.String(), environ); err != nil {
		return c, err
	}
	server, err := url.Parse(c.Server)
	switch {
	case err != nil || server.Scheme != "http" && server.Scheme != "https" || server.Host == "":
		err = fmt.Errorf("-server %q: want a URL such as http://127.0.0.1:8081", c.Server)
	case c.Path == "":
		err = errors.New("-f: want a file, a directory or -")
	case c.Command == "export" && c.Prune && c.Path == "-":
		err = errors.New("-prune: there is nothing to remove on stdout; give a directory with -f")
	case c.Token == "":
		err = errors.New("no token: give -token-file, or POPUPD_TOKEN; a server keeps the one it has generated in admin-token in its -data")
	case !isSendable(c.Token):
		err = errors.New("the token has spaces around it or control characters, which no request can send")
	default:
		return c, nil
	}
	return c, fmt.Errorf("%w; %w", err, ErrUsage)
}

// readToken reads the token from the file or the variable. There is no flag for the token
// itself: everybody on the host could read it.
func (c *Popups) readToken(file string, environ []string) error {
	for _, entry := range environ {
		if value, ok := strings.CutPrefix(entry, envPrefix+"TOKEN="); ok {
			c.Token = value
		}
	}
	if file == "" {
		return nil
	}
	if c.Token != "" {
		return fmt.Errorf("POPUPD_TOKEN and -token-file exclude each other; %w", ErrUsage)
	}
	token, _, err := readSecret(file)
	if err != nil {
		return fmt.Errorf("-token-file: %w", err)
	}
	c.Token = token
	return nil
}
