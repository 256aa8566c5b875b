package main

import (
	"bytes"
	"database/sql"
	"fmt"
	"time"

	"github.com/go-sql-driver/mysql"
)

// maxConnections is what a team allows one server of a database that has 800.
const maxConnections = 100

// tables have a primary key for everything that is looked up.
var tables = []string{
	`CREATE TABLE popup (
		id          INT UNSIGNED   NOT NULL PRIMARY KEY,
		priority    INT            NOT NULL,
		placements  VARBINARY(255) NOT NULL,
		platforms   VARBINARY(255) NOT NULL,
		min_version INT UNSIGNED   NOT NULL,
		wait_ms     BIGINT         NOT NULL,
		variant     VARBINARY(64)  NOT NULL,
		head        BLOB           NOT NULL,
		tail        MEDIUMBLOB     NOT NULL
	) ENGINE=InnoDB`,
	`CREATE TABLE user_popup (
		user_id    VARBINARY(128) NOT NULL,
		popup_id   INT UNSIGNED   NOT NULL,
		next_at_ms BIGINT         NOT NULL,
		PRIMARY KEY (user_id, popup_id)
	) ENGINE=InnoDB`,
	`CREATE TABLE event (
		id       BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
		at_ms    BIGINT          NOT NULL,
		user_id  VARBINARY(128)  NOT NULL,
		popup_id INT UNSIGNED    NOT NULL,
		version  INT UNSIGNED    NOT NULL,
		variant  VARBINARY(64)   NOT NULL,
		action   TINYINT UNSIGNED NOT NULL
	) ENGINE=InnoDB`,
}

const (
	insertEvent = "INSERT INTO event (at_ms, user_id, popup_id, version, variant, action) VALUES "
	// A row whose wait still runs is left as it is, and then counts as not
	// affected: of two tabs that poll at once, one is served.
	insertUser = "INSERT INTO user_popup (user_id, popup_id, next_at_ms) VALUES "
	updateUser = " ON DUPLICATE KEY UPDATE next_at_ms = IF(next_at_ms <= ?, VALUES(next_at_ms), next_at_ms)"
	latestUser = " ON DUPLICATE KEY UPDATE next_at_ms = GREATEST(next_at_ms, VALUES(next_at_ms))"
)

// database reads and writes MySQL within a poll.
type database struct {
	*sql.DB
	fitting *sql.Stmt // popups that fit a request, and when this user may see them
	waits   *sql.Stmt // when this user may see what
	event   *sql.Stmt
	user    *sql.Stmt
}

func openDatabase(dsn string) (*database, error) {
	config, err := mysql.ParseDSN(dsn)
	if err != nil {
		return nil, err
	}
	config.Timeout, config.ReadTimeout, config.WriteTimeout = 5*time.Second, 30*time.Second, 30*time.Second
	config.InterpolateParams = true // for the rows of the queue; statements below are prepared
	config.Params = map[string]string{"tx_isolation": "'READ-COMMITTED'"}
	connector, err := mysql.NewConnector(config)
	if err != nil {
		return nil, err
	}
	db := &database{DB: sql.OpenDB(connector)}
	db.SetMaxOpenConns(maxConnections)
	db.SetMaxIdleConns(maxConnections)
	for _, s := range []string{"popup", "user_popup", "event"} {
		if _, err := db.Exec("DROP TABLE IF EXISTS " + s); err != nil {
			return nil, err
		}
	}
	for _, s := range tables {
		if _, err := db.Exec(s); err != nil {
			return nil, err
		}
	}
	for _, s := range []struct {
		stmt **sql.Stmt
		sql  string
	}{
		// One statement for both, answers only where they are needed, no ORDER BY:
		// each made polls cheaper for MySQL.
		{&db.fitting, `SELECT p.id, p.priority, p.wait_ms, p.variant, COALESCE(u.next_at_ms, 0),
				IF(u.next_at_ms > ?, NULL, p.head), IF(u.next_at_ms > ?, NULL, p.tail)
			FROM popup p LEFT JOIN user_popup u ON u.user_id = ? AND u.popup_id = p.id
			WHERE p.min_version <= ? AND FIND_IN_SET(?, p.platforms) AND FIND_IN_SET(?, p.placements)`},
		{&db.waits, "SELECT popup_id, next_at_ms FROM user_popup WHERE user_id = ?"},
		{&db.event, insertEvent + "(?,?,?,1,?,1)"},
		{&db.user, insertUser + "(?,?,?)" + updateUser},
	} {
		if *s.stmt, err = db.Prepare(s.sql); err != nil {
			return nil, fmt.Errorf("prepare %s: %w", s.sql, err)
		}
	}
	return db, nil
}

// fill writes the popups, numbered from 1 on as popupd numbers them.
func (db *database) fill(specs []spec) error {
	for n, s := range specs {
		p, err := newPopup(uint32(n+1), s)
		if err != nil {
			return err
		}
		_, err = db.Exec("INSERT INTO popup VALUES (?,?,?,?,?,?,?,?,?)",
			p.id, p.priority, p.placements, p.platforms, p.minVersion, p.waitMS, p.variant, p.head, p.tail)
		if err != nil {
			return fmt.Errorf("write popup %s: %w", s.Key, err)
		}
	}
	return nil
}

// popups reads all popups in the order in which they are shown.
func (db *database) popups() ([]popup, error) {
	rows, err := db.Query("SELECT id, priority, placements, platforms, min_version, wait_ms, variant, head, tail FROM popup")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []popup
	for rows.Next() {
		var p popup
		if err := rows.Scan(&p.id, &p.priority, &p.placements, &p.platforms, &p.minVersion, &p.waitMS, &p.variant, &p.head, &p.tail); err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	byPriority(all)
	return all, rows.Err()
}

// dueTo appends the popups that r may see at nowMS. Without any, soonest is when the
// first of them may be seen, 0 if none fits.
func (db *database) dueTo(dst []popup, r *request, nowMS int64) (due []popup, soonest int64, err error) {
	rows, err := db.fitting.Query(nowMS, nowMS, r.user, r.version, r.platform, r.placement)
	if err != nil {
		return nil, 0, err
	}
	defer rows.Close()
	for rows.Next() {
		var p popup
		var next int64
		var head, tail sql.RawBytes
		if err := rows.Scan(&p.id, &p.priority, &p.waitMS, &p.variant, &next, &head, &tail); err != nil {
			return nil, 0, err
		}
		if next > nowMS {
			soonest = earlier(soonest, next)
			continue
		}
		p.head, p.tail = bytes.Clone(head), bytes.Clone(tail)
		dst = append(dst, p)
	}
	byPriority(dst)
	return dst, soonest, rows.Err()
}

func earlier(a, b int64) int64 {
	if a == 0 || b < a {
		return b
	}
	return a
}

// record writes an impression and when the popup may be seen again. It
// returns false if another poll has just been shown it.
func (db *database) record(i impression) (bool, error) {
	tx, err := db.Begin()
	if err != nil {
		return false, err
	}
	defer tx.Rollback()
	result, err := tx.Stmt(db.user).Exec(i.user, i.popup, i.nextMS, i.atMS)
	if err != nil {
		return false, err
	}
	if n, err := result.RowsAffected(); n == 0 || err != nil {
		return false, err
	}
	if _, err := tx.Stmt(db.event).Exec(i.atMS, i.user, i.popup, i.variant); err != nil {
		return false, err
	}
	return true, tx.Commit()
}

// recordAll writes many impressions in one transaction, each table in one
// statement.
func (db *database) recordAll(batch []impression) error {
	if len(batch) == 0 {
		return nil
	}
	events, users := []byte(insertEvent), []byte(insertUser)
	var eventArgs, userArgs []any
	for n, i := range batch {
		if n > 0 {
			events, users = append(events, ','), append(users, ',')
		}
		events, users = append(events, "(?,?,?,1,?,1)"...), append(users, "(?,?,?)"...)
		eventArgs = append(eventArgs, i.atMS, i.user, i.popup, i.variant)
		userArgs = append(userArgs, i.user, i.popup, i.nextMS)
	}
	tx, err := db.Begin()
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if _, err := tx.Exec(string(events), eventArgs...); err != nil {
		return err
	}
	if _, err := tx.Exec(string(append(users, latestUser...)), userArgs...); err != nil {
		return err
	}
	return tx.Commit()
}
