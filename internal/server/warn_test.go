package server

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/popupd/popupd/internal/cli"
)

// What has no effect, or is unsafe, is told once at start, with the flags that it is about.
func TestWarn(t *testing.T) {
	const key = "0123456789abcdef"
	for _, c := range []struct {
		config cli.Serve
		want   string // part of the only line; empty: none
	}{
		{cli.Serve{Identity: "off"}, ""},
		{cli.Serve{Identity: "enforce", IdentitySecret: key}, ""},
		{cli.Serve{Identity: "off", IdentitySecret: key}, "-identity-secret has no effect"},
		{cli.Serve{Identity: "off", Secret: "x"}, "keys this short"},
		{cli.Serve{Identity: "off", Exposed: []string{"token"}}, "files=token"},
		{cli.Serve{Identity: "off", MySQL: "a"}, "without -redis"},
		{cli.Serve{Identity: "off", MySQL: "a", Redis: "b"}, ""},
		{cli.Serve{Identity: "off", Webhook: "http://example.com", WebhookSecret: key}, "-webhook has no TLS"},
		{cli.Serve{Identity: "off", Webhook: "https://example.com", WebhookSecret: key}, ""},
		{cli.Serve{Identity: "off", OIDCIssuer: "http://login.example.com"}, "-oidc-issuer has no TLS"},
		{cli.Serve{Identity: "off", OIDCIssuer: "https://login.example.com"}, ""},
		{cli.Serve{Identity: "off", WebhookSecret: key}, "-webhook-secret has no effect"},
	} {
		var log strings.Builder
		(&server{config: c.config, log: slog.New(slog.NewTextHandler(&log, nil))}).warn()
		if got := log.String(); strings.Count(got, "\n") != min(len(c.want), 1) || !strings.Contains(got, c.want) {
			t.Errorf("%+v: %q, want a line with %q", c.config, got, c.want)
		}
	}
}
