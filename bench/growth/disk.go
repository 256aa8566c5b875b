//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"time"
)

// reconciling are the queries of docs/operations.md that find what does not add up.
var reconciling = regexp.MustCompile("(?s)```sql\n(SELECT .*?)```")

// reconcile runs them, before anything is reset or deleted.
func (m *measurement) reconcile(context.Context) error {
	text, err := os.ReadFile("docs/operations.md")
	if err != nil {
		return err
	}
	_, section, _ := strings.Cut(string(text), "\n### Reconcile\n")
	section, _, _ = strings.Cut(section, "\n## ")
	var took []string
	for _, query := range reconciling.FindAllStringSubmatch(section, -1) {
		start := time.Now()
		rows, err := m.mysql.Query("USE popupd; " + query[1])
		if err == nil && rows != "" {
			err = errors.New("it finds " + rows)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", query[1], err)
		}
		took = append(took, fmt.Sprintf("%.0f", time.Since(start).Seconds()))
	}
	fmt.Fprintf(&m.report, "The %d queries that reconcile find nothing, after %s s.\n\n", len(took), strings.Join(took, ", "))
	return nil
}

// measureDisk reports the bytes of a row: of the tables as they are, whose rows came in the
// order of their keys, and of copies whose rows came in an order that is that of no key,
// as events do.
func (m *measurement) measureDisk(context.Context) error {
	const copied = 500_000
	fmt.Fprintf(&m.report, "## Disk\n\nUser ids have 16 bytes, names of variants one. Rows that come in the order of their keys fill InnoDB's pages; users come in any order, and leave them two thirds full: that was measured with %d rows of each table.\n\n"+
		"| table | rows | GB | bytes a row | bytes a row in random order |\n|---|---:|---:|---:|---:|\n", copied)
	if _, err := m.mysql.Query("DROP DATABASE IF EXISTS random; CREATE DATABASE random"); err != nil {
		return err
	}
	for _, table := range []string{"event", "impression", "user_popup", "experiment_user", "popup_stats", "audit"} {
		count := "SELECT COUNT(*) FROM popupd." + table
		if table == "event" { // to count them takes minutes
			count = "SELECT SUM(last_seq - removed) FROM popupd.ingest_stream"
		}
		rows, err := m.number(count)
		if err != nil {
			return err
		}
		bytes, err := m.bytesOf("popupd", table)
		if err != nil {
			return err
		}
		scattered := ""
		if table == "impression" || table == "user_popup" || table == "experiment_user" {
			n, err := m.scatter(table, min(copied, rows))
			if err != nil {
				return err
			}
			scattered = fmt.Sprintf("%.0f", n)
		}
		fmt.Fprintf(&m.report, "| `%s` | %d | %.2f | %.0f | %s |\n", table, rows, float64(bytes)/1e9, float64(bytes)/float64(max(1, rows)), scattered)
	}
	m.report.WriteString("\n")
	_, err := m.mysql.Query("DROP DATABASE random")
	return err
}

// scatter copies some rows of a table in random order, and returns the bytes of each.
func (m *measurement) scatter(table string, rows int) (float64, error) {
	if _, err := m.mysql.Query(strings.NewReplacer("TABLE_NAME", table, "ROWS", fmt.Sprint(rows)).Replace(
		`SET sort_buffer_size = 256 << 20; CREATE TABLE random.TABLE_NAME LIKE popupd.TABLE_NAME;
		INSERT INTO random.TABLE_NAME SELECT * FROM (SELECT * FROM popupd.TABLE_NAME LIMIT ROWS) some ORDER BY MD5(CONCAT(user_id, popup_id))`)); err != nil {
		return 0, err
	}
	bytes, err := m.bytesOf("random", table)
	return float64(bytes) / float64(rows), err
}

// bytesOf returns what a table takes, its indexes included.
func (m *measurement) bytesOf(database, table string) (int, error) {
	return m.number(fmt.Sprintf("ANALYZE TABLE %[1]s.%[2]s; SELECT DATA_LENGTH + INDEX_LENGTH FROM information_schema.TABLES WHERE TABLE_SCHEMA = '%[1]s' AND TABLE_NAME = '%[2]s'", database, table))
}

// reportSpace reports what event takes, and how much of its file is free.
func (m *measurement) reportSpace(when string) error {
	row, err := m.mysql.Query("SELECT CONCAT(ROUND(FILE_SIZE / 1e9, 2), ' GB, of which ', (SELECT ROUND(DATA_FREE / 1e9, 2) FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'popupd' AND TABLE_NAME = 'event'), ' GB are free')" +
		" FROM information_schema.INNODB_SYS_TABLESPACES WHERE NAME = 'popupd/event'")
	if err == nil {
		fmt.Fprintf(&m.report, "\nThe file of `event` %s: %s.\n\n", when, row)
	}
	return err
}
