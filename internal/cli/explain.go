package cli

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Explain is the configuration of popupd explain.
type Explain struct {
	Server string // URL of the control plane
	Token  string

	UID, PriorUID string
	Placements    []string
	Trigger, Zone string
	Attrs         []Attr // in the order of the call; several of one name are a set
	At            string // RFC 3339; empty: now
	Popup         string // key; empty: all
	Limit         int
	JSON          bool
}

// Attr is an attribute of the user.
type Attr struct{ Name, Value string }

func explainFlags(c *Explain) *flag.FlagSet {
	fs := flag.NewFlagSet("popupd explain", flag.ContinueOnError)
	fs.StringVar(&c.UID, "uid", "", "Explain what a poll of this `user` would come to")
	fs.StringVar(&c.PriorUID, "prior-uid", "", "Count what was seen and done under this `id`, too, which the user had before")
	fs.Func("placement", "Ask for popups in this `placement`, default if none is given; several are separated by commas", func(list string) error {
		c.Placements = strings.Split(list, ",")
		if slices.Contains(c.Placements, "") {
			return errors.New("want names separated by commas")
		}
		return nil
	})
	fs.StringVar(&c.Trigger, "trigger", "", "Ask when this has happened in the page: load, exit, scroll:PERCENT, delay:SECONDS or event:NAME; empty means load")
	fs.StringVar(&c.Zone, "tz", "", "Be in this IANA `zone`")
	fs.Func("attr", "Have this attribute, `NAME=VALUE`, also platform, app_version, locale, country, path and ip; given again it is another one, or another value of a set", func(s string) error {
		name, value, ok := strings.Cut(s, "=")
		if !ok || name == "" {
			return fmt.Errorf("%q: want NAME=VALUE", s)
		}
		c.Attrs = append(c.Attrs, Attr{name, value})
		return nil
	})
	fs.StringVar(&c.At, "at", "", "Poll at this `time` (RFC 3339) instead of now")
	fs.StringVar(&c.Popup, "popup", "", "Show every gate of the popup with this `key`, and no other popup")
	fs.IntVar(&c.Limit, "limit", 50, "Show this many popups, 1 to 500")
	fs.StringVar(&c.Server, "server", "http://127.0.0.1:8081", "Ask the popupd whose control plane has this `URL`")
	fs.StringVar(&c.Token, "token", "", "Show this bearer token of the control plane")
	fs.BoolVar(&c.JSON, "json", false, "Print the server's JSON")
	addFileFlags(fs, "token")
	return fs
}

// ParseExplain is [ParseServe] for popupd explain.
func ParseExplain(args, environ []string, help io.Writer) (Explain, error) {
	var c Explain
	if _, err := parseFlags(explainFlags(&c), args, environ, help); err != nil {
		return c, err
	}
	if err := c.validate(); err != nil {
		return c, fmt.Errorf("%w; %w", err, ErrUsage)
	}
	return c, nil
}

func (c *Explain) validate() error {
	server, err := url.Parse(c.Server)
	switch {
	case c.UID == "":
		return errors.New("-uid is missing: the user whose poll to explain")
	case err != nil || server.Scheme != "http" && server.Scheme != "https" || server.Host == "":
		return fmt.Errorf("-server %q: want a URL such as http://127.0.0.1:8081", c.Server)
	case c.Limit < 1 || c.Limit > 500:
		return fmt.Errorf("-limit %d: want 1 to 500", c.Limit)
	case c.Token == "":
		return errors.New("no token: give -token-file, or POPUPD_TOKEN; a server keeps the one it has generated in admin-token in its -data")
	case !isSendable(c.Token):
		return errors.New("-token: want one without spaces around it and without control characters, which no request can send")
	}
	if c.At != "" {
		if _, err := time.Parse(time.RFC3339, c.At); err != nil {
			return fmt.Errorf("-at %q: want a time such as 2026-12-24T18:00:00Z", c.At)
		}
	}
	return nil
}
