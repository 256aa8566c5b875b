package plainlog

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"
)

// hostile is what somebody may send who wants to write lines of their own into
// the log, or to fool whoever reads it in a terminal.
var hostile = []string{
	"\r\nlevel=ERROR msg=forged", "\n{\"level\":\"ERROR\",\"msg\":\"forged\"}", "\x1b[2J\x1b[31m", "\x9b31m", "\u009b31m", "\x00", "a\x7fb", "\b\b\b\b",
	"\u202egpj.exe", "\u2066\u2069", "\u2028\u2029", "\u0085", "\ufeff", "\U000e0001", "\xff\xfe", "\xed\xa0\x80", "\xc0\xaf",
	`" msg="forged`, `\`, "=", " ", "", "a=b", "😀", strings.Repeat("A\n", 32<<10),
}

// textLine is a line as log/slog writes it: names, and values that are quoted
// where they hold anything but plain characters.
var textLine = regexp.MustCompile(`^time=\S+ level=WARN msg=said( [\w.]+=("([^"\\]|\\.)*"|[^\s"=]+))+$`)

func TestLogLines(t *testing.T) {
	for _, value := range hostile {
		var text, lines bytes.Buffer
		New("text", slog.LevelInfo, &text).Warn("said", "key", value, "err", errors.New(value), "bytes", []byte(value))
		New("json", slog.LevelInfo, &lines).Warn("said", "key", value, "err", errors.New(value), "bytes", []byte(value))
		for format, got := range map[string]string{"text": text.String(), "json": lines.String()} {
			line, ended := strings.CutSuffix(got, "\n")
			if !ended || !utf8.ValidString(line) || strings.ContainsFunc(line, func(r rune) bool { return !unicode.IsPrint(r) }) {
				t.Errorf("%s: %.50q is logged as %.200q: not one line of plain text", format, value, got)
			}
		}
		if line := strings.TrimSuffix(text.String(), "\n"); !textLine.MatchString(line) {
			t.Errorf("text: %.50q is logged as %.200q", value, line)
		}
		sameJSON(t, lines.String(), "said", value)
	}
}

// sameJSON fails the test unless a line says what was logged. log/slog replaces
// what is not UTF-8.
func sameJSON(t *testing.T, line, msg, value string) {
	t.Helper()
	var fields struct{ Msg, Key, Err string }
	if err := json.Unmarshal([]byte(line), &fields); err != nil {
		t.Fatalf("%.200q: %v", line, err)
	}
	valid := utf8.ValidString(msg) && utf8.ValidString(value)
	if valid && (fields.Msg != msg || fields.Key != value || fields.Err != value) {
		t.Errorf("%.50q, %.50q is logged as %.200q", msg, value, line)
	}
}

// TestDurations: in JSON a duration is a number of seconds, and says so.
func TestDurations(t *testing.T) {
	var text, lines bytes.Buffer
	for format, out := range map[string]*bytes.Buffer{"text": &text, "json": &lines} {
		New(format, slog.LevelInfo, out).With("pause", time.Minute).Info("said", "took", 1500*time.Microsecond, "n", 7)
	}
	var fields map[string]any
	if err := json.Unmarshal(lines.Bytes(), &fields); err != nil {
		t.Fatal(err)
	}
	if fields["took_seconds"] != 0.0015 || fields["pause_seconds"] != 60.0 || fields["n"] != 7.0 || fields["took"] != nil {
		t.Errorf("json: %s", &lines)
	}
	if !strings.Contains(text.String(), "pause=1m0s took=1.5ms n=7") {
		t.Errorf("text: %s", &text)
	}
}

// TestLevel: what is below the level is not written.
func TestLevel(t *testing.T) {
	for _, format := range []string{"text", "json"} {
		var out bytes.Buffer
		log := New(format, slog.LevelWarn, &out)
		log.Debug("a")
		log.Info("b")
		log.Warn("c")
		log.Error("d")
		if got := strings.Count(out.String(), "\n"); got != 2 {
			t.Errorf("%s: %d lines, want 2:\n%s", format, got, &out)
		}
	}
}

// FuzzLogLine: a line of the log is one line of printable text.
func FuzzLogLine(f *testing.F) {
	f.Add("said", "\x1b[2J\u009b31m\u202e\xff")
	f.Add("a\nb", "\U000e0001\ufffd")
	f.Fuzz(func(t *testing.T, msg, value string) {
		for _, format := range []string{"text", "json"} {
			var out bytes.Buffer
			New(format, slog.LevelInfo, &out).LogAttrs(t.Context(), slog.LevelWarn, msg, slog.String("key", value), slog.Any("err", errors.New(value)))
			line, ended := strings.CutSuffix(out.String(), "\n")
			if !ended || !utf8.ValidString(line) || strings.ContainsFunc(line, func(r rune) bool { return !unicode.IsPrint(r) }) {
				t.Fatalf("%s: %q, %q is logged as %q", format, msg, value, &out)
			}
			if format == "json" {
				sameJSON(t, line, msg, value)
			}
		}
	})
}
