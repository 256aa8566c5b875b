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
	w := newWorld(t, wired, rand.Uint64N(1e6))
	for i, c := range []struct {
		name   string
		proxy  *proxy
		mangle func([]byte) []byte
	}{
		{"redis: another protocol", w.wires.redis, func([]byte) []byte { return []byte("HTTP/1.1 400 Bad Request\r\n\r\n") }},
		{"redis: zeros", w.wires.redis, func(b []byte) []byte { return make([]byte, len(b)) }},
		{"redis: truncated", w.wires.redis, func(b []byte) []byte { return b[:len(b)/2] }},
		{"redis: another type", w.wires.redis, short("+OK\r\n")},
		{"redis: errors", w.wires.redis, short("-ERR nonsense\r\n")},
		{"mariadb: another protocol", w.wires.mysql, func([]byte) []byte { return []byte("HTTP/1.1 400 Bad Request\r\n\r\n") }},
		{"mariadb: zeros", w.wires.mysql, func(b []byte) []byte { return make([]byte, len(b)) }},
		{"mariadb: truncated", w.wires.mysql, func(b []byte) []byte { return b[:len(b)/2] }},
		{"mariadb: cut short, whole packets", w.wires.mysql, func(b []byte) []byte { return []byte{1, 0, 0, b[min(3, len(b)-1)], 0} }},
	} {
		t.Run(c.name, func(t *testing.T) {
			w.t = t
			begun := w.history.len()
			w.attack(fmt.Sprintf("n%d", i))
			w.endure(func() {
				_, _, before := c.proxy.counts()
				c.proxy.set(weather{mangle: c.mangle})
				w.pause(time.Second, time.Second)
				_, _, hit := c.proxy.counts()
				c.proxy.set(weather{})
				c.proxy.cut()
				if hit == before {
					t.Error("the server has heard no nonsense")
				}
			})
			w.load.stop()
			t.Log(strings.TrimSpace(strings.Join(w.diary, " ")))
			w.diary = nil
			if crashes := w.server.Crashes(); len(crashes) > 0 {
				t.Fatalf("popupd ended: %q", crashes)
			}
			if n := numbers(w.history.since(begun)); n[unknown]+n[denied] > 0 || n[acked] == 0 {
				t.Errorf("answers: %v", n)
			}
			w.settle(30 * time.Second)
			w.compare()
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

// compare holds what was answered against what was counted.
func (w *world) compare() {
	w.t.Helper()
	eventually(w.t, 10*time.Second, func() error {
		v, err := w.history.compare(w.db)
		if err != nil {
			return err
		}
		return errors.Join(v.err(0), broken(w.db))
	})
}

// TestDeadlyNonsense: the client for Redis panics, on a goroutine of its own, at
// an answer that nobody has asked for and at an impossible length. No more is
// lost by that than by kill -9.
func TestDeadlyNonsense(t *testing.T) {
	t.Parallel()
	w := newWorld(t, wired, rand.Uint64N(1e6))
	for i, c := range []struct{ name, says, panics string }{
		{"an answer too many", "+OK\r\n", "protocol bug"},
		{"a negative length", "$-7\r\n", "makeslice"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w.t = t
			said := len(w.server.Log())
			w.attack(fmt.Sprintf("d%d", i))
			w.pause(300*time.Millisecond, 300*time.Millisecond)
			w.wires.redis.set(weather{mangle: func(b []byte) []byte { return append(bytes.Clone(b), c.says...) }})
			eventually(t, 10*time.Second, func() error {
				if len(w.server.Crashes()) <= i {
					return errors.New("popupd goes on: if its client for Redis no longer panics, this test is of no use")
				}
				return nil
			})
			w.wires.redis.set(weather{})
			if log := w.server.Log()[said:]; !strings.Contains(log, c.panics) {
				t.Errorf("popupd ended, but not with %q:\n%s", c.panics, tail(log, 2000))
			}
			w.server.again()
			w.pause(300*time.Millisecond, 300*time.Millisecond)
			w.load.stop()
			w.settle(30 * time.Second)
			w.compare()
		})
	}
}
