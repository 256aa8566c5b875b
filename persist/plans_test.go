package persist

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/popupd/popupd/internal/popuplist"
	"github.com/popupd/popupd/internal/storetest"
	"github.com/popupd/popupd/popup"
)

// grown fills the tables that grow with users, events, popups or changes: 12,000 rows each, as many as seq has.
var grown = map[string]string{
	"event":           "(stream_no, seq, at_ms, user_id, popup_id, version, variant, action, served_at_ms, nth) SELECT 1 + seq % 3, 1000 + seq, seq, CONCAT('u', seq % 5000), 1 + seq % 100, 1, 'a', 1, seq, 1",
	"impression":      "(user_id, popup_id, served_at_ms) SELECT CONCAT('u', seq % 5000), 1 + seq % 100, seq",
	"user_popup":      "(user_id, popup_id, impressions, last_impression_ms, acted, last_action, last_action_ms, click_until_ms, next_at_ms) SELECT CONCAT('u', seq DIV 6), 1 + seq % 6, 1, seq, 0, 1, seq, 0, seq",
	"experiment_user": "(user_id, popup_id, exposed_ms, version, variant, mixed_ms, click_ms, convert_ms) SELECT CONCAT('u', seq DIV 6), 1 + seq % 6, seq, 1, 'a', 0, 0, 0",
	"popup_stats":     "(popup_id, hour, variant, impressions, users, clicks, dismisses, converts, controls) SELECT 1 + seq % 100, 3600000 * (seq DIV 100), 'b', 1, 1, 0, 0, 0, 0",
	"popup_why_not":   "(popup_id, hour, reason, polls, sampled) SELECT 1000 + seq % 100, 3600000 * (1 + seq DIV 100), 'gap', 1, 1",
	"audit":           "(at_ms, actor, action, object, from_version, to_version) SELECT seq, 'ops', IF(seq % 2, 'reset', 'update'), CONCAT('popup-', seq % 1000), 1, 1",
	"popup_revisions": "(popup_id, version, spec, actor, created_at) SELECT 1000 + seq % 300, seq DIV 300, '{}', 'ops', seq",
	"webhook_outbox":  "(subject, webhook_id, body, created_ms, due_ms, attempts, result, settled_ms) SELECT CONCAT('s', seq), CONCAT('msg_', seq), '{}', 1, seq, 1, '', seq",
	"console_session": "(id, hash, name, role, bond, created_ms, seen_ms, ends_ms) SELECT LPAD(seq, 16, 'z'), '', CONCAT('user-', seq), 'viewer', '', 4000000000000 + seq, 1, 1",
}

// scanned is how many of these rows a statement may look at, by what EXPLAIN expects.
const scanned = 1500

// scans are statements that look at more, or that EXPLAIN does not see the end of, and why they may.
var scans = map[string]string{
	"FROM user_popup u WHERE":                  "a start without a dump reads the table once",
	"FROM impression i WHERE":                  "the same, where the settings have caps",
	"ORDER BY user_id, popup_id":               "a walk reads some keys at a time, and goes on behind them: nothing is left out between",
	"FROM webhook_outbox WHERE settled_ms > 0": "any 500 of those that are to be deleted",
}

// TestPlans has MariaDB explain every statement that the package sends, on tables that have grown: none may
// scan one of them. It calls every method of DB, so a new one has to be added here.
func TestPlans(t *testing.T) {
	storetest.NeedMariaDB(t, "ANALYZE of statements")
	server := storetest.StartMySQL(t, "--general-log=1", "--log-output=TABLE")
	dsn := server.CreateDatabase(t, "plans")
	s := newStore(t, "mysql", dsn, Config{DSN: dsn, Host: "test-host", PseudonymiseAudit: true,
		Notice: func(c popup.PopupChange) (popup.Notice, bool) {
			return popup.Notice{Subject: fmt.Sprint(c.After.Key, c.After.Version), ID: fmt.Sprint("msg_", c.After.Key, c.After.Version), Body: []byte("{}")}, true
		}})
	s.raw.SetMaxOpenConns(1) // whose statements are told apart by its id
	work(t, s)
	statements := loggedStatements(t, s)
	for table, rows := range grown {
		s.exec(t, "INSERT INTO "+table+" "+rows+" FROM seq_1_to_12000")
		s.exec(t, "ANALYZE TABLE "+table)
	}
	used := map[string]bool{}
	for _, statement := range statements {
		for _, line := range explain(t, s.raw, statement) {
			if line.rows < scanned {
				continue
			}
			allowed := false
			for part := range scans {
				if strings.Contains(statement, part) {
					allowed, used[part] = true, true
				}
			}
			if !allowed {
				t.Errorf("%s of table %s by key %q looks at %d rows:\n%s", line.kind, line.table, line.key, line.rows, statement)
			}
		}
	}
	for part := range scans {
		if !used[part] {
			t.Errorf("no statement with %q scans a table any more", part)
		}
	}
	s.exec(t, "DELETE FROM event WHERE seq > 1000") // of which no stream knows
	if len(statements) < 50 {
		t.Errorf("only %d statements are about tables that grow", len(statements))
	}
}

// literal is what differs between statements of one shape.
var literal = regexp.MustCompile(`x'[0-9a-fA-F]*'|'(?:[^'\\]|\\.|'')*'|\b\d+\b|\?`)

// repeats are lists of literals, whose length differs.
var repeats = regexp.MustCompile(`(\?(, ?)?)+`)

// loggedStatements returns one statement of each shape that the store has sent and that is about a table
// that grows.
func loggedStatements(t *testing.T, s *store) []string {
	t.Helper()
	rows, err := s.raw.Query("SELECT CONVERT(argument USING utf8mb4) FROM mysql.general_log WHERE command_type IN ('Query', 'Execute') AND thread_id <> CONNECTION_ID()")
	if err != nil {
		t.Fatal(err)
	}
	all, err := collect(rows, func(s scanner) (text string, err error) {
		err = s.Scan(&text)
		return text, err
	})
	if err != nil {
		t.Fatal(err)
	}
	shapes := map[string]string{}
	for _, text := range all {
		verb, _, _ := strings.Cut(strings.TrimLeft(text, "( "), " ")
		if verb != "SELECT" && verb != "UPDATE" && verb != "DELETE" && (verb != "INSERT" || !strings.Contains(text, "SELECT")) {
			continue
		}
		isGrown := slices.ContainsFunc(slices.Collect(maps.Keys(grown)), func(table string) bool { return regexp.MustCompile(`\b` + table + `\b`).MatchString(text) })
		if isGrown && !strings.Contains(text, "information_schema") {
			shapes[repeats.ReplaceAllString(literal.ReplaceAllString(text, "?"), "?")] = text
		}
	}
	return slices.Sorted(maps.Values(shapes))
}

// planLine is what EXPLAIN says of a table.
type planLine struct {
	table, kind, key string
	rows             int64
}

func explain(t *testing.T, raw *sql.DB, statement string) (lines []planLine) {
	t.Helper()
	rows, err := raw.Query("EXPLAIN " + statement)
	if err != nil {
		t.Fatalf("EXPLAIN %s: %v", statement, err)
	}
	lines, err = collect(rows, func(s scanner) (planLine, error) {
		var id, selectType, table, kind, possible, key, length, ref, extra sql.NullString
		var n sql.NullInt64
		err := s.Scan(&id, &selectType, &table, &kind, &possible, &key, &length, &ref, &n, &extra)
		return planLine{table.String, kind.String, key.String, n.Int64}, err
	})
	if err != nil {
		t.Fatalf("EXPLAIN %s: %v", statement, err)
	}
	return lines
}

// work calls every method of DB, most of them so that they find something.
func work(t *testing.T, s *store) {
	called := map[string]bool{"Migrate": true, "Close": true} // by newStore
	ctx := t.Context()
	try := func(method string, err error) {
		t.Helper()
		called[method] = true
		if err != nil {
			t.Fatalf("%s: %v", method, err)
		}
	}
	change := popup.Change{Actor: "ops", Action: "test"}

	// The catalog.
	tested := mustCreate(t, s, `{"key":"tested","status":"active","goal":{"event":"buy"},"variants":[{"key":"a"},{"key":"b"}]}`)
	plain := mustCreate(t, s, `{"key":"plain","status":"active","frequency":{"max_impressions":3}}`)
	try("Create", nil)
	_, err := s.Put(ctx, change, plain.Version, spec(t, `{"key":"plain","status":"active","name":"again","frequency":{"max_impressions":3}}`))
	try("Put", err)
	_, err = s.Popup(ctx, "plain")
	try("Popup", err)
	_, err = s.Revisions(ctx, "plain")
	try("Revisions", err)
	_, err = s.Settings(ctx)
	try("Settings", err)
	_, err = s.PutSettings(ctx, change, 0, popup.Settings{MinGapSec: 60})
	try("PutSettings", err)
	s.mustPutRule(t, newAudience("ios"), `{"all":[{"attr":"platform","op":"eq","value":"ios"}]}`)
	try("PutAudienceRule", nil)
	s.mustPutList(t, newAudience("vip"), randomList(1, 2), 1000)
	try("PutAudienceList", nil)
	try("WriteAudienceList", s.WriteAudienceList(ctx, s.listOf(t, "vip"), io.Discard))
	_, err = s.AudienceKey(ctx)
	try("AudienceKey", err)
	_, err = s.Audiences(ctx)
	try("Audiences", err)
	_, err = s.Audience(ctx, "vip")
	try("Audience", err)
	try("DeleteAudience", s.DeleteAudience(ctx, anyAudience("vip")))
	before, err := s.Position(ctx)
	try("Position", err)
	mustImport(t, s, `{"popups":[{"key":"imported","status":"active"}],"source":"shop.yaml"}`)
	try("Import", nil)
	try("PlanImport", nil)
	try("ExportCatalog", s.ExportCatalog(ctx, func(popup.Position, popup.StoredSettings, []popup.ExportedAudience) error { return nil }, func(popup.Popup) error { return nil }))
	_, _, err = s.Changes(ctx, before)
	try("Changes", err)
	_, err = s.Rows(ctx)
	try("Rows", err)
	try("ReadPopupList", s.ReadPopupList(ctx))
	_, _, err = s.FindPopups(ctx, popuplist.Query{Limit: 10})
	try("FindPopups", err)

	// Who may do what, and what was told.
	try("CreateAdminToken", s.CreateAdminToken(ctx, change, s.adminToken("ci", popup.RoleEditor, time.Hour)))
	tokens, err := s.AdminTokens(ctx)
	try("AdminTokens", err)
	try("AdminTokenUsed", s.AdminTokenUsed(ctx, tokens[0].ID, s.clock.now()))
	_, err = s.DeleteAdminToken(ctx, change, "ci")
	try("DeleteAdminToken", err)
	session := s.mustLogIn(t, s.session("ann", popup.RoleViewer), "")
	try("OpenConsoleSession", nil)
	s.sessions(t, session.ID)
	try("ConsoleSessions", nil)
	try("ConsoleSessionSeen", s.ConsoleSessionSeen(ctx, session.ID, s.clock.now()))
	try("EndConsoleSession", s.EndConsoleSession(ctx, change, session.ID))
	try("EndConsoleSessions", s.EndConsoleSessions(ctx, change, "ann"))
	try("AuditLogIn", s.AuditLogIn(ctx, change, "wrong"))
	try("AuditServer", s.AuditServer(ctx, change, "debug"))
	try("AddNotice", s.AddNotice(ctx, popup.Notice{Subject: "one", ID: "msg_one", Body: []byte("{}")}))
	claimed, _, err := s.ClaimNotice(ctx, time.Hour)
	try("ClaimNotice", err)
	try("NoticeSent", s.NoticeSent(ctx, claimed, popup.Attempt{}))
	_, _, err = s.TrimOutbox(ctx, 0, 1)
	try("TrimOutbox", err)
	try("Beat", s.Beat(ctx, popup.Server{ID: strings.Repeat("a", 32), Name: "one", State: "ready"}))
	_, err = s.Servers(ctx)
	try("Servers", err)
	try("RemoveServer", s.RemoveServer(ctx, strings.Repeat("a", 32)))

	// Events, with and without RETURNING.
	now := time.Now().UnixMilli()
	for n := range byte(2) {
		id := streamID(n + 1)
		s.register(t, id)
		user := fmt.Sprint("user-", n)
		released := shown(user, now+1)
		release := released
		release.Action = popup.Release
		events := of(tested.ID, shown(user, now), clicked(user, now, now+1), released, release, purchased("late", now, now-1000), shown("late", now-10), clicked(user, now, now+2))
		s.mustFlush(t, batchOf(id, 0, append(events, of(plain.ID, shown(user, now), shown("other", now-20*24*hourMS))...)...))
		s.withoutReturning()
	}
	try("Register", nil)
	try("Flush", nil)
	s.passAll(t)
	_, _, err = s.Progress(ctx, streamID(1))
	try("Progress", err)
	_, err = s.Orphans(ctx, 0)
	try("Orphans", err)
	_, err = s.Counted(ctx)
	try("Counted", err)
	_, err = s.Experiment(ctx, tested.ID, 7)
	try("Experiment", err)
	_, err = s.ExperimentDecisions(ctx, 0)
	try("ExperimentDecisions", err)
	_, err = s.Stats(ctx, tested.ID, 0, now+hourMS)
	try("Stats", err)
	_, err = s.VariantTotals(ctx, tested.ID, 0)
	try("VariantTotals", err)
	_, err = s.RecentStats(ctx, []uint32{tested.ID, plain.ID}, now-hourMS, now+hourMS, hourMS)
	try("RecentStats", err)
	try("AddWhyNot", s.AddWhyNot(ctx, []popup.WhyNot{{PopupID: plain.ID, HourMS: now / hourMS * hourMS, Reason: popup.Outranked, Polls: 100, Sampled: 10}}))
	_, err = s.WhyNot(ctx, plain.ID, 0, now+hourMS)
	try("WhyNot", err)
	_, err = s.EndedPopups(ctx, 0, now)
	try("EndedPopups", err)
	_, err = s.StarvingPopups(ctx, 117*hourMS, 1)
	try("StarvingPopups", err)
	_, err = s.RecentImpressions(ctx, []byte("user-1"), []uint32{tested.ID, plain.ID}, 5)
	try("RecentImpressions", err)
	s.pass(t, time.Hour)
	cursor := ""
	for range 2 {
		try("CountedEvents", s.CountedEvents(ctx, cursor, 3, func(_ []popup.CountedEvent, at string) error { cursor = at; return nil }))
	}

	// A start, and one that knows something.
	var r reader
	impressions := func([]byte, uint32, int64, uint8) {}
	found, _ := r.read(t, s)
	try("Restore", nil)
	try("RestoreImpressions", s.RestoreImpressions(ctx, &found, now-hourMS, impressions))
	s.mustFlush(t, batchOf(streamID(1), 9, of(plain.ID, shown("another", now))...))
	if found, _ = r.read(t, s); found.Full != "" {
		t.Errorf("the second start has read everything: %s", found.Full)
	}
	try("RestoreImpressions", s.RestoreImpressions(ctx, &found, now-hourMS, impressions))
	// What a server asks that holds only some of the users.
	try("LookUp", s.LookUp(ctx, [][]byte{[]byte("user-1"), []byte("late")}, 1, func([]byte, uint32, popup.State) {}, impressions))
	_, err = s.Committed(ctx, []popup.StreamID{streamID(1), streamID(2)})
	try("Committed", err)
	try("RestoreResets", s.RestoreResets(ctx, func([]byte, int64) {}))

	// Users who are erased, rows that are old, and a popup that was archived.
	erased, err := s.AuditUser(ctx, popup.Change{Actor: "ops", Action: "reset"}, "user-0")
	try("AuditUser", err)
	s.mustFlush(t, batchOf(streamID(2), 9, reset("user-0", now+10)))
	try("Ping", s.Ping(ctx))
	s.exec(t, "UPDATE popups SET status = 'archived', updated_at = 1 WHERE id = ?", tested.ID)
	s.exec(t, "INSERT INTO goal_pending (user_id, popup_id, stream_no, seq, at_ms, since_ms) VALUES ('gone', 1, 1, 1, 1, 1)")
	s.exec(t, "INSERT INTO popup_why_not (popup_id, hour, reason, polls, sampled) VALUES (1, 1, 'outranked', 1, 1)")
	s.retention = time.Millisecond
	s.passAll(t)
	s.sweepAll(t)
	_, err = s.Erasure(ctx, erased)
	try("Erasure", err)
	for _, object := range []string{"", "plain"} {
		for _, from := range []int64{0, 5} {
			_, err = s.Audit(ctx, object, from, 10)
			try("Audit", err)
		}
	}
	try("CloseStream", s.CloseStream(ctx, streamID(1)))
	done, cancel := context.WithCancel(ctx)
	cancel()
	try("Run", s.Run(done))
	try("RunExperiments", s.RunExperiments(done))

	for m := range reflect.TypeFor[*DB]().Methods() {
		if !called[m.Name] {
			t.Errorf("work does not call %s, so its statements are not explained", m.Name)
		}
	}
}
