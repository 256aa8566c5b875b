package popups

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/popupd/popupd/internal/cli"
	"github.com/popupd/popupd/internal/configfile"
	"github.com/popupd/popupd/popup"
)

// oneLine is up to how many characters two values stand on one line.
const oneLine = 60

// How things begin that were added, taken away and changed, with and without colours.
var (
	plainSigns  = signs{add: "+", remove: "-", change: "~"}
	colourSigns = signs{add: "\x1b[32m+", remove: "\x1b[31m-", change: "\x1b[33m~", end: "\x1b[0m"}
)

type signs struct{ add, remove, change, end string }

// show prints what an import changes or has changed.
func show(c cli.Popups, s Streams, files *configfile.Config, a *changes) error {
	var b strings.Builder
	if c.JSON {
		b.Write(bytes.TrimSpace(a.text))
		b.WriteByte('\n')
	} else {
		p := printer{b: &b, signs: plainSigns, files: files, isDone: c.Command == "apply"}
		if s.HasColour {
			p.signs = colourSigns
		}
		for i := range a.Objects {
			p.object(&a.Objects[i])
		}
		p.summary(a)
	}
	_, err := s.Out.Write([]byte(b.String()))
	return err
}

type printer struct {
	b *strings.Builder
	signs
	files  *configfile.Config
	isDone bool // else it only would be
}

func (p *printer) object(o *popup.ObjectChange) {
	name := string(o.Kind)
	if o.Kind != popup.SettingsObject {
		name += " " + configfile.Printable(o.Key)
	}
	file, inFiles := p.files.Find(string(o.Kind), o.Key)
	where := ""
	if inFiles {
		where = ", " + file.At("")
	}
	switch o.Action {
	case popup.ImportCreate:
		fmt.Fprintf(p.b, "%s %s%s%s\n", p.add, name, where, p.end)
	case popup.ImportUpdate:
		fmt.Fprintf(p.b, "%s %s, version %d%s%s\n", p.change, name, o.FromVersion, where, p.end)
	case popup.ImportArchive:
		if !inFiles {
			where = ": it is in no file"
		}
		fmt.Fprintf(p.b, "%s %s, version %d%s%s\n", p.remove, name, o.FromVersion, where, p.end)
	default:
		return
	}
	if inFiles {
		for i := range o.Changes {
			p.difference(&o.Changes[i])
		}
	}
	if o.More > 0 {
		fmt.Fprintf(p.b, "    and %d more\n", o.More)
	}
	for _, w := range o.Warnings {
		at := ""
		if inFiles {
			at = " (" + file.At(w.Pointer) + ")"
		}
		fmt.Fprintf(p.b, "    warning: %s %s%s\n", configfile.Printable(strings.TrimPrefix(w.Pointer, "/")), configfile.Printable(w.Detail), at)
	}
}

func (p *printer) difference(d *popup.ListedDifference) {
	field := configfile.Printable(strings.TrimPrefix(d.Pointer, "/"))
	from, to := valueText(d.From, d.Cut), valueText(d.To, d.Cut)
	switch {
	case d.From == nil:
		fmt.Fprintf(p.b, "    %s: %s %s%s\n", field, p.add, to, p.end)
	case d.To == nil:
		fmt.Fprintf(p.b, "    %s: %s %s%s\n", field, p.remove, from, p.end)
	case utf8.RuneCountInString(from)+utf8.RuneCountInString(to) <= oneLine:
		fmt.Fprintf(p.b, "    %s: %s -> %s\n", field, from, to)
	default:
		fmt.Fprintf(p.b, "    %s:\n      %s %s%s\n      %s %s%s\n", field, p.remove, from, p.end, p.add, to, p.end)
	}
}

// valueText returns a value as JSON. One that is cut is a text with the beginning of its JSON.
func valueText(value json.RawMessage, isCut bool) string {
	var text string
	if isCut && json.Unmarshal(value, &text) == nil && strings.HasSuffix(text, "…") {
		return configfile.Printable(text)
	}
	return configfile.Printable(string(value))
}

func (p *printer) summary(a *changes) {
	var create, update, archive, unchanged int
	for i := range a.Objects {
		switch a.Objects[i].Action {
		case popup.ImportCreate:
			create++
		case popup.ImportUpdate:
			update++
		case popup.ImportArchive:
			archive++
		default:
			unchanged++
		}
	}
	switch {
	case create+update+archive == 0:
		fmt.Fprintf(p.b, "nothing differs, %d unchanged: revision %d\n", unchanged, a.Revision)
	case p.isDone:
		fmt.Fprintf(p.b, "%d created, %d changed, %d archived, %d unchanged: revision %d\n", create, update, archive, unchanged, a.Revision)
	default:
		fmt.Fprintf(p.b, "%d to create, %d to change, %d to archive, %d unchanged: revision %d\n", create, update, archive, unchanged, a.Revision)
	}
}
