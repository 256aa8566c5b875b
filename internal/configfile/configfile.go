// Package configfile reads and writes configuration as files: popups, settings and audiences
// by rule, as JSON or YAML, in one file or a directory of them. It knows where each value is
// written, so that every mistake is told as file:line:column. It talks to no server.
//
// A document of a file is an object as the API takes it: a popup or, with a member kind, the
// settings or an audience. A YAML file may have several documents, a JSON file several values.
package configfile

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/popupd/popupd/popup"
)

// Config is what the files say.
type Config struct {
	Popups    []Object // in the order of the files' names
	Audiences []Object // likewise
	Settings  *Object  // nil: the files say nothing of them
}

// Object is a popup, an audience or the settings, as one file has it.
type Object struct {
	Kind string // one of the kinds below
	Key  string // of a popup or an audience
	JSON []byte // as the API takes it
	File string // path below the directory that was read, with slashes; the base name of a single file

	value *value
	shown string // the file's path as the caller knows it
}

// Objects returns all that the files say.
func (c *Config) Objects() []Object {
	all := append(slices.Clone(c.Popups), c.Audiences...)
	if c.Settings != nil {
		all = append(all, *c.Settings)
	}
	return all
}

// Find returns the object of a kind and key; the settings have whichever key.
func (c *Config) Find(kind, key string) (o Object, ok bool) {
	switch kind {
	case KindSettings:
		if c.Settings != nil {
			return *c.Settings, true
		}
		return o, false
	case KindAudience:
		return find(c.Audiences, key)
	}
	return find(c.Popups, key)
}

func find(objects []Object, key string) (o Object, ok bool) {
	if i := slices.IndexFunc(objects, func(o Object) bool { return o.Key == key }); i >= 0 {
		return objects[i], true
	}
	return o, false
}

// At returns where an object has the value that a JSON pointer leads to, or the closest
// one around it, as file:line:column.
func (o *Object) At(pointer string) string {
	_, m := o.value.closest(pointer)
	return at(o.shown, m)
}

func at(file string, m mark) string { return fmt.Sprintf("%s:%d:%d", file, m.line, m.column) }

// Place returns where the files have what a JSON pointer leads to, such as /popups/3/name,
// in an object whose lists of popups and audiences are these. ok is false where they have
// nothing of it.
func (c *Config) Place(pointer string) (place string, ok bool) {
	kind, rest, _ := strings.Cut(strings.TrimPrefix(pointer, "/"), "/")
	if kind == "settings" && c.Settings != nil {
		return c.Settings.At("/" + rest), true
	}
	objects := c.Popups
	if kind != "popups" {
		objects = c.Audiences
	}
	index, rest, _ := strings.Cut(rest, "/")
	i, err := strconv.Atoi(index)
	if kind != "popups" && kind != "audiences" || err != nil || i < 0 || i >= len(objects) {
		return "", false
	}
	return objects[i].At("/" + rest), true
}

// MaxProblems is how many mistakes are told at once.
const MaxProblems = 100

// Problem is a mistake in a file.
type Problem struct {
	Place  string // file:line:column, or a path alone
	Detail string // what is wrong and what is wanted

	file string
	mark mark
}

// Problems are the mistakes in the files, as an error.
type Problems []Problem

// maxKept is how many mistakes are kept, so that they can be told in the order of the files.
const maxKept = 10 * MaxProblems

// Error lists the mistakes, one a line, at most [MaxProblems] of them.
func (p Problems) Error() string {
	var b strings.Builder
	for i, problem := range p {
		if i == MaxProblems {
			fmt.Fprintf(&b, "and %d more\n", len(p)-i)
			break
		}
		fmt.Fprintf(&b, "%s: %s\n", problem.Place, problem.Detail)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

const isEmpty = "is empty: want a popup, or kind: settings or kind: audience"

// reader collects what the files say, and the mistakes in them.
type reader struct {
	config   Config
	problems Problems
	size     int               // bytes that were read
	unread   map[string]bool   // places of what could not be read as it is written
	objects  map[string]string // where each object is, by its kind and key
}

func newReader() *reader { return &reader{unread: map[string]bool{}, objects: map[string]string{}} }

func (r *reader) refuse(file string, m mark, format string, args ...any) {
	if len(r.problems) >= maxKept {
		return
	}
	p := Problem{Place: file, Detail: fmt.Sprintf(format, args...), file: file, mark: m}
	if m.line > 0 {
		p.Place = at(file, m)
	}
	r.problems = append(r.problems, p)
}

// result returns what was read, or all mistakes in the order of the files and lines.
func (r *reader) result() (*Config, error) {
	if len(r.problems) == 0 {
		return &r.config, nil
	}
	slices.SortStableFunc(r.problems, func(a, b Problem) int {
		if a.file != b.file {
			return strings.Compare(a.file, b.file)
		}
		return a.mark.compare(b.mark)
	})
	return nil, r.problems
}

// Kinds of documents. A document without one is a popup.
const (
	KindPopup    = "popup"
	KindSettings = "settings"
	KindAudience = "audience"
)

// Members of a document that are not sent: those of the file alone, and those that only a
// server writes, which a file may have because the API's answers do.
var unsent = []string{"kind", "$schema", "id", "version", "updated_at", "source", "warnings", "stats"}

// document takes what one document says.
func (r *reader) document(file, shown string, v *value) {
	if v.kind != object {
		r.refuse(shown, v.mark, "want an object: a popup, or kind: settings or kind: audience")
		return
	}
	if len(v.members) == 0 {
		r.refuse(shown, v.mark, isEmpty)
		return
	}
	o := Object{Kind: KindPopup, File: file, value: v, shown: shown}
	if kind, ok := v.get("kind"); ok && !r.unread[at(shown, kind.mark)] {
		o.Kind = kind.text()
	}
	sent := v.without(unsent)
	o.JSON = sent.appendJSON(nil)
	var err error
	switch o.Kind {
	case KindPopup:
		var spec popup.Spec
		spec, err = popup.Decode(o.JSON)
		o.Key = spec.Key
	case KindSettings:
		_, err = popup.DecodeSettings(o.JSON)
	case KindAudience:
		_, err = popup.DecodeAudience(o.JSON)
		if key, ok := sent.get("key"); !ok || !popup.ValidAudienceKey(key.text()) {
			fields, _ := err.(popup.FieldErrors)
			err = append(fields, popup.FieldError{Pointer: "/key", Detail: "is required: 1 to 64 of a-z, 0-9 and -, the first not -"})
		} else {
			o.Key = key.text()
		}
		o.JSON = sent.only("key", "rule").appendJSON(nil) // an answer of the API tells more of it
	default:
		err = popup.FieldErrors{{Pointer: "/kind", Detail: "must be popup, settings or audience"}}
	}
	if !r.refuseFields(shown, v, err) {
		r.add(o)
	}
}

// add takes an object that is valid, unless another one has its name.
func (r *reader) add(o Object) {
	name := o.Kind + " " + o.Key
	if o.Kind == KindSettings {
		name = "a document of settings"
	}
	if first, twice := r.objects[name]; twice {
		_, m := o.value.closest("/key")
		r.refuse(o.shown, m, "%s is at %s, too", name, first)
		return
	}
	r.objects[name] = o.At("/key")
	switch o.Kind {
	case KindPopup:
		r.config.Popups = append(r.config.Popups, o)
	case KindAudience:
		r.config.Audiences = append(r.config.Audiences, o)
	case KindSettings:
		r.config.Settings = &o
	}
}

// refuseFields tells what is wrong with the value that was decoded, if anything is.
func (r *reader) refuseFields(shown string, v *value, err error) bool {
	fields, ok := err.(popup.FieldErrors)
	for _, f := range fields {
		wrong, m := v.closest(f.Pointer)
		if r.unread[at(shown, m)] || r.unread[at(shown, wrong.mark)] {
			continue // a consequence
		}
		if pointer := strings.TrimPrefix(f.Pointer, "/"); pointer == "" {
			r.refuse(shown, m, "%s", Printable(f.Detail))
		} else {
			r.refuse(shown, m, "%s %s", Printable(pointer), Printable(f.Detail))
		}
	}
	if err != nil && !ok {
		r.refuse(shown, v.mark, "%v", err)
	}
	return err != nil
}
