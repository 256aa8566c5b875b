// Package popups is the command popupd popups: it keeps what a running popupd has configured
// and files of it the same, through the API of the control plane. How files are read and
// written is the business of package configfile; what differs and what may be changed is
// decided on the server.
package popups

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/popupd/popupd/internal/cli"
	"github.com/popupd/popupd/internal/configfile"
	"github.com/popupd/popupd/popup"
)

// Streams are where a command reads and writes.
type Streams struct {
	In        io.Reader
	Out, Err  io.Writer
	HasColour bool // of Out
}

// HasColour reports whether what is written to out may have colours: a terminal shows it, and
// nobody said otherwise (https://no-color.org).
func HasColour(out io.Writer, environ []string) bool {
	for _, entry := range environ {
		if name, value, _ := strings.Cut(entry, "="); name == "NO_COLOR" && value != "" || name == "TERM" && value == "dumb" {
			return false
		}
	}
	f, ok := out.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// Run runs the command. Mistakes in files are on s.Err by then, and in the error their number.
func Run(c cli.Popups, s Streams) error {
	server := newClient(c)
	if c.Command == "export" {
		return export(c, s, server)
	}
	files, err := readFiles(c.Path, s)
	if err != nil {
		return err
	}
	body, answer, at, err := compare(c, server, files)
	if err != nil {
		return tellRefusal(s, files, err)
	}
	if c.Command == "diff" {
		if err := show(c, s, files, answer); err != nil {
			return err
		}
		if !answer.isUnchanged() {
			return cli.ErrDiffers
		}
		return nil
	}
	if answer.isUnchanged() {
		return show(c, s, files, answer)
	}
	if answer, _, err = server.importFiles(body, false, at); err != nil {
		return tellRefusal(s, files, err)
	}
	if err := show(c, s, files, answer); err != nil {
		return err
	}
	if !answer.isInForce {
		fmt.Fprintf(s.Err, "popupd: it is stored, but %s does not serve it yet: its log says why\n", c.Server)
	}
	return nil
}

// readFiles reads the files, and prints what is wrong with them.
func readFiles(path string, s Streams) (*configfile.Config, error) {
	files, err := configfile.Read(path, s.In)
	if problems, ok := errors.AsType[configfile.Problems](err); ok {
		fmt.Fprintln(s.Err, problems)
		return nil, fmt.Errorf("%s in the files, nothing was sent", count(len(problems), "mistake"))
	}
	return files, err
}

// defaultSource is the name of the files' source if none is given.
const defaultSource = "files"

// compare returns the body of an import, what it would change, and the state of the server that
// it was compared with. Popups whose mark alone would change keep theirs, unless the call says
// that the files' source matters.
func compare(c cli.Popups, server *client, files *configfile.Config) (body []byte, answer *changes, at string, err error) {
	isMarked := c.Prune || c.Source != ""
	if c.Source == "" {
		c.Source = defaultSource
	}
	body = requestBody(c, files, nil)
	answer, at, err = server.importFiles(body, true, "")
	if err != nil || isMarked {
		return body, answer, at, err
	}
	unmarked := map[string]bool{}
	for i := range answer.Objects {
		o := &answer.Objects[i]
		if o.Action == popup.ImportUpdate && len(o.Changes) == 1 && o.More == 0 && o.Changes[0].Pointer == "/source" {
			unmarked[o.Key] = true
		}
	}
	if len(unmarked) > 0 {
		body = requestBody(c, files, unmarked)
		answer, at, err = server.importFiles(body, true, at)
	}
	return body, answer, at, err
}

// requestBody returns the files as the body of an import. It marks all popups with their file
// but those with the keys unmarked.
func requestBody(c cli.Popups, files *configfile.Config, unmarked map[string]bool) []byte {
	quote := func(text string) []byte {
		b, _ := json.Marshal(text) // a string is always fit to be JSON
		return b
	}
	list := func(b []byte, name string, objects []configfile.Object, more func(o configfile.Object) []byte) []byte {
		b = append(b, `"`+name+`":[`...)
		for i, o := range objects {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(append(b, o.JSON[:len(o.JSON)-1]...), more(o)...)
			b = append(b, '}')
		}
		return append(b, "],"...)
	}
	b := list([]byte("{"), "popups", files.Popups, func(o configfile.Object) []byte {
		if unmarked[o.Key] {
			return nil
		}
		mark := c.Source + ":" + o.File
		if c.Revision != "" {
			mark += "@" + c.Revision
		}
		return append([]byte(`,"source":`), quote(mark)...)
	})
	if len(files.Audiences) > 0 {
		b = list(b, "audiences", files.Audiences, func(configfile.Object) []byte { return nil })
	}
	if files.Settings != nil {
		b = append(append(append(b, `"settings":`...), files.Settings.JSON...), ',')
	}
	if c.Prune {
		b = fmt.Appendf(b, `"source":%s,`, quote(c.Source))
	}
	return fmt.Appendf(b, `"prune":%v}`, c.Prune)
}

// tellRefusal prints where the files have what the server refuses, if it says so.
func tellRefusal(s Streams, files *configfile.Config, err error) error {
	refused, ok := errors.AsType[*refusal](err)
	if !ok || len(refused.fields) == 0 {
		return err
	}
	for _, f := range refused.fields {
		detail := strings.TrimSpace(fieldOf(f.Pointer) + " " + f.Detail)
		if place, ok := files.Place(f.Pointer); ok {
			detail = place + ": " + detail
		}
		fmt.Fprintln(s.Err, configfile.Printable(detail))
	}
	return err
}

// fieldOf returns the part of a pointer within its object, as files have it.
func fieldOf(pointer string) string {
	parts := strings.Split(strings.TrimPrefix(pointer, "/"), "/")
	switch parts[0] {
	case "popups", "audiences":
		parts = parts[min(2, len(parts)):]
	case "settings":
		parts = parts[1:]
	}
	return strings.Join(parts, "/")
}

// changes is the answer to an import.
type changes struct {
	Revision int64                `json:"revision"`
	Objects  []popup.ObjectChange `json:"objects"`

	text      []byte // as the server gave it
	isInForce bool
}

func (a *changes) isUnchanged() bool {
	for i := range a.Objects {
		if a.Objects[i].Action != popup.ImportUnchanged {
			return false
		}
	}
	return true
}

// count returns a number with its noun.
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
