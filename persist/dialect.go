package persist

import (
	"encoding/hex"
	"strings"
	"unicode/utf8"
)

// dialect is what MySQL and SQLite spell differently.
type dialect struct {
	name      string                     // of the directory of migrations
	begin     string                     // starts a transaction that writes
	now       string                     // the time of the store's clock, ms; it is that of the statement
	upsert    func(key string) string    // what stands between the rows and the assignments of an upsert
	words     *strings.Replacer          // see expand
	hex       func(dst, b []byte) []byte // appends the literal of a text of any bytes
	user      func(id []byte) any        // a user id as an argument
	lookup    func(table string) string  // joins a table that is looked up by its primary key, row by row
	stateRows string                     // estimates the rows of user_popup
	isSession bool                       // a connection is a session of a server, which may outlive it
}

func mysqlDialect() *dialect {
	return &dialect{
		name:   "mysql",
		begin:  "START TRANSACTION",
		now:    "(TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(3)) DIV 1000)",
		upsert: func(string) string { return " ON DUPLICATE KEY UPDATE " },
		words:  strings.NewReplacer("NEW(", "VALUES("),
		hex: func(dst, b []byte) []byte {
			return append(hex.AppendEncode(append(dst, "x'"...), b), '\'')
		},
		user: func(id []byte) any { return id },
		lookup: func(table string) string {
			return "STRAIGHT_JOIN " + table + " FORCE INDEX (PRIMARY)"
		},
		stateRows: "SELECT COALESCE(MAX(TABLE_ROWS), 0) FROM information_schema.TABLES" +
			" WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'user_popup'",
		isSession: true,
	}
}

// User ids are TEXT in SQLite: it compares TEXT byte by byte, while a BLOB is
// never equal to the string that an analyst types.
func sqliteDialect() *dialect {
	return &dialect{
		name:   "sqlite",
		begin:  "BEGIN IMMEDIATE",
		now:    "CAST(ROUND(unixepoch('subsec') * 1000) AS INTEGER)",
		upsert: func(key string) string { return " ON CONFLICT(" + key + ") DO UPDATE SET " },
		words:  strings.NewReplacer("NEW(", "(excluded.", "GREATEST(", "max("),
		hex: func(dst, b []byte) []byte {
			return append(hex.AppendEncode(append(dst, "CAST(x'"...), b), "' AS TEXT)"...)
		},
		user:      func(id []byte) any { return string(id) },
		lookup:    func(table string) string { return "CROSS JOIN " + table },
		stateRows: "0", // its server is the only one, and knows what it did
	}
}

// expand spells the assignments of an upsert, in which NEW(column) is the value
// that the INSERT brings and GREATEST(a, b) the greater of two.
func (d *dialect) expand(assignments string) string { return d.words.Replace(assignments) }

// text appends the literal of a text. Letters, digits, - and _ stand for
// themselves in quotes; anything else goes as hex digits, so nothing in b can
// end the literal, whatever the connection's character set and SQL mode.
func (d *dialect) text(dst, b []byte) []byte {
	for _, c := range b {
		if !isPlain(c) {
			return d.hex(dst, b)
		}
	}
	dst = append(dst, '\'')
	dst = append(dst, b...)
	return append(dst, '\'')
}

func isPlain(c byte) bool {
	return 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || 'A' <= c && c <= 'Z' || c == '-' || c == '_'
}

// clip shortens a text for people to at most max bytes of valid UTF-8.
func clip(s string, max int) string {
	s = strings.ToValidUTF8(s, "?")
	if len(s) <= max {
		return s
	}
	for max > 0 && !utf8.RuneStart(s[max]) {
		max--
	}
	return s[:max]
}
