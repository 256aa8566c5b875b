package persist

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/popupd/popupd/popup"
)

const (
	keepServers = 24 * time.Hour // after a server was last heard of
	maxServers  = 1000           // that are listed
	maxVersion  = 64             // characters of a server's version
)

// Beat notes what a server tells of itself, and that it was heard of just now.
func (db *DB) Beat(ctx context.Context, s popup.Server) error {
	now := db.dialect.now
	_, err := db.write.ExecContext(ctx, "INSERT INTO server (id, name, address, version, state, revision, waiting_events, oldest_event_ms,"+
		" journal_bytes, journal_max_bytes, started_ms, seen_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "+now+" - ?, "+now+")"+
		db.dialect.upsert("id")+db.dialect.expand("name = NEW(name), address = NEW(address), version = NEW(version), state = NEW(state),"+
		" revision = NEW(revision), waiting_events = NEW(waiting_events), oldest_event_ms = NEW(oldest_event_ms), journal_bytes = NEW(journal_bytes),"+
		" journal_max_bytes = NEW(journal_max_bytes), started_ms = NEW(started_ms), seen_ms = NEW(seen_ms)"),
		s.ID, clip(s.Name, maxHost), clip(s.Address, maxHost), clip(s.Version, maxVersion), s.State, s.Revision, s.WaitingEvents, s.OldestEventMS,
		s.JournalBytes, s.JournalMaxBytes, s.UptimeMS)
	if err != nil {
		return fmt.Errorf("tell the store of this server: %w", err)
	}
	return nil
}

// RemoveServer removes a server that ends.
func (db *DB) RemoveServer(ctx context.Context, id string) error {
	if _, err := db.write.ExecContext(ctx, "DELETE FROM server WHERE id = ?", id); err != nil {
		return fmt.Errorf("remove this server from the store: %w", err)
	}
	return nil
}

// Servers returns the servers that were heard of in the last day, by name, at most 1,000.
// Whether one is away is told by the store's clock, which they share.
func (db *DB) Servers(ctx context.Context) ([]popup.Server, error) {
	now := db.dialect.now
	rows, err := db.read.QueryContext(ctx, "SELECT id, name, address, version, state, revision, waiting_events, oldest_event_ms, journal_bytes,"+
		" journal_max_bytes, seen_ms - started_ms, "+now+" - seen_ms FROM server WHERE seen_ms > "+now+" - ? ORDER BY seen_ms DESC LIMIT ?",
		keepServers.Milliseconds(), maxServers)
	if err != nil {
		return nil, fmt.Errorf("list servers: %w", err)
	}
	list, err := collect(rows, func(r scanner) (s popup.Server, err error) {
		err = r.Scan(&s.ID, &s.Name, &s.Address, &s.Version, &s.State, &s.Revision, &s.WaitingEvents, &s.OldestEventMS, &s.JournalBytes,
			&s.JournalMaxBytes, &s.UptimeMS, &s.SeenMSAgo)
		s.SeenMSAgo = max(s.SeenMSAgo, 0) // the clocks of a cluster's nodes differ
		if s.SeenMSAgo > popup.ServerAwayAfter.Milliseconds() {
			s.State = popup.ServerAway
		}
		return s, err
	})
	if err != nil {
		return nil, fmt.Errorf("list servers: %w", err)
	}
	slices.SortFunc(list, func(a, b popup.Server) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID)) })
	return list, nil
}

// removeOldServers forgets servers that nothing was heard of for a day.
func (db *DB) removeOldServers(ctx context.Context) error {
	if _, err := db.write.ExecContext(ctx, "DELETE FROM server WHERE seen_ms <= "+db.dialect.now+" - ?", keepServers.Milliseconds()); err != nil {
		return fmt.Errorf("remove old servers: %w", err)
	}
	return nil
}

// countedStreams is of how many streams, the newest, [DB.Counted] looks at the progress.
const countedStreams = 1000

// Counted returns a number that is another one once more events are committed.
func (db *DB) Counted(ctx context.Context) (n int64, err error) {
	err = db.read.QueryRowContext(ctx, "SELECT COALESCE(SUM(last_seq), 0) FROM"+
		" (SELECT last_seq FROM ingest_stream ORDER BY stream_no DESC LIMIT ?) newest", countedStreams).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("ask how much is counted: %w", err)
	}
	return n, nil
}
