package persist

import (
	"bytes"
	"context"
	"database/sql/driver"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/popupd/popupd/popup"
)

// babbler is a server of MySQL's protocol that does well until it is asked for
// more than SET and the version of its schema: then these are the payloads of its answer.
type babbler [][]byte

func (b babbler) start(t *testing.T) (dsn string) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			running.Go(func() {
				defer conn.Close()
				b.serve(conn)
			})
		}
	})
	t.Cleanup(func() { _ = ln.Close(); running.Wait() })
	return "app@tcp(" + ln.Addr().String() + ")/popupd"
}

var noTablePacket = []byte("\xff\x7a\x04#42S02no such table") // 1146

var okPacket = []byte{0, 0, 0, 2, 0, 0, 0}

func (b babbler) serve(conn net.Conn) {
	send := func(number byte, payload []byte) {
		_, _ = conn.Write(append([]byte{byte(len(payload)), 0, 0, number}, payload...))
	}
	read := func() ([]byte, error) {
		head := make([]byte, 4)
		if _, err := io.ReadFull(conn, head); err != nil {
			return nil, err
		}
		payload := make([]byte, int(head[0])|int(head[1])<<8)
		_, err := io.ReadFull(conn, payload)
		return payload, err
	}
	send(0, greeting())
	if _, err := read(); err != nil {
		return
	}
	send(2, okPacket)
	for {
		command, err := read()
		if err != nil {
			return
		}
		switch {
		case bytes.HasPrefix(command, []byte("\x03SET")):
			send(1, okPacket)
		case bytes.HasSuffix(command, []byte(versionTable)):
			send(1, noTablePacket)
		default:
			for i, payload := range b {
				send(byte(1+i), payload)
			}
		}
	}
}

// greeting is what MariaDB would say at first.
// https://mariadb.com/kb/en/connection/#initial-handshake-packet
func greeting() []byte {
	b := []byte("\x0a11.4.0\x00\x01\x00\x00\x0012345678\x00")
	b = append(b, 0x00, 0xa2, 45, 2, 0, 0x08, 0x00, 21) // PROTOCOL_41, TRANSACTIONS, SECURE_CONNECTION; PLUGIN_AUTH
	b = append(b, make([]byte, 10)...)
	return append(b, "123456789012\x00mysql_native_password\x00"...)
}

// A connection on which the driver panicked would stay in use for ever.
func TestDriverPanics(t *testing.T) {
	for _, c := range []struct {
		name   string
		server babbler
	}{
		{"answer cut short", babbler{{0}}},
		{"end of rows cut short", babbler{
			{1}, []byte("\x03def\x00\x00\x00\x01c\x00\x0c\x3f\x00\x0a\x00\x00\x00\x08\x00\x00\x00\x00\x00"), {0xfe, 0, 0, 2, 0}, // a column
			{0xfe},
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			db, err := Open(Config{DSN: c.server.start(t)})
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			id := streamID(1)
			for try := range poolConnections + 4 { // a connection that is kept would be missed
				_, err := db.Flush(ctx, batchOf(id, 0, shown("u", startMS)))
				if classOf(err) != classConnection || ctx.Err() != nil {
					t.Fatalf("try %d: Flush = %v (class %s), want class connection", try, err, classOf(err))
				}
				if err := db.inTx(ctx, nil); classOf(err) != classConnection || ctx.Err() != nil {
					t.Fatalf("try %d: inTx = %v (class %s), want class connection", try, err, classOf(err))
				}
				if _, _, err := db.Progress(ctx, popup.StreamID{}); classOf(err) != classConnection || ctx.Err() != nil {
					t.Fatalf("try %d: Progress = %v (class %s), want class connection", try, err, classOf(err))
				}
			}
		})
	}
}

// deaf is a driver that panics at a greeting, as go-sql-driver does at a short one.
type deaf struct{ driver.Connector }

func (deaf) Connect(context.Context) (driver.Conn, error) { panic("slice bounds out of range") }

// database/sql connects in a goroutine of its own too: a panic there is the end.
func TestDriverPanicsAtGreeting(t *testing.T) {
	if conn, err := (guarded{deaf{}}).Connect(t.Context()); conn != nil || classOf(err) != classConnection {
		t.Errorf("Connect = %v, %v (class %s), want class connection", conn, err, classOf(err))
	}
}

// A panic in the middle of a transaction, which the caller survives, must not
// leave a connection whose next BEGIN commits the half that was done.
func TestPanicInTheMiddle(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		id := streamID(1)
		s.register(t, id)
		b := batchOf(id, 0, shown("ü", startMS), shown("v", startMS))
		b.Last, b.Gaps = 3, []popup.Gap{{First: 3, Last: 3}}

		panics, calls := *s.dialect, 0
		panics.hex = func(dst, b []byte) []byte {
			if calls++; calls == 2 { // the first is of ü's event, the second of its state, when the events are there
				panic("in the middle")
			}
			return s.dialect.hex(dst, b)
		}
		s.flusher.writer.row.dialect = &panics
		func() {
			defer func() {
				if recover() == nil {
					t.Error("Flush did not panic")
				}
			}()
			_, _ = s.Flush(t.Context(), b)
		}()
		s.flusher.writer.row.dialect = s.dialect
		if last := s.progress(t, id); last != 0 {
			t.Errorf("progress %d after the panic, want 0", last)
		}
		s.mustFlush(t, b)
		if n := s.number(t, "SELECT COUNT(*) FROM dead_frame"); n != 1 {
			t.Errorf("%d gaps, want 1", n)
		}
	})
}
