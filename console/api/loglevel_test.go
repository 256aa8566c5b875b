package api_test

import (
	"errors"
	"log/slog"
	"strings"
	"testing"
)

const logLevel = "/v1/admin/log-level"

func TestLogLevel(t *testing.T) {
	p := newPlane(t)
	is := func(want string, level slog.Level) {
		t.Helper()
		if got := p.Want(200, "", "GET", logLevel, "").JSON(t)["level"]; got != want || p.level.Level() != level {
			t.Errorf("level %v, in force %v, want %s", got, p.level.Level(), want)
		}
	}
	is("info", slog.LevelInfo)
	for name, level := range map[string]slog.Level{"debug": slog.LevelDebug, "warn": slog.LevelWarn, "error": slog.LevelError, "info": slog.LevelInfo} {
		p.Want(200, "", "PUT", logLevel, `{"level":"`+name+`"}`)
		is(name, level)
		if last := p.store.audit[len(p.store.audit)-1]; last.Action != "log_level" || last.Actor != "admin" || last.Object != "server:"+name {
			t.Errorf("audit %+v", last)
		}
	}
	p.Want(200, "", "GET", "/v1/admin/audit", "")
}

func TestLogLevelRefused(t *testing.T) {
	p := newPlane(t)
	for _, body := range []string{`{}`, `{"level":""}`, `{"level":"INFO"}`, `{"level":"trace"}`, `{"level":4}`, `{"level":"info","for":"1h"}`, `"info"`} {
		p.Want(422, "invalid_fields", "PUT", logLevel, body)
	}
	p.Want(400, "malformed_json", "PUT", logLevel, `{`)
	if p.level.Level() != slog.LevelInfo || len(p.store.audit) > 0 {
		t.Errorf("level %v, audit %+v", p.level.Level(), p.store.audit)
	}
}

// The level changes while the store is away, and the log says who did it.
func TestLogLevelWithoutStore(t *testing.T) {
	p := newPlane(t)
	p.store.down = errors.New("the store is away")
	p.Want(200, "", "PUT", logLevel, `{"level":"debug"}`)
	if p.level.Level() != slog.LevelDebug || !strings.Contains(p.Logged(), "not in the audit trail") || !strings.Contains(p.Logged(), "actor=admin") {
		t.Errorf("level %v, log %s", p.level.Level(), p.Logged())
	}
}
