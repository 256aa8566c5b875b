package popups

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/popupd/popupd/internal/cli"
	"github.com/popupd/popupd/internal/configfile"
)

// stored is an object that a server has.
type stored struct {
	kind, key string
	text      []byte // JSON
}

// objects returns what was exported: the settings, audiences, popups.
func (e *exported) objects() (all []stored) {
	all = append(all, stored{kind: configfile.KindSettings, text: e.Settings})
	for _, list := range []struct {
		kind    string
		objects []json.RawMessage
	}{{configfile.KindAudience, e.Audiences}, {configfile.KindPopup, e.Popups}} {
		for _, text := range list.objects {
			all = append(all, stored{list.kind, configfile.Key(text), text})
		}
	}
	return all
}

// write returns an object as a document of a file.
func (o *stored) write(asJSON bool) ([]byte, error) {
	if asJSON {
		return configfile.JSON(o.kind, o.text)
	}
	return configfile.YAML(o.kind, o.text)
}

func export(c cli.Popups, s Streams, server *client) error {
	e, err := server.export()
	if err != nil {
		return err
	}
	isDirectory := strings.HasSuffix(c.Path, "/") || !configfile.IsName(c.Path)
	if info, err := os.Stat(c.Path); err == nil {
		isDirectory = info.IsDir()
	}
	if c.Path != "-" && isDirectory {
		return exportDirectory(c, s, e.objects())
	}
	if c.Prune {
		return fmt.Errorf("-prune: %s is no directory; %w", c.Path, cli.ErrUsage)
	}
	asJSON := c.JSON || isJSON(c.Path)
	var text []byte
	if !asJSON {
		text = append(text, configfile.SchemaLine...)
	}
	for i, o := range e.objects() {
		document, err := o.write(asJSON)
		if err != nil {
			return fmt.Errorf("%s does not answer as popupd does: %w", c.Server, err)
		}
		if i > 0 && !asJSON {
			text = append(text, "---\n"...)
		}
		text = append(text, document...)
	}
	if c.Path == "-" {
		_, err = s.Out.Write(text)
		return err
	}
	if err := os.WriteFile(c.Path, text, 0o644); err != nil {
		return err
	}
	fmt.Fprintf(s.Out, "%s: %s\n", c.Path, count(len(e.objects()), "object"))
	return nil
}

func isJSON(file string) bool { return strings.EqualFold(path.Ext(file), ".json") }

// directory is one that an export goes to.
type directory struct {
	root    *os.Root // what leads out of it cannot be written
	name    string
	out     Streams
	asJSON  bool               // of new files
	before  *configfile.Config // what its files say
	objects map[string]int     // how many each file has

	written, removed, unchanged int
	left                        configfile.Problems // what is to be changed by hand
}

// exportDirectory writes the files of a directory anew that do not say what the server has.
func exportDirectory(c cli.Popups, s Streams, all []stored) error {
	if err := os.MkdirAll(c.Path, 0o755); err != nil {
		return err
	}
	before, err := configfile.Read(c.Path, nil)
	if errors.Is(err, configfile.ErrNoFiles) {
		before, err = new(configfile.Config), nil
	}
	if problems, ok := errors.AsType[configfile.Problems](err); ok {
		fmt.Fprintln(s.Err, problems)
		return fmt.Errorf("%s in the files that are there, nothing was written", count(len(problems), "mistake"))
	}
	if err != nil {
		return err
	}
	d := directory{name: c.Path, out: s, asJSON: c.JSON, before: before, objects: map[string]int{}}
	if d.root, err = os.OpenRoot(c.Path); err != nil {
		return err
	}
	defer d.root.Close()
	for _, o := range before.Objects() {
		d.objects[o.File]++
	}
	if err := d.write(all); err != nil {
		return err
	}
	if err := d.compare(all, c.Prune); err != nil {
		return err
	}
	fmt.Fprintf(s.Out, "%d written, %d removed, %d unchanged\n", d.written, d.removed, d.unchanged)
	if len(d.left) > 0 {
		fmt.Fprintln(s.Err, d.left)
		return fmt.Errorf("%s to be changed by hand", count(len(d.left), "object"))
	}
	return nil
}

func (d *directory) write(all []stored) error {
	for _, o := range all {
		file := path.Join(o.kind+"s", o.key)
		if o.kind == configfile.KindSettings {
			file = o.kind
		}
		if file += ".yaml"; d.asJSON {
			file = strings.TrimSuffix(file, ".yaml") + ".json"
		}
		if was, ok := d.before.Find(o.kind, o.key); ok {
			if configfile.Same(o.kind, was.JSON, o.text) {
				d.unchanged++
				continue
			}
			if file = was.File; d.objects[file] > 1 {
				d.leave(was.At(""), "%s is another one on the server, and the file has others, too", o)
				continue
			}
		} else if d.objects[file] > 0 {
			d.leave(d.shown(file), "should have %s, and has something else", o)
			continue
		}
		text, err := o.write(isJSON(file))
		if err != nil {
			return err
		}
		if !isJSON(file) {
			text = append([]byte(configfile.SchemaLine), text...)
		}
		if err := d.writeFile(file, text); err != nil {
			return err
		}
	}
	return nil
}

func (d *directory) writeFile(file string, text []byte) error {
	if err := d.root.MkdirAll(filepath.FromSlash(path.Dir(file)), 0o755); err != nil {
		return err
	}
	if err := d.root.WriteFile(filepath.FromSlash(file), text, 0o644); err != nil {
		return err
	}
	d.written++
	fmt.Fprintf(d.out.Out, "%s: written\n", d.shown(file))
	return nil
}

func (d *directory) leave(place, format string, o stored) {
	d.left = append(d.left, configfile.Problem{Place: place, Detail: fmt.Sprintf(format, strings.TrimSpace(o.kind+" "+configfile.Printable(o.key)))})
}

func (d *directory) shown(file string) string {
	return filepath.Join(d.name, filepath.FromSlash(configfile.Printable(file)))
}

// compare tells of objects in files that the server does not have, or removes their files.
func (d *directory) compare(all []stored, prune bool) error {
	there := map[string]bool{}
	for _, o := range all {
		there[o.kind+" "+o.key] = true
	}
	for _, o := range d.before.Objects() {
		if there[o.Kind+" "+o.Key] {
			continue
		}
		switch {
		case !prune:
			fmt.Fprintf(d.out.Out, "%s: %s %s is not on the server; -prune removes the file\n", o.At(""), o.Kind, o.Key)
			continue
		case d.objects[o.File] > 1:
			d.leave(o.At(""), "%s is not on the server, and the file has others, too", stored{kind: o.Kind, key: o.Key})
			continue
		}
		if err := d.root.Remove(filepath.FromSlash(o.File)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		d.removed++
		fmt.Fprintf(d.out.Out, "%s: removed\n", d.shown(o.File))
	}
	return nil
}
