//go:build linux

package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// TestNonsense: a store, or something that has come between, answers with bytes
// that are no answers. A part of the server may fail at that and is started
// again; polls go on and nothing is lost. See TestDeadlyNonsense for the rest.
func TestNonsense(t *testing.T) {
	t.Parallel()
	sys := newSystem(t, proxiedLayout, rand.Uint64N(1e6))
	for i, c := range []struct {
		name   string
		proxy  *proxy
		mangle func([]byte) []byte
	}{
		{"redis: another protocol", sys.proxies.redis, func([]byte) []byte { return []byte("HTTP/1.1 400 Bad Request\r\n\r\n") }},
		{"redis: zeros", sys.proxies.redis, func(b []byte) []byte { return make([]byte, len(b)) }},
		{"redis: truncated", sys.proxies.redis, func(b []byte) []byte { return b[:len(b)/2] }},
		{"redis: another type", sys.proxies.redis, short("+OK\r\n")},
		{"redis: errors", sys.proxies.redis, short("-ERR nonsense\r\n")},
		{"mariadb: another protocol", sys.proxies.mysql, func([]byte) []byte { return []byte("HTTP/1.1 400 Bad Request\r\n\r\n") }},
		{"mariadb: zeros", sys.proxies.mysql, func(b []byte) []byte { return make([]byte, len(b)) }},
		{"mariadb: truncated", sys.proxies.mysql, func(b []byte) []byte { return b[:len(b)/2] }},
		{"mariadb: cut short, whole packets", sys.proxies.mysql, func(b []byte) []byte { return []byte{1, 0, 0, b[min(3, len(b)-1)], 0} }},
	} {
		t.Run(c.name, func(t *testing.T) {
			sys.t = t
			begun := sys.history.len()
			sys.startLoad(fmt.Sprintf("n%d", i))
			sys.limitRetries(func() {
				_, _, before := c.proxy.counts()
				c.proxy.set(conditions{mangle: c.mangle})
				sys.pause(time.Second, time.Second)
				_, _, hit := c.proxy.counts()
				c.proxy.set(conditions{})
				c.proxy.cut()
				if hit == before {
					t.Error("the server has heard no nonsense")
				}
			})
			sys.load.stop()
			t.Log(strings.TrimSpace(strings.Join(sys.steps, " ")))
			sys.steps = nil
			if crashes := sys.server.Crashes(); len(crashes) > 0 {
				t.Fatalf("popupd ended: %q", crashes)
			}
			if n := countOutcomes(sys.history.since(begun)); n[unknown]+n[refused] > 0 || n[acked] == 0 {
				t.Errorf("answers: %v", n)
			}
			sys.waitDrained(30 * time.Second)
			sys.compare()
		})
	}
}

// short puts an answer in the place of short ones. A long one may come in pieces,
// which would become answers too many.
func short(answer string) func([]byte) []byte {
	return func(b []byte) []byte {
		if len(b) > 64 {
			return b
		}
		return []byte(answer)
	}
}

// compare holds what was answered against what was committed.
func (sys *system) compare() {
	sys.t.Helper()
	eventually(sys.t, 10*time.Second, func() error {
		v, err := sys.history.compare(sys.db)
		if err != nil {
			return err
		}
		return errors.Join(v.err(0), checkInvariants(sys.db))
	})
}

// TestDeadlyNonsense: the client for Redis panics, on a goroutine of its own, at
// an answer that nobody has asked for and at an impossible length. No more is
// lost by that than by kill -9.
func TestDeadlyNonsense(t *testing.T) {
	t.Parallel()
	sys := newSystem(t, proxiedLayout, rand.Uint64N(1e6))
	for i, c := range []struct{ name, says, panics string }{
		{"an answer too many", "+OK\r\n", "protocol bug"},
		{"a negative length", "$-7\r\n", "makeslice"},
	} {
		t.Run(c.name, func(t *testing.T) {
			sys.t = t
			said := len(sys.server.Log())
			sys.startLoad(fmt.Sprintf("d%d", i))
			sys.pause(300*time.Millisecond, 300*time.Millisecond)
			sys.proxies.redis.set(conditions{mangle: func(b []byte) []byte { return append(bytes.Clone(b), c.says...) }})
			eventually(t, 10*time.Second, func() error {
				if len(sys.server.Crashes()) <= i {
					return errors.New("popupd goes on: if its client for Redis no longer panics, this test is of no use")
				}
				return nil
			})
			sys.proxies.redis.set(conditions{})
			if log := sys.server.Log()[said:]; !strings.Contains(log, c.panics) {
				t.Errorf("popupd ended, but not with %q:\n%s", c.panics, tail(log, 2000))
			}
			sys.server.restart()
			sys.pause(300*time.Millisecond, 300*time.Millisecond)
			sys.load.stop()
			sys.waitDrained(30 * time.Second)
			sys.compare()
		})
	}
}
