package persist

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/popupd/popupd/internal/storetest"
)

// A server that began while MySQL was down meets a newer schema when it comes back.
// It writes nothing there, says so once, goes on reading, and writes again when the
// schema is put back.
func TestNewerSchemaIsNotWritten(t *testing.T) {
	s := onMySQL(t)
	id := streamID(1)
	s.register(t, id)
	s.exec(t, "INSERT INTO schema_version (version_id, is_applied) VALUES (9999, 1)")
	var logged bytes.Buffer
	config := s.config
	config.Log = slog.New(slog.NewTextHandler(&logged, nil))
	db, err := Open(config)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for range 3 {
		_, flush := db.Flush(t.Context(), batchOf(id, 0, shown("u", startMS)))
		_, register := db.Register(t.Context(), streamID(2), 1)
		for what, err := range map[string]error{"Flush": flush, "Register": register, "CloseStream": db.CloseStream(t.Context(), id), "Migrate": db.Migrate(t.Context())} {
			if !errors.Is(err, ErrNewerSchema) {
				t.Errorf("%s = %v, want %v", what, err, ErrNewerSchema)
			}
		}
	}
	if len(db.flusher.orphanedSessions) != 0 {
		t.Errorf("%d sessions are taken for orphaned", len(db.flusher.orphanedSessions))
	}
	if n := strings.Count(logged.String(), "level=ERROR"); n != 1 {
		t.Errorf("%d errors are logged, want 1:\n%s", n, &logged)
	}
	if got := db.schema.mismatch(); got != 1 {
		t.Errorf("popupd_schema_mismatch = %v, want 1", got)
	}
	if _, known, err := db.Progress(t.Context(), id); err != nil || !known {
		t.Errorf("Progress: known %v, %v; want reads to go on", known, err)
	}
	if n := s.number(t, "SELECT COUNT(*) FROM event") + s.number(t, "SELECT COUNT(*) - 1 FROM ingest_stream"); n != 0 {
		t.Errorf("%d rows were written", n)
	}

	s.exec(t, "DELETE FROM schema_version WHERE version_id = 9999")
	if _, err := db.Flush(t.Context(), batchOf(id, 0, shown("u", startMS))); err != nil {
		t.Error(err)
	}
	if got := db.schema.mismatch(); got != 0 {
		t.Errorf("popupd_schema_mismatch = %v, want 0", got)
	}
}

// A server whose connections were open before the schema became newer notices it within
// the life of a connection.
func TestNewerSchemaUnderOpenSessions(t *testing.T) {
	s := onMySQL(t)
	id := streamID(1)
	s.register(t, id)
	config := s.config
	config.sessionLife = 50 * time.Millisecond
	db, err := Open(config)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Flush(t.Context(), batchOf(id, 0, shown("u", startMS))); err != nil {
		t.Fatal(err)
	}
	s.exec(t, "INSERT INTO schema_version (version_id, is_applied) VALUES (9999, 1)")
	deadline := time.Now().Add(20 * time.Second)
	for last := uint64(1); ; last++ {
		_, err := db.Flush(t.Context(), batchOf(id, last, shown("u", startMS+int64(last))))
		if errors.Is(err, ErrNewerSchema) {
			break
		}
		if err != nil || time.Now().After(deadline) {
			t.Fatalf("Flush = %v, want %v", err, ErrNewerSchema)
		}
	}
	s.exec(t, "DELETE FROM schema_version WHERE version_id = 9999")
}

// What is refused for a missing privilege says so at once, with the GRANT, which then
// helps the server that runs.
func TestDenial(t *testing.T) {
	dsn := storetest.MySQL(t)
	s := newEmptyStore(t, "mysql", dsn, Config{DSN: dsn})
	config, err := mysql.ParseDSN(dsn)
	if err != nil {
		t.Fatal(err)
	}
	app := s.asUser(t, "denied", "pw")
	grant := "GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER ON `" + config.DBName + "`.* TO 'denied'@'%'"
	deny := func(privileges string) {
		t.Helper()
		s.exec(t, "REVOKE "+privileges+" ON "+config.DBName+".* FROM denied@'%'")
		app.write.SetMaxIdleConns(0) // what was granted holds for a connection's life
		app.write.SetMaxIdleConns(4)
	}
	check := func(err error, command string) {
		t.Helper()
		if !errors.As(err, new(*DeniedError)) || Unavailable(err) || !strings.Contains(err.Error(), command+" command denied to user") || !strings.Contains(err.Error(), grant) {
			t.Errorf("got %v, want that %s is denied, and %s", err, command, grant)
		}
		s.exec(t, grant)
	}

	deny("CREATE")
	start := time.Now()
	check(app.Migrate(t.Context()), "CREATE")
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("it took %v to say so", took)
	}
	if err := app.Migrate(t.Context()); err != nil {
		t.Fatalf("after the GRANT: %v", err)
	}
	deny("INSERT")
	_, err = app.Register(t.Context(), streamID(1), 1)
	check(err, "INSERT")
	if _, err := app.Register(t.Context(), streamID(1), 1); err != nil {
		t.Errorf("after the GRANT: %v", err)
	}
	deny("SELECT")
	_, _, err = app.Progress(t.Context(), streamID(1))
	check(err, "SELECT")
	if _, _, err := app.Progress(t.Context(), streamID(1)); err != nil {
		t.Errorf("after the GRANT: %v", err)
	}
}

// A prepared statement may be denied in a session that has executed it before. It is told
// as any other denial, and not taken for a server that prepares nothing.
func TestDenialOfPrepared(t *testing.T) {
	s := onMySQL(t)
	config, err := mysql.ParseDSN(s.config.DSN)
	if err != nil {
		t.Fatal(err)
	}
	app := s.asUser(t, "prepared", "pw")
	s.exec(t, "REVOKE INSERT ON "+config.DBName+".* FROM prepared@'%'")
	for _, table := range []string{"impression", "event", "user_popup", "popup_stats"} {
		s.exec(t, "GRANT INSERT ON "+config.DBName+"."+table+" TO prepared@'%'")
	}
	id := streamID(1)
	s.register(t, id)
	if _, err := app.Flush(t.Context(), manyEvents(id, 0, someRows)); err != nil {
		t.Fatal(err)
	}
	s.exec(t, "REVOKE INSERT ON "+config.DBName+".event FROM prepared@'%'")
	_, err = app.Flush(t.Context(), manyEvents(id, someRows, someRows))
	if !errors.As(err, new(*DeniedError)) || !strings.Contains(err.Error(), "GRANT SELECT, INSERT") {
		t.Errorf("got %v, want a denial, and a GRANT", err)
	}
	if !app.flusher.writer.literalUntil.IsZero() {
		t.Error("the server is taken for one that prepares nothing")
	}
	s.exec(t, "GRANT INSERT ON "+config.DBName+".event TO prepared@'%'")
	if _, err := app.Flush(t.Context(), manyEvents(id, someRows, someRows)); err != nil {
		t.Errorf("after the GRANT: %v", err)
	}
}

// A database that denies any of what flushes do is not up.
func TestDeniedIsNotUp(t *testing.T) {
	s := onMySQL(t)
	config, err := mysql.ParseDSN(s.config.DSN)
	if err != nil {
		t.Fatal(err)
	}
	app := s.asUser(t, "half", "pw")
	for _, privilege := range []string{"INSERT", "UPDATE", "DELETE"} {
		if !app.ping(t.Context()) {
			t.Fatal("the store is not up")
		}
		s.exec(t, "REVOKE "+privilege+" ON "+config.DBName+".* FROM half@'%'")
		app.write.SetMaxIdleConns(0) // what was granted holds for a connection's life
		app.write.SetMaxIdleConns(4)
		if app.ping(t.Context()) || testutil.ToFloat64(app.metrics.up) != 0 {
			t.Errorf("the store is up without %s", privilege)
		}
		s.exec(t, "GRANT "+privilege+" ON "+config.DBName+".* TO half@'%'")
	}
}
