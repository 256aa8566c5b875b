package popup

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// Import is what is to be configured by one change: whole popups, the settings, and rules of
// audiences. The zero value changes nothing.
type Import struct {
	Popups   []ImportPopup   // as they are in the document, no key twice
	Settings *ImportSettings // nil: they stay as they are

	Audiences []ImportAudience // no key twice; others stay as they are

	Source string // where the document comes from; of popups that do not say
	Prune  bool   // popups of this source that the document lacks are archived
}

// ImportPopup is a popup of an import.
type ImportPopup struct {
	Spec
	Version *uint32 // that is to be replaced; 0: there must be none; nil: any
	Source  string  // where it comes from; empty: see [Import]
}

// ImportSettings are the settings of an import.
type ImportSettings struct {
	Settings
	Version *uint32 // that is to be replaced; nil: any
}

// MaxImportPopups is how many popups an import may have.
const MaxImportPopups = 10_000

// maxObject is how many bytes a popup, the settings or an audience may have in an import, which
// is what a request with one of them may have: read, it takes up to sixty times as much memory.
const maxObject = 1 << 20

// ErrTooManyPopups means that a document has more than [MaxImportPopups].
var ErrTooManyPopups = errors.New("too many popups in one import")

// DecodeImport reads an import from JSON, each popup as [Decode] reads one. All that is wrong
// anywhere in it comes back as [FieldErrors]; the member revision, which an export has, is
// ignored.
func DecodeImport(data []byte) (Import, error) {
	var im Import
	var errs FieldErrors
	if !json.Valid(data) {
		return im, FieldErrors{{Detail: syntaxDetail(data)}}
	}
	isTooMany := false
	eachMember(data, &errs, "", func(name string, value []byte) (known bool) {
		at := "/" + name
		switch name {
		case "revision":
		case "popups":
			isTooMany = !eachElement(value, &errs, at, MaxImportPopups, func(i int, element []byte) {
				p, err := decodeObject(element, decodeImportPopup)
				errs.addErr(index(at, i), err)
				im.Popups = append(im.Popups, p)
			})
		case "settings":
			s, err := decodeObject(value, decodeImportSettings)
			errs.addErr(at, err)
			im.Settings = &s
		case "audiences":
			if !eachElement(value, &errs, at, MaxAudiences, func(i int, element []byte) {
				a, err := decodeObject(element, decodeImportAudience)
				errs.addErr(index(at, i), err)
				im.Audiences = append(im.Audiences, a)
			}) {
				errs.add(at, fmt.Sprintf("must have at most %d elements", MaxAudiences))
			}
		case "source":
			im.Source = decodeText(value, &errs, at)
			validateSource(&errs, at, im.Source)
		case "prune":
			if json.Unmarshal(value, &im.Prune) != nil || string(value) == "null" {
				errs.add(at, "must be true or false")
			}
		default:
			return false
		}
		return true
	})
	if isTooMany {
		return Import{}, ErrTooManyPopups
	}
	errs.addTwice("/popups", len(im.Popups), func(i int) string { return im.Popups[i].Key })
	errs.addTwice("/audiences", len(im.Audiences), func(i int) string { return im.Audiences[i].Key })
	if im.Prune && im.Source == "" {
		errs.add("/source", "is required with prune: only popups of the same source are archived")
	}
	if err := errs.err(); err != nil {
		return Import{}, err
	}
	return im, nil
}

// decodeObject reads an object unless it is too long to be one.
func decodeObject[T any](data []byte, decode func([]byte) (T, error)) (object T, err error) {
	if len(data) > maxObject {
		return object, FieldErrors{{Detail: fmt.Sprintf("is longer than %d MiB", maxObject>>20)}}
	}
	return decode(data)
}

func decodeImportPopup(data []byte) (p ImportPopup, err error) {
	var d decoder
	return decodeAs(&d, data, func(tree any) ImportPopup {
		s := d.spec(tree)
		p := ImportPopup{Spec: s}
		o, _ := tree.(object)
		member(&d, o, "version", &p.Version, d.version)
		member(&d, o, "source", &p.Source, d.text)
		return p
	}, func(p *ImportPopup, errs *FieldErrors) {
		p.validateAll(errs)
		validateSource(errs, "/source", p.Source)
	})
}

func decodeImportSettings(data []byte) (ImportSettings, error) {
	var d decoder
	return decodeAs(&d, data, func(tree any) ImportSettings {
		s := ImportSettings{Settings: d.settings(tree)}
		o, _ := tree.(object)
		member(&d, o, "version", &s.Version, d.version)
		return s
	}, func(s *ImportSettings, errs *FieldErrors) { s.validate(errs) })
}

func (d *decoder) version(v any) *uint32 {
	n := d.count(v)
	return &n
}

// eachMember calls read for the members of an object of JSON, until there are as many errors as
// are kept. It reads one at a time: a tree of the whole document would take several times its size.
func eachMember(data []byte, errs *FieldErrors, at string, read func(name string, value []byte) (known bool)) {
	d := json.NewDecoder(bytes.NewReader(data))
	if begin, _ := d.Token(); begin != json.Delim('{') {
		errs.add(at, "must be an object")
		return
	}
	seen := map[string]bool{}
	var value json.RawMessage // its buffer is used again
	for d.More() && len(*errs) < maxFieldErrors {
		token, _ := d.Token() // that it is JSON was seen before
		name, _ := token.(string)
		_ = d.Decode(&value)
		switch {
		case seen[name]:
			errs.add(at+"/"+escapePointer(name), "occurs twice")
		case !read(name, value):
			errs.add(at+"/"+escapePointer(name), "is not a known field")
		}
		seen[name] = true
	}
}

// eachElement is eachMember for an array. It reports false, and stops, if there are more than most.
func eachElement(data []byte, errs *FieldErrors, at string, most int, read func(i int, element []byte)) bool {
	d := json.NewDecoder(bytes.NewReader(data))
	if begin, _ := d.Token(); begin != json.Delim('[') {
		errs.add(at, "must be an array")
		return true
	}
	var element json.RawMessage
	for i := 0; d.More(); i++ {
		if i == most {
			return false
		}
		_ = d.Decode(&element)
		if len(*errs) < maxFieldErrors { // else nothing more is told
			read(i, element)
		}
	}
	return true
}

func decodeText(data []byte, errs *FieldErrors, at string) string {
	tree, wrong := parseTree(data)
	errs.addWithin(at, wrong)
	text, ok := tree.(string)
	if !ok {
		errs.add(at, "must be a string")
	}
	return text
}

// addErr is addWithin for what a decoder returns.
func (e *FieldErrors) addErr(at string, err error) {
	if part, ok := errors.AsType[FieldErrors](err); ok {
		e.addWithin(at, part)
	}
}

// addTwice adds errors for elements whose key another one has.
func (e *FieldErrors) addTwice(at string, n int, keyOf func(i int) string) {
	seen := make(map[string]bool, n)
	for i := range n {
		key := keyOf(i)
		if seen[key] && key != "" { // "" could not be read
			e.add(index(at, i)+"/key", "occurs twice")
		}
		seen[key] = true
	}
}

// MaxSource is how long a source is at most, in bytes.
const MaxSource = 512

func validateSource(errs *FieldErrors, at, source string) { validateText(errs, at, source, MaxSource) }

// isOf reports whether a popup of this source belongs to another: it is the same, or it goes on
// after it with a path behind ":" or "#". Revisions are not compared. What goes on with "/" is
// another source, such as acme/mobile beside acme.
func isOf(source, whole string) bool {
	whole = withoutRevision(whole)
	rest, ok := strings.CutPrefix(withoutRevision(source), whole)
	return ok && whole != "" && (rest == "" || rest[0] == ':' || rest[0] == '#')
}

// withoutRevision returns a source without the @REVISION that it may end with.
func withoutRevision(source string) string {
	i := strings.LastIndexByte(source, '@')
	if i < 0 || strings.ContainsAny(source[i:], ":/") {
		return source
	}
	return source[:i]
}
