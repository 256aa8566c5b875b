package cli

import (
	"fmt"
	"log/slog"
	"math"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/popupd/popupd/handler"
	"github.com/popupd/popupd/popup"
)

// size is a number of bytes, written as 64MiB or 1GiB.
type size int64

func (s size) MarshalText() ([]byte, error) {
	return []byte(strings.NewReplacer(" ", "", ".0", "").Replace(humanize.IBytes(uint64(s)))), nil
}

func (s *size) UnmarshalText(text []byte) error {
	n, err := humanize.ParseBytes(string(text))
	if err != nil || n == 0 || n > math.MaxInt64 {
		return fmt.Errorf("%q is not a size such as 64MiB", text)
	}
	*s = size(n)
	return nil
}

// syncInterval is a duration of at least a millisecond, or always, which is 0.
type syncInterval time.Duration

func (s syncInterval) MarshalText() ([]byte, error) {
	if s == 0 {
		return []byte("always"), nil
	}
	return []byte(time.Duration(s).String()), nil
}

func (s *syncInterval) UnmarshalText(text []byte) error {
	if string(text) == "always" {
		*s = 0
		return nil
	}
	d, err := time.ParseDuration(string(text))
	if err != nil || d < time.Millisecond {
		return fmt.Errorf("%q is neither always nor a time such as 200ms", text)
	}
	*s = syncInterval(d)
	return nil
}

// logLevel is a level of package slog in lower case.
type logLevel slog.Level

func (l logLevel) MarshalText() ([]byte, error) {
	return []byte(strings.ToLower(slog.Level(l).String())), nil
}

func (l *logLevel) UnmarshalText(text []byte) error {
	for _, level := range []slog.Level{slog.LevelDebug, slog.LevelInfo, slog.LevelWarn, slog.LevelError} {
		if string(text) == strings.ToLower(level.String()) {
			*l = logLevel(level)
			return nil
		}
	}
	return fmt.Errorf("%q is none of debug, info, warn and error", text)
}

// origins is a list of origins, separated by commas.
type origins []string

func (o origins) MarshalText() ([]byte, error) { return []byte(strings.Join(o, ",")), nil }

func (o *origins) UnmarshalText(text []byte) (err error) {
	*o, err = handler.ParseOrigins(string(text))
	return err
}

// Zone is a time zone, by its IANA name.
type Zone struct{ *time.Location }

func (z Zone) MarshalText() ([]byte, error) { return []byte(z.String()), nil }

func (z *Zone) UnmarshalText(text []byte) (err error) {
	z.Location, err = popup.LoadZone(string(text))
	return err
}
