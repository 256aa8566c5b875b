package handler

import (
	"context"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/popupd/popupd/internal/netsock"
)

// The gauge counts connections that are open, and knows the limit.
func TestConnectionsGauge(t *testing.T) {
	f := newServer(t, nil, "").start()
	f.counts(0, "popupd_connections")
	f.counts(float64(maxConnections()), "popupd_connections_max")
	f.do("GET", "/v1/poll?uid=u", "")
	f.counts(1, "popupd_connections")
}

// The server answers from package net's connections, which other systems have,
// as it does from Linux' own.
func TestEveryListener(t *testing.T) {
	for name, listen := range map[string]func(context.Context, string) (net.Listener, error){
		"native": netsock.Listen, "portable": netsock.ListenPortable,
	} {
		t.Run(name, func(t *testing.T) {
			ln, err := listen(t.Context(), "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			f := newServer(t, func(c *Config) { c.ShedAfter = 50 * time.Millisecond }, "").serve(ln)
			f.transport.DialContext = func(context.Context, string, string) (net.Conn, error) {
				return net.Dial("tcp", ln.Addr().String())
			}
			shown := f.sees("u", "p1")
			f.does("click", shown.Token)
			if again := f.asks("u"); again != nil {
				t.Errorf("shown again: %+v", again)
			}
			// Too long to be read whole: it arrives only if Close waits for the rest.
			if r := f.do("POST", "/v1/actions", strings.Repeat(" ", 300_000)); r.status != http.StatusRequestEntityTooLarge {
				t.Errorf("too long: %d %s", r.status, r.body)
			}
			f.transport.CloseIdleConnections()
			f.do("GET", "/v1/poll?uid=v", "") // on a new connection
			f.journaled("u impression 1", "u click 1", "v impression 1")
		})
	}
}
