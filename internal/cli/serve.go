package cli

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net/netip"
	"slices"
	"strings"
	"time"
	"unicode"

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

	Secret           string   // key, or new,old; empty: generated in Data
	AdminToken       string   // empty: generated in Data
	AllowOrigins     []string // as browsers send them, or *
	Identity         string   // off, monitor or enforce
	IdentitySecret   string   // key, or new,old
	NewIDsPerClient  float64
	ActionsPerClient float64
	TrustedProxies   []netip.Prefix
	Webhook          string // URL; empty: none
	WebhookSecret    string // whsec_BASE64, or new,old
	OIDCIssuer       string // URL; empty: none
	OIDCClientID     string
	OIDCClientSecret string // empty: a public client
	OIDCRoleClaim    string

	ShedAfter            time.Duration // 0: never
	IdleTimeout          time.Duration
	MinGap               time.Duration
	PeerDelay            time.Duration // 0: at once
	JournalSync          time.Duration // 0: always
	JournalMax, StateMax int64         // bytes
	StateScope           string        // all or hashed
	Flush                bool
	Drain, Retention     time.Duration
	ReportTimezone       Zone
	PopupMetrics         bool
	Sample               float64
	AuditErasure         string // keep or pseudonymise
	Demo                 bool
	Log                  string // text or json
	LogLevel             slog.Level

	Exposed []string // files that hold secrets and that others than their owner can use
}

// Defaults of flags that popupd doctor has too.
const (
	defaultData       = "./popupd-data"
	defaultJournalMax = 1 << 30
	defaultStateMax   = 1 << 30
	defaultRetention  = 2160 * time.Hour
)

func serveFlags(c *Serve) *flag.FlagSet {
	fs := flag.NewFlagSet("popupd", flag.ContinueOnError)
	fs.StringVar(&c.Listen, "listen", "127.0.0.1:8080", "Data plane `address`, host:port; port 0 picks a free one")
	fs.StringVar(&c.AdminListen, "admin-listen", "127.0.0.1:8081", "Control plane `address` for REST, /metrics, health and profiles; keep it private")
	fs.StringVar(&c.MySQL, "mysql", "", "Store popups and events in the MySQL or MariaDB of this go-sql-driver `DSN`; several addresses are nodes of one cluster; empty means SQLite in -data")
	fs.StringVar(&c.Redis, "redis", "", "Carry events through the Redis at this redis://, rediss://, redis-sentinel:// or rediss-sentinel:// `URL`; several addresses are a cluster; empty means one in this process")
	fs.StringVar(&c.RedisPrefix, "redis-prefix", "popupd", "Begin every Redis key and channel with this, so that deployments can share one Redis")
	fs.StringVar(&c.Data, "data", defaultData, "Keep the journal, dumps, the SQLite file and generated secrets in this `directory`")
	fs.StringVar(&c.Secret, "secret", "", "Sign tokens with this key, the same on all servers; new,old while rotating; empty means one generated in -data")
	fs.StringVar(&c.AdminToken, "admin-token", "", "Require this bearer token on the control plane; empty means one generated in -data")
	fs.TextVar((*origins)(&c.AllowOrigins), "allow-origins", origins{"*"}, "Answer pages of these comma-separated `origins` only (CORS), as https://example.com or https://*.example.com for any subdomain; * means all")
	fs.StringVar(&c.Identity, "identity", "off", "Check signed user ids: off, monitor (count those that are wrong) or enforce (reject them with 401)")
	fs.StringVar(&c.IdentitySecret, "identity-secret", "", "Verify signed user ids with this key; new,old while rotating")
	fs.Float64Var(&c.NewIDsPerClient, "new-ids-per-client", 0, "Answer 204 to polls with new user ids beyond this many a second and client address; 0 means no limit")
	fs.Float64Var(&c.ActionsPerClient, "actions-per-client", 0, "Reject actions and events with 429 beyond this many a second and client address; 0 means no limit")
	fs.Func("trusted-proxies", "Take the client address from X-Forwarded-For when it comes from these comma-separated `networks`", func(list string) (err error) {
		c.TrustedProxies, err = handler.ParseProxies(list)
		return err
	})
	fs.StringVar(&c.Webhook, "webhook", "", "Tell this `URL` of popups that are published, paused, ended or never shown, and of events that wait; the same on all servers")
	fs.StringVar(&c.WebhookSecret, "webhook-secret", "", "Sign what -webhook is told with this whsec_BASE64, as Standard Webhooks are; new,old while rotating")
	fs.StringVar(&c.OIDCIssuer, "oidc-issuer", "", "Let people log in to the console whom the OpenID Connect issuer at this `URL` knows; the same on all servers")
	fs.StringVar(&c.OIDCClientID, "oidc-client-id", "", "Be this `client` to -oidc-issuer")
	fs.StringVar(&c.OIDCClientSecret, "oidc-client-secret", "", "Prove with this secret to -oidc-issuer to be its client; empty means a public client")
	fs.StringVar(&c.OIDCRoleClaim, "oidc-role-claim", "roles", "Read the role of a person from this `claim` of the ID token: viewer, editor, publisher, admin, or a list with some of them; dots lead into claims within claims")
	fs.DurationVar(&c.ShedAfter, "shed-after", 50*time.Millisecond, "Reject with 503 + Retry-After while queueing delay stays above this for 100 ms; 0 means never")
	fs.DurationVar(&c.IdleTimeout, "idle-timeout", handler.DefaultIdleTimeout, "Close connections of the data plane that are idle for this long, and earlier when connections run short")
	fs.DurationVar(&c.MinGap, "min-gap", 0, "Leave at least this much time between any two popups of one user")
	fs.TextVar((*syncInterval)(&c.JournalSync), "journal-sync", syncInterval(200*time.Millisecond), "Sync the journal to disk this often, or always; a power failure loses what came since")
	fs.TextVar((*size)(&c.JournalMax), "journal-max", size(defaultJournalMax), "Limit the journal to this many bytes, as 1GiB; when it is full, nothing is served or recorded")
	fs.TextVar((*size)(&c.StateMax), "state-max", size(defaultStateMax), "Limit the users' state to this many bytes of memory, as 1GiB; when it is full, polls of unknown users get 204")
	fs.StringVar(&c.StateScope, "state-scope", "all", "Hold the state of all users, or of those who poll here, behind a balancer that is hashed on uid: others are looked up in the database")
	fs.BoolVar(&c.Flush, "flush", true, "Move events from Redis to the database on this server")
	fs.DurationVar(&c.PeerDelay, "peer-delay", 20*time.Millisecond, "Gather what was served for this long before the other servers are told of it; 0 tells them at once and costs more CPU")
	fs.DurationVar(&c.Drain, "drain", 5*time.Second, "On SIGTERM report unready and go on serving for this long before stopping")
	fs.DurationVar(&c.Retention, "retention", defaultRetention, "Delete rows of the table event that are older than this; 0 means never")
	fs.TextVar(&c.ReportTimezone, "report-timezone", Zone{time.UTC}, "Keep statistics by hours and days of this IANA `zone`, the same on all servers")
	fs.StringVar(&c.AuditErasure, "audit-erasure", "keep", "Of a user who was reset, keep the id in the audit trail, or pseudonymise it once the events are without it")
	fs.BoolVar(&c.PopupMetrics, "popup-metrics", true, "Count what is served by popup, in popupd_served_total: 1,000 popups by key, the rest together")
	fs.Float64Var(&c.Sample, "sample", 0, "Keep this many polls a second in -data, of users chosen by a hash and without their ids, for POST /v1/admin/simulate; 0 means none")
	fs.BoolVar(&c.Demo, "demo", false, "Create sample popups if there are none, and serve a shop that shows them at /demo")
	fs.StringVar(&c.Log, "log", "text", "Write logs to stderr in this `format`, text or json")
	fs.TextVar((*logLevel)(&c.LogLevel), "log-level", logLevel(slog.LevelInfo), "Log what has this `level` or a higher one: debug, info, warn or error")
	addFileFlags(fs, "mysql", "redis", "secret", "admin-token", "identity-secret", "webhook", "webhook-secret", "oidc-client-secret")
	return fs
}

// ParseServe reads flags, then the environment for those not given, then the
// files that they name. It returns flag.ErrHelp after printing help, an error
// that is ErrUsage, or that of a file; then Log is valid all the same.
func ParseServe(args, environ []string, help io.Writer) (Serve, error) {
	var c Serve
	exposed, err := parseFlags(serveFlags(&c), args, environ, help)
	if err != nil {
		if wantsJSON(args, environ) {
			c.Log = "json" // it may stand after the mistake
		}
		return c, err
	}
	c.Exposed = exposed
	if err := c.validate(); err != nil {
		return c, fmt.Errorf("%w; %w", err, ErrUsage)
	}
	return c, nil
}

// HeldOnly reports whether the server has the state of those users only who poll here.
func (c *Serve) HeldOnly() bool { return c.StateScope == "hashed" }

// wantsJSON reports whether a call that cannot be read asks for logs as JSON.
func wantsJSON(args, environ []string) bool {
	for i, arg := range args {
		name, value, ok := strings.Cut(strings.TrimLeft(arg, "-"), "=")
		if !ok && i+1 < len(args) {
			value = args[i+1]
		}
		if name == "log" && strings.HasPrefix(arg, "-") {
			return value == "json"
		}
	}
	return slices.Contains(environ, envPrefix+"LOG=json")
}

func (c *Serve) validate() error {
	for _, check := range []func() error{c.checkKeys, c.checkWords, c.checkLimits, c.checkFlush, c.checkWebhook, c.checkOIDC} {
		if err := check(); err != nil {
			return err
		}
	}
	return checkRedis(c.Redis)
}

// checkKeys returns what is wrong with the keys, and with -identity, which needs one.
func (c *Serve) checkKeys() error {
	switch {
	case c.Identity != "off" && c.Identity != "monitor" && c.Identity != "enforce":
		return fmt.Errorf("-identity %q: want off, monitor or enforce", c.Identity)
	case c.Identity != "off" && c.IdentitySecret == "":
		return fmt.Errorf("-identity %s needs -identity-secret", c.Identity)
	case hasEmpty(Keys(c.Secret)):
		return errors.New("-secret: want a key, or new,old while rotating")
	case hasEmpty(Keys(c.IdentitySecret)):
		return errors.New("-identity-secret: want a key, or new,old while rotating")
	case !isSendable(c.AdminToken):
		return errors.New("-admin-token: want one without spaces around it and without control characters, which no request can send")
	}
	return nil
}

// isSendable reports whether a request can have a token in its Authorization header.
func isSendable(token string) bool {
	return token == strings.TrimSpace(token) && strings.IndexFunc(token, unicode.IsControl) < 0
}

// checkWords returns what is wrong with the flags that are words and paths.
func (c *Serve) checkWords() error {
	switch {
	case c.Log != "text" && c.Log != "json":
		return fmt.Errorf("-log %q: want text or json", c.Log)
	case c.AuditErasure != "keep" && c.AuditErasure != "pseudonymise":
		return fmt.Errorf("-audit-erasure %q: want keep or pseudonymise", c.AuditErasure)
	case c.StateScope != "all" && c.StateScope != "hashed":
		return fmt.Errorf("-state-scope %q: want all or hashed", c.StateScope)
	case c.RedisPrefix == "" || strings.ContainsAny(c.RedisPrefix, "{}* \t\r\n"):
		return fmt.Errorf("-redis-prefix %q: want a word without braces, stars or spaces", c.RedisPrefix)
	case c.Data == "":
		return errors.New("-data cannot be empty")
	}
	return nil
}

// checkLimits returns what is wrong with the rates and times.
func (c *Serve) checkLimits() error {
	switch {
	case !isRate(c.NewIDsPerClient):
		return fmt.Errorf("-new-ids-per-client %v: want 0 or more", c.NewIDsPerClient)
	case !isRate(c.ActionsPerClient):
		return fmt.Errorf("-actions-per-client %v: want 0 or more", c.ActionsPerClient)
	case !(c.Sample >= 0 && c.Sample <= maxSample):
		return fmt.Errorf("-sample %v: want 0 to %d", c.Sample, maxSample)
	case c.MinGap < 0 || c.Drain < 0 || c.Retention < 0:
		return errors.New("-min-gap, -drain and -retention cannot be negative")
	case c.PeerDelay < 0 || c.PeerDelay > maxPeerDelay:
		return fmt.Errorf("-peer-delay %v: want 0s to %v", c.PeerDelay, maxPeerDelay)
	case c.ShedAfter != 0 && c.ShedAfter < handler.MinShedAfter:
		return fmt.Errorf("-shed-after %v: want 0, or %v or more", c.ShedAfter, handler.MinShedAfter)
	case c.IdleTimeout < handler.MinIdleTimeout:
		return fmt.Errorf("-idle-timeout %v: want %v or more", c.IdleTimeout, handler.MinIdleTimeout)
	case c.JournalMax < minMax:
		return fmt.Errorf("-journal-max of %d bytes: want 256KiB or more", c.JournalMax)
	case c.StateMax < minMax:
		return fmt.Errorf("-state-max of %d bytes: want 256KiB or more", c.StateMax)
	}
	return nil
}

// maxSample is the most polls a second that are kept: more would be thinned at once.
const maxSample = 1000

// maxPeerDelay is the longest that other servers are left unaware of what was served: a
// user who is sent from one to another, as by a load balancer, comes within a second.
const maxPeerDelay = time.Second

// minMax is the least that the journal and the users' state work with, in bytes; a size
// without a unit is one in bytes.
const minMax = 256 << 10

// checkFlush returns what is wrong with -flush: the queue in this process is read by this
// process alone.
func (c *Serve) checkFlush() error {
	if !c.Flush && c.Redis == "" {
		return errors.New("-flush=false needs -redis: nobody else can flush what is in this process")
	}
	return nil
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
