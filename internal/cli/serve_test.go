package cli

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestParseConfigDefaults(t *testing.T) {
	c, err := ParseServe(nil, []string{"HOME=/root", "POPUPD_REQUIRE_STORES=1", "POPUPD_SERVICE_HOST=10.0.0.1", "POPUPD_PORT_8080_TCP=tcp://10.0.0.1:8080"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	want := Serve{
		Listen: "127.0.0.1:8080", AdminListen: "127.0.0.1:8081", RedisPrefix: "popupd", Data: "./popupd-data",
		AllowOrigins: []string{"*"}, Identity: "off", ShedAfter: 50 * time.Millisecond, IdleTimeout: 90 * time.Second, PeerDelay: 20 * time.Millisecond, JournalSync: 200 * time.Millisecond, JournalMax: 1 << 30, StateMax: 1 << 30,
		StateScope: "all", Flush: true, Drain: 5 * time.Second, Retention: 2160 * time.Hour, ReportTimezone: Zone{time.UTC}, PopupMetrics: true, AuditErasure: "keep", OIDCRoleClaim: "roles", Log: "text",
	}
	if !reflect.DeepEqual(c, want) {
		t.Errorf("got  %+v\nwant %+v", c, want)
	}
}

// Origins are what browsers send, however they are written.
func TestParseConfigOrigins(t *testing.T) {
	c, err := ParseServe([]string{"-allow-origins", "HTTPS://Shop.Example:443, https://*.bücher.example"}, nil, io.Discard)
	if want := []string{"https://shop.example", "https://*.xn--bcher-kva.example"}; err != nil || !reflect.DeepEqual(c.AllowOrigins, want) {
		t.Errorf("%q, %v; want %q", c.AllowOrigins, err, want)
	}
}

func TestParseConfigPrecedence(t *testing.T) {
	env := []string{"POPUPD_ADMIN_LISTEN=:1", "POPUPD_LISTEN=:2", "POPUPD_JOURNAL_SYNC=always", "POPUPD_STATE_MAX=64MiB", "POPUPD_DEMO=true"}
	c, err := ParseServe([]string{"-listen", ":3"}, env, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if c.AdminListen != ":1" || c.Listen != ":3" || c.JournalSync != 0 || c.StateMax != 64<<20 || !c.Demo {
		t.Errorf("got %+v", c)
	}
}

func TestParseConfigRefuses(t *testing.T) {
	for _, c := range []struct {
		name, arg, env, want string
	}{
		{"unknown flag", "-colour=red", "", "colour"},
		{"unknown argument", "start", "", `"start"`},
		{"unknown variable", "", "POPUPD_COLOUR=red", "POPUPD_COLOUR"},
		{"variable in lower case", "", "POPUPD_listen=:1", "POPUPD_listen"},
		{"variable with a bad value", "", "POPUPD_DRAIN=soon", "POPUPD_DRAIN"},
		{"unknown zone", "-report-timezone=Mars/Olympus", "", "Mars/Olympus"},
		{"zone that differs by server", "", "POPUPD_REPORT_TIMEZONE=localtime", "IANA"},
		{"bad size", "-state-max=lots", "", "lots"},
		{"zero size", "-journal-max=0", "", "-journal-max"},
		{"journal of a few bytes", "-journal-max=512", "", "-journal-max"},
		{"state of a few bytes", "-state-max=512", "", "-state-max"},
		{"nobody who flushes", "-flush=false", "", "-flush=false needs -redis"},
		{"token with a space before it", "-admin-token= x", "", "-admin-token"},
		{"token of two lines", "-admin-token=x\ny", "", "-admin-token"},
		{"bad sync", "-journal-sync=never", "", "never"},
		{"sync below a millisecond", "-journal-sync=1ns", "", "1ns"},
		{"identity", "-identity=on", "", "-identity"},
		{"identity without a secret", "-identity=enforce", "", "-identity-secret"},
		{"webhook that is no URL", "-webhook=example.com/hook", "", "-webhook: want a URL"},
		{"webhook of another scheme", "-webhook=ftp://example.com", "", "-webhook: want a URL"},
		{"webhook with a password", "-webhook=https://u:sEcReT@example.com", "POPUPD_WEBHOOK_SECRET=whsec_c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0", "-webhook: want a URL without a user"},
		{"webhook with a fragment", "-webhook=https://example.com/#a", "", "-webhook: want a URL without #"},
		{"webhook without a secret", "-webhook=https://example.com/hook", "", "-webhook needs -webhook-secret"},
		{"webhook secret of another kind", "-webhook=https://example.com/hook", "POPUPD_WEBHOOK_SECRET=sEcReT", "-webhook-secret: want whsec_"},
		{"webhook secret that is short", "-webhook=https://example.com/hook", "POPUPD_WEBHOOK_SECRET=whsec_c2VjcmV0", "-webhook-secret: want whsec_"},
		{"issuer that is no URL", "-oidc-issuer=login.example.com", "POPUPD_OIDC_CLIENT_ID=popupd", "-oidc-issuer: want the URL of an issuer"},
		{"issuer with a query", "-oidc-issuer=https://login.example.com?x=1", "POPUPD_OIDC_CLIENT_ID=popupd", "-oidc-issuer: want the URL of an issuer without"},
		{"issuer without a client", "-oidc-issuer=https://login.example.com", "", "-oidc-issuer needs -oidc-client-id"},
		{"client without an issuer", "-oidc-client-id=popupd", "", "need -oidc-issuer"},
		{"client secret without an issuer", "", "POPUPD_OIDC_CLIENT_SECRET=sEcReT", "need -oidc-issuer"},
		{"a claim that is none", "-oidc-role-claim=", "", "-oidc-role-claim"},
		{"log", "-log=xml", "", "-log"},
		{"log level", "-log-level=WARN+1", "", "WARN+1"},
		{"prefix", "-redis-prefix=a{b}", "", "-redis-prefix"},
		{"negative gap", "-min-gap=-1s", "", "-min-gap"},
		{"other servers are told before it happens", "-peer-delay=-1ms", "", "-peer-delay -1ms: want 0s to 1s"},
		{"other servers are told too late", "-peer-delay=1001ms", "", "-peer-delay 1.001s: want 0s to 1s"},
		{"a delay without a unit", "-peer-delay=20", "", "-peer-delay"},
		{"not a number", "-new-ids-per-client=NaN", "", "-new-ids-per-client"},
		{"a sample of less than nothing", "-sample=-1", "", "-sample"},
		{"a sample that is no number", "-sample=NaN", "", "-sample"},
		{"a sample of everything", "-sample=1e6", "", "-sample"},
		{"negative wait", "-shed-after=-1ms", "", "-shed-after"},
		{"idle timeout shorter than the least", "-idle-timeout=4s", "", "-idle-timeout"},
		{"wait as of an idle server", "-shed-after=999us", "", "-shed-after"},
		{"negative rate of actions", "-actions-per-client=-1", "", "-actions-per-client"},
		{"broken network", "-trusted-proxies=10.0.0.0/8,10.0.0.0/33", "", `-trusted-proxies: "10.0.0.0/33"`},
		{"no data", "-data=", "", "-data"},
		{"origin with a path", "-allow-origins=https://a.example,https://b.example/shop", "", `-allow-origins: origin "https://b.example/shop" has something after the host: want https://b.example`},
		{"origin of no browser", "", "POPUPD_ALLOW_ORIGINS=https://b.example:99999", `origin "https://b.example:99999" has a port`},
	} {
		var args, env []string
		if c.arg != "" {
			args = []string{c.arg}
		}
		if c.env != "" {
			env = []string{c.env}
		}
		_, err := ParseServe(args, env, io.Discard)
		if !errors.Is(err, ErrUsage) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %q, want a usage error that names %s", c.name, err, c.want)
		}
		if err != nil && strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error of more than one line: %q", c.name, err)
		}
	}
}

// TestLogAfterMistake: how a mistake is told follows -log, wherever that stands.
func TestLogAfterMistake(t *testing.T) {
	for _, c := range []struct{ args, env, want string }{
		{"-colour=red", "", "text"},
		{"-colour=red -log=json", "", "json"},
		{"-colour red --log json", "", "json"},
		{"-log json -colour=red", "", "json"},
		{"-colour=red -log", "", "text"},
		{"-colour=red", "POPUPD_LOG=json", "json"},
		{"-colour=red -log=text", "POPUPD_LOG=json", "text"},
		{"-log-level=loud", "POPUPD_LOG=json", "json"},
		{"-idle-timeout=1s", "POPUPD_LOG=json", "json"},
	} {
		got, err := ParseServe(strings.Fields(c.args), []string{c.env}, io.Discard)
		if !errors.Is(err, ErrUsage) || got.Log != c.want {
			t.Errorf("%s %s: %s, %v; want %s", c.args, c.env, got.Log, err, c.want)
		}
	}
}

func TestExitLogged(t *testing.T) {
	for _, c := range []struct {
		err  error
		code int
		want string
	}{
		{nil, 0, ""},
		{flag.ErrHelp, 0, ""},
		{fmt.Errorf("a\nb; %w", ErrUsage), 2, `level=ERROR msg="popupd ends" err="a; b; see popupd -help" exit_code=2` + "\n"},
		{errors.New("a"), 1, `level=ERROR msg="popupd ends" err=a exit_code=1` + "\n"},
	} {
		var out strings.Builder
		log := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		}}))
		if code := ExitLogged(log, c.err); code != c.code || out.String() != c.want {
			t.Errorf("%v: exit code %d, %q; want %d, %q", c.err, code, &out, c.code, c.want)
		}
	}
}

func TestParseConfigHelp(t *testing.T) {
	var help strings.Builder
	if _, err := ParseServe([]string{"-help"}, nil, &help); !errors.Is(err, flag.ErrHelp) {
		t.Fatalf("error %v, want flag.ErrHelp", err)
	}
	for _, want := range []string{"-admin-listen", "(default 1GiB)", "(default 200ms)", "POPUPD_ADMIN_LISTEN"} {
		if !strings.Contains(help.String(), want) {
			t.Errorf("help does not say %q", want)
		}
	}
}

// FuzzCall: any arguments and variables are taken, or refused in one line as a
// mistake in the call; what is taken makes sense.
func FuzzCall(f *testing.F) {
	f.Add("-listen=:1\n-min-gap=1s", "POPUPD_SECRET=a,b")
	f.Add("-secret-file=/nonexistent/a\nb", "POPUPD_SECRET_FILE=")
	f.Add("-identity=enforce\n-identity-secret=x", "POPUPD_DRAIN=soon")
	f.Add("--\n-new-ids-per-client=NaN", "POPUPD_JOURNAL_MAX=1e400")
	f.Fuzz(func(t *testing.T, args, variable string) {
		if strings.Contains(args, "-file") || strings.Contains(variable, "FILE") {
			args, variable = strings.ReplaceAll(args, "/", ""), strings.ReplaceAll(variable, "/", "") // no other files than those here
		}
		c, err := ParseServe(strings.Split(args, "\n"), []string{variable}, io.Discard)
		switch {
		case errors.Is(err, flag.ErrHelp):
		case err != nil:
			var stderr bytes.Buffer
			if code := Exit(&stderr, err); code != 2 && !strings.Contains(err.Error(), fileSuffix) || bytes.Count(stderr.Bytes(), []byte("\n")) != 1 {
				t.Fatalf("%q %q: exit code %d, %q", args, variable, code, &stderr)
			}
		case c.JournalMax <= 0 || c.StateMax <= 0 || c.MinGap < 0 || c.NewIDsPerClient < 0 || c.JournalSync < 0 || c.Data == "":
			t.Fatalf("%q %q: %+v", args, variable, c)
		case c.Identity != "off" && len(Keys(c.IdentitySecret)) == 0 || hasEmpty(Keys(c.Secret)):
			t.Fatalf("%q %q: no key in %+v", args, variable, c)
		}
	})
}
