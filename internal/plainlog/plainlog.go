// Package plainlog is a log that no one who is logged can write in: each record is
// one line, of nothing but printable text.
// What is logged, and when, is decided where it happens.
package plainlog

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// New returns a log in the format text or json, see log/slog, of records that have
// at least this level.
func New(format string, level slog.Leveler, w io.Writer) *slog.Logger {
	if format == "json" {
		return slog.New(slog.NewJSONHandler(plainLines{w}, &slog.HandlerOptions{Level: level, ReplaceAttr: inSeconds}))
	}
	return slog.New(slog.NewTextHandler(plainLines{w}, &slog.HandlerOptions{Level: level}))
}

// inSeconds makes a duration a number whose name says its unit: log/slog would write
// nanoseconds, and not say so.
func inSeconds(_ []string, a slog.Attr) slog.Attr {
	if a.Value.Kind() == slog.KindDuration {
		return slog.Float64(a.Key+"_seconds", a.Value.Duration().Seconds())
	}
	return a
}

// plainLines escapes what is not printable as \u and four hex digits, as JSON does, and
// leaves the end of the line. log/slog escapes most of it, but not DEL, nor in JSON
// what steers a terminal (U+009B) or turns the direction of writing (U+202E): user
// ids, paths and the messages of a store may hold any of them.
type plainLines struct{ w io.Writer }

func (p plainLines) Write(b []byte) (int, error) {
	line := bytes.TrimSuffix(b, []byte("\n"))
	if bytes.IndexFunc(line, notPlain) < 0 {
		return p.w.Write(b)
	}
	plain := make([]byte, 0, len(b)+64)
	for len(line) > 0 {
		r, n := utf8.DecodeRune(line)
		switch {
		case !notPlain(r):
			plain = append(plain, line[:n]...)
		case r <= 0xffff:
			plain = fmt.Appendf(plain, `\u%04x`, r)
		default:
			hi, lo := utf16.EncodeRune(r)
			plain = fmt.Appendf(plain, `\u%04x\u%04x`, hi, lo)
		}
		line = line[n:]
	}
	if _, err := p.w.Write(append(plain, '\n')); err != nil {
		return 0, err
	}
	return len(b), nil
}

func notPlain(r rune) bool { return r == utf8.RuneError || !unicode.IsPrint(r) }
