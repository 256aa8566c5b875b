package popup

import "strings"

// FieldError is one thing that is wrong with a [Spec] or [Settings].
type FieldError struct {
	Pointer string `json:"pointer"` // JSON pointer (RFC 6901); empty: the document as a whole
	Detail  string `json:"detail"`  // what is wanted there
}

// FieldErrors is everything that is wrong with a [Spec] or [Settings], as an error.
type FieldErrors []FieldError

// maxFieldErrors bounds the answer to a hopeless document.
const maxFieldErrors = 100

// Error lists the errors on one line.
func (e FieldErrors) Error() string {
	var b strings.Builder
	for i, f := range e {
		if i > 0 {
			b.WriteString("; ")
		}
		if f.Pointer != "" {
			b.WriteString(f.Pointer)
			b.WriteByte(' ')
		}
		b.WriteString(f.Detail)
	}
	return b.String()
}

// add appends an error unless its place, or one around or inside it, has one
// already: the second would only be a consequence of the first.
func (e *FieldErrors) add(pointer, detail string) {
	if len(*e) >= maxFieldErrors {
		return
	}
	for _, f := range *e {
		if within(pointer, f.Pointer) || within(f.Pointer, pointer) {
			return
		}
	}
	*e = append(*e, FieldError{Pointer: pointer, Detail: detail})
}

// addWithin adds the errors of a document that is part of this one.
func (e *FieldErrors) addWithin(at string, part FieldErrors) {
	for _, f := range part {
		e.add(at+f.Pointer, f.Detail)
	}
}

// within reports whether a JSON pointer leads to, or through, another.
func within(pointer, other string) bool {
	rest, ok := strings.CutPrefix(pointer, other)
	return ok && (rest == "" || rest[0] == '/')
}

// err returns e as an error, nil if there is none.
func (e FieldErrors) err() error {
	if len(e) == 0 {
		return nil
	}
	return e
}
