package storetest

import (
	"fmt"
	"os"
	"testing"

	"github.com/popupd/popupd/internal/testbed"
)

// IsMariaDB reports whether the servers that tests are given are MariaDB's, and not Oracle's.
func IsMariaDB() bool { return os.Getenv(testbed.MysqldVariable) == "" }

// NeedMariaDB skips a test on Oracle's MySQL, for want of something that it does not have.
func NeedMariaDB(t testing.TB, missing string) {
	t.Helper()
	if !IsMariaDB() {
		t.Skipf("Oracle's MySQL has no %s", missing)
	}
}

// Numbers is a table for a FROM clause: the numbers 1 to n, at most 100,000, in the column seq.
func Numbers(n int) string {
	const digit = "(SELECT 0 AS d UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4" +
		" UNION ALL SELECT 5 UNION ALL SELECT 6 UNION ALL SELECT 7 UNION ALL SELECT 8 UNION ALL SELECT 9)"
	return fmt.Sprintf("(SELECT 1 + a.d + 10 * b.d + 100 * c.d + 1000 * e.d + 10000 * f.d AS seq FROM %[1]s a, %[1]s b, %[1]s c, %[1]s e, %[1]s f"+
		" HAVING seq <= %[2]d) numbers", digit, n)
}
