package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/popupd/popupd/handler"
)

// config is what the flags and their environment variables say.
type config struct {
	listen, adminListen      string
	mysql, redis             string
	redisPrefix              string
	data                     string
	secret, adminToken       string
	allowOrigins             string
	identity, identitySecret string
	newIDsPerClient          float64
	actionsPerClient         float64
	trustedProxies           string
	shedAfter                time.Duration
	minGap                   time.Duration
	journalSync              time.Duration // 0 is always
	journalMax, stateMax     int64         // bytes
	flush                    bool
	drain, retention         time.Duration
	demo                     bool
	log                      string
	exposed                  string // files with secrets that not only their owner can use
}

const envPrefix = "POPUPD_"

// isForeign reports whether a variable with our prefix is not ours: the tests of
// this repository have one, and Kubernetes sets some for a service called popupd.
func isForeign(name string) bool {
	return name == "POPUPD_REQUIRE_STORES" || name == "POPUPD_PORT" ||
		strings.HasPrefix(name, "POPUPD_PORT_") || strings.HasPrefix(name, "POPUPD_SERVICE_")
}

// errUsage marks a mistake of the caller's: exit code 2.
var errUsage = errors.New("see popupd -help")

// Defaults of flags that the doctor has too.
const (
	defaultData       = "./popupd-data"
	defaultJournalMax = 1 << 30
	defaultStateMax   = 1 << 30
)

func serveFlags(c *config) *flag.FlagSet {
	fs := flag.NewFlagSet("popupd", flag.ContinueOnError)
	fs.StringVar(&c.listen, "listen", "127.0.0.1:8080", "data plane `address`; port 0 picks one")
	fs.StringVar(&c.adminListen, "admin-listen", "127.0.0.1:8081", "`address` of REST, /metrics, health and pprof: keep it private")
	fs.StringVar(&c.mysql, "mysql", "", "go-sql-driver `DSN`; empty: SQLite in -data")
	fs.StringVar(&c.redis, "redis", "", "redis:// or rediss:// `URL`, or host:port,host:port of a cluster; empty: in process")
	fs.StringVar(&c.redisPrefix, "redis-prefix", "popupd", "first part of every Redis key and channel")
	fs.StringVar(&c.data, "data", defaultData, "`directory` of the journal, dumps, the SQLite file and secrets")
	fs.StringVar(&c.secret, "secret", "", "signs serve tokens, the same on all servers; new,old while rotating; empty: generated in -data")
	fs.StringVar(&c.adminToken, "admin-token", "", "bearer token of the control plane; empty: generated in -data")
	fs.StringVar(&c.allowOrigins, "allow-origins", "*", "CORS `origins`, comma-separated")
	fs.StringVar(&c.identity, "identity", "off", "signed user ids: off, monitor or enforce")
	fs.StringVar(&c.identitySecret, "identity-secret", "", "key of the signed user ids")
	fs.Float64Var(&c.newIDsPerClient, "new-ids-per-client", 0, "new user ids a second per client address; 0: no limit")
	fs.Float64Var(&c.actionsPerClient, "actions-per-client", 0, "actions a second per client address; 0: no limit")
	fs.StringVar(&c.trustedProxies, "trusted-proxies", "", "`networks` whose X-Forwarded-For names the client, comma-separated")
	fs.DurationVar(&c.shedAfter, "shed-after", 50*time.Millisecond, "when most requests wait longer than this, for 100ms or more, those that have waited get 503 until it is over; 0: never")
	fs.DurationVar(&c.minGap, "min-gap", 0, "least time between any two popups of one user")
	fs.TextVar((*syncInterval)(&c.journalSync), "journal-sync", syncInterval(200*time.Millisecond), "time between fsyncs of the journal, or always")
	fs.TextVar((*size)(&c.journalMax), "journal-max", size(defaultJournalMax), "quota of the journal in bytes, as 1GiB")
	fs.TextVar((*size)(&c.stateMax), "state-max", size(defaultStateMax), "memory budget of the users' state, as 1GiB")
	fs.BoolVar(&c.flush, "flush", true, "this server also moves events to the database")
	fs.DurationVar(&c.drain, "drain", 5*time.Second, "on SIGTERM: go on serving this long, unready")
	fs.DurationVar(&c.retention, "retention", 2160*time.Hour, "age at which rows of event are deleted; 0: never")
	fs.BoolVar(&c.demo, "demo", false, "make three sample popups if there are none")
	fs.StringVar(&c.log, "log", "text", "log `format`, text or json")
	addFileFlags(fs, "mysql", "redis", "secret", "admin-token", "identity-secret")
	return fs
}

// parseConfig reads flags, then the environment for those not given, then the
// files that they name. It returns flag.ErrHelp after printing help, an error
// that is errUsage, or that of a file.
func parseConfig(args, environ []string, help io.Writer) (config, error) {
	var c config
	exposed, err := parseFlags(serveFlags(&c), doctorFlags(new(doctorConfig)), args, environ, help)
	if err != nil {
		return c, err
	}
	c.exposed = strings.Join(exposed, ", ")
	if err := c.validate(); err != nil {
		return c, fmt.Errorf("%w; %w", err, errUsage)
	}
	return c, nil
}

const usage = `usage: popupd [serve] [flags]
       popupd doctor [flags]    what this host, MySQL and Redis lack
       popupd version

Every flag is also a variable: -admin-listen is POPUPD_ADMIN_LISTEN. The flag wins.
Secrets belong in variables or files: everybody on this host can read flags.

`

// parseFlags reads the flags of one command. others are those of the other one,
// whose variables are left to it. exposed is that of readFileFlags.
func parseFlags(fs, others *flag.FlagSet, args, environ []string, help io.Writer) (exposed []string, err error) {
	fs.SetOutput(io.Discard)
	if err := fs.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			fmt.Fprint(help, usage)
			fs.SetOutput(help)
			fs.PrintDefaults()
			return nil, err
		}
		return nil, fmt.Errorf("%w; %w", err, errUsage)
	}
	if fs.NArg() > 0 {
		return nil, fmt.Errorf("unknown argument %q; %w", fs.Arg(0), errUsage)
	}
	if err := parseEnv(fs, others, environ); err != nil {
		return nil, fmt.Errorf("%w; %w", err, errUsage)
	}
	return readFileFlags(fs)
}

func parseEnv(fs, others *flag.FlagSet, environ []string) error {
	given := make(map[string]bool)
	fs.Visit(func(f *flag.Flag) { given[f.Name] = true })
	for _, entry := range environ {
		name, value, _ := strings.Cut(entry, "=")
		suffix, ours := strings.CutPrefix(name, envPrefix)
		if !ours || isForeign(name) {
			continue
		}
		flagName := strings.ReplaceAll(strings.ToLower(suffix), "_", "-")
		if fs.Lookup(flagName) == nil && others.Lookup(flagName) == nil || suffix != strings.ToUpper(suffix) {
			return fmt.Errorf("unknown variable %s", name)
		}
		if given[flagName] || fs.Lookup(flagName) == nil {
			continue
		}
		if err := fs.Set(flagName, value); err != nil {
			return fmt.Errorf("variable %s: %w", name, err)
		}
	}
	return nil
}

func (c *config) validate() error {
	switch {
	case c.identity != "off" && c.identity != "monitor" && c.identity != "enforce":
		return fmt.Errorf("-identity %q: want off, monitor or enforce", c.identity)
	case c.identity != "off" && c.identitySecret == "":
		return fmt.Errorf("-identity %s needs -identity-secret", c.identity)
	case hasEmpty(keyList(c.secret)):
		return errors.New("-secret: want a key, or new,old while rotating")
	case hasEmpty(keyList(c.identitySecret)):
		return errors.New("-identity-secret: want a key, or new,old while rotating")
	case c.log != "text" && c.log != "json":
		return fmt.Errorf("-log %q: want text or json", c.log)
	case c.redisPrefix == "" || strings.ContainsAny(c.redisPrefix, "{}* \t\r\n"):
		return fmt.Errorf("-redis-prefix %q: want a word without braces, stars or spaces", c.redisPrefix)
	case !isRate(c.newIDsPerClient):
		return fmt.Errorf("-new-ids-per-client %v: want 0 or more", c.newIDsPerClient)
	case !isRate(c.actionsPerClient):
		return fmt.Errorf("-actions-per-client %v: want 0 or more", c.actionsPerClient)
	case c.minGap < 0 || c.drain < 0 || c.retention < 0:
		return errors.New("-min-gap, -drain and -retention cannot be negative")
	case c.shedAfter != 0 && c.shedAfter < handler.MinShedAfter:
		return fmt.Errorf("-shed-after %v: want 0, or %v or more", c.shedAfter, handler.MinShedAfter)
	case c.data == "":
		return errors.New("-data cannot be empty")
	}
	if _, err := handler.ParseProxies(c.trustedProxies); err != nil {
		return fmt.Errorf("-trusted-proxies: %w", err)
	}
	return nil
}

func isRate(perSecond float64) bool { return perSecond >= 0 && !math.IsInf(perSecond, 1) } // not NaN either

// origins returns the list of -allow-origins.
func (c *config) origins() []string {
	origins := strings.Split(c.allowOrigins, ",")
	for i := range origins {
		origins[i] = strings.TrimSpace(origins[i])
	}
	return origins
}

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
