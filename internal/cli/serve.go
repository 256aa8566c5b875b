package cli

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"net/netip"
	"strings"
	"time"

	"github.com/popupd/popupd/handler"
	"github.com/popupd/popupd/internal/redisclient"
)

// Serve is the configuration of popupd serve.
type Serve struct {
	Listen, AdminListen string // addresses, host:port
	MySQL               string // DSN; empty: SQLite in Data
	Redis               string // URL or addresses; empty: in process
	RedisPrefix         string
	Data                string // directory

	Secret           string // key, or new,old; empty: generated in Data
	AdminToken       string // empty: generated in Data
	AllowOrigins     string // comma-separated, see Origins
	Identity         string // off, monitor or enforce
	IdentitySecret   string // key, or new,old
	NewIDsPerClient  float64
	ActionsPerClient float64
	TrustedProxies   []netip.Prefix

	ShedAfter            time.Duration // 0: never
	MinGap               time.Duration
	JournalSync          time.Duration // 0: always
	JournalMax, StateMax int64         // bytes
	Flush                bool
	Drain, Retention     time.Duration
	Demo                 bool
	Log                  string // text or json

	Exposed []string // files that hold secrets and that others than their owner can use
}

// Defaults of flags that popupd doctor has too.
const (
	defaultData       = "./popupd-data"
	defaultJournalMax = 1 << 30
	defaultStateMax   = 1 << 30
)

func serveFlags(c *Serve) *flag.FlagSet {
	fs := flag.NewFlagSet("popupd", flag.ContinueOnError)
	fs.StringVar(&c.Listen, "listen", "127.0.0.1:8080", "data plane `address`; port 0 picks one")
	fs.StringVar(&c.AdminListen, "admin-listen", "127.0.0.1:8081", "`address` of REST, /metrics, health and pprof: keep it private")
	fs.StringVar(&c.MySQL, "mysql", "", "go-sql-driver `DSN`; empty: SQLite in -data")
	fs.StringVar(&c.Redis, "redis", "", "redis:// or rediss:// `URL`, or host:port,host:port of a cluster; empty: in process")
	fs.StringVar(&c.RedisPrefix, "redis-prefix", "popupd", "first part of every Redis key and channel")
	fs.StringVar(&c.Data, "data", defaultData, "`directory` of the journal, dumps, the SQLite file and secrets")
	fs.StringVar(&c.Secret, "secret", "", "signs serve tokens, the same on all servers; new,old while rotating; empty: generated in -data")
	fs.StringVar(&c.AdminToken, "admin-token", "", "bearer token of the control plane; empty: generated in -data")
	fs.StringVar(&c.AllowOrigins, "allow-origins", "*", "CORS `origins`, comma-separated")
	fs.StringVar(&c.Identity, "identity", "off", "signed user ids: off, monitor or enforce")
	fs.StringVar(&c.IdentitySecret, "identity-secret", "", "key of the signed user ids")
	fs.Float64Var(&c.NewIDsPerClient, "new-ids-per-client", 0, "new user ids a second per client address; 0: no limit")
	fs.Float64Var(&c.ActionsPerClient, "actions-per-client", 0, "actions a second per client address; 0: no limit")
	fs.Func("trusted-proxies", "`networks` whose X-Forwarded-For names the client, comma-separated", func(list string) (err error) {
		c.TrustedProxies, err = handler.ParseProxies(list)
		return err
	})
	fs.DurationVar(&c.ShedAfter, "shed-after", 50*time.Millisecond, "when most requests wait longer than this, for 100ms or more, those that have waited get 503 until it is over; 0: never")
	fs.DurationVar(&c.MinGap, "min-gap", 0, "least time between any two popups of one user")
	fs.TextVar((*syncInterval)(&c.JournalSync), "journal-sync", syncInterval(200*time.Millisecond), "time between fsyncs of the journal, or always")
	fs.TextVar((*size)(&c.JournalMax), "journal-max", size(defaultJournalMax), "quota of the journal in bytes, as 1GiB")
	fs.TextVar((*size)(&c.StateMax), "state-max", size(defaultStateMax), "memory budget of the users' state, as 1GiB")
	fs.BoolVar(&c.Flush, "flush", true, "this server also moves events to the database")
	fs.DurationVar(&c.Drain, "drain", 5*time.Second, "on SIGTERM: go on serving this long, unready")
	fs.DurationVar(&c.Retention, "retention", 2160*time.Hour, "age at which rows of event are deleted; 0: never")
	fs.BoolVar(&c.Demo, "demo", false, "make three sample popups if there are none")
	fs.StringVar(&c.Log, "log", "text", "log `format`, text or json")
	addFileFlags(fs, "mysql", "redis", "secret", "admin-token", "identity-secret")
	return fs
}

// ParseServe reads flags, then the environment for those not given, then the
// files that they name. It returns flag.ErrHelp after printing help, an error
// that is ErrUsage, or that of a file.
func ParseServe(args, environ []string, help io.Writer) (Serve, error) {
	var c Serve
	exposed, err := parseFlags(serveFlags(&c), doctorFlags(new(Doctor)), args, environ, help)
	if err != nil {
		return c, err
	}
	c.Exposed = exposed
	if err := c.validate(); err != nil {
		return c, fmt.Errorf("%w; %w", err, ErrUsage)
	}
	return c, nil
}

func (c *Serve) validate() error {
	switch {
	case c.Identity != "off" && c.Identity != "monitor" && c.Identity != "enforce":
		return fmt.Errorf("-identity %q: want off, monitor or enforce", c.Identity)
	case c.Identity != "off" && c.IdentitySecret == "":
		return fmt.Errorf("-identity %s needs -identity-secret", c.Identity)
	case hasEmpty(Keys(c.Secret)):
		return errors.New("-secret: want a key, or new,old while rotating")
	case hasEmpty(Keys(c.IdentitySecret)):
		return errors.New("-identity-secret: want a key, or new,old while rotating")
	case c.Log != "text" && c.Log != "json":
		return fmt.Errorf("-log %q: want text or json", c.Log)
	case c.RedisPrefix == "" || strings.ContainsAny(c.RedisPrefix, "{}* \t\r\n"):
		return fmt.Errorf("-redis-prefix %q: want a word without braces, stars or spaces", c.RedisPrefix)
	case !isRate(c.NewIDsPerClient):
		return fmt.Errorf("-new-ids-per-client %v: want 0 or more", c.NewIDsPerClient)
	case !isRate(c.ActionsPerClient):
		return fmt.Errorf("-actions-per-client %v: want 0 or more", c.ActionsPerClient)
	case c.MinGap < 0 || c.Drain < 0 || c.Retention < 0:
		return errors.New("-min-gap, -drain and -retention cannot be negative")
	case c.ShedAfter != 0 && c.ShedAfter < handler.MinShedAfter:
		return fmt.Errorf("-shed-after %v: want 0, or %v or more", c.ShedAfter, handler.MinShedAfter)
	case c.Data == "":
		return errors.New("-data cannot be empty")
	}
	return checkRedis(c.Redis)
}

// checkRedis returns what is wrong with -redis.
func checkRedis(url string) error {
	if url == "" {
		return nil
	}
	if _, err := redisclient.ParseOption(url); err != nil {
		return fmt.Errorf("-redis: %w", err)
	}
	return nil
}

func isRate(perSecond float64) bool { return perSecond >= 0 && !math.IsInf(perSecond, 1) } // not NaN either

// Origins returns the list of -allow-origins.
func (c *Serve) Origins() []string {
	origins := strings.Split(c.AllowOrigins, ",")
	for i := range origins {
		origins[i] = strings.TrimSpace(origins[i])
	}
	return origins
}
