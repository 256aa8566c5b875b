package doctor

import (
	"bytes"
	"strings"
	"testing"

	"github.com/popupd/popupd/internal/storetest"
	"github.com/popupd/popupd/persist"
	"github.com/popupd/popupd/tuning"
)

// TestDoctorOfPrivileges: what a user lacks is told with the GRANT that mends it, and
// with what is wanted popupd does make its tables.
func TestDoctorOfPrivileges(t *testing.T) {
	server := storetest.StartMySQL(t)
	root := server.CreateDatabase(t, "popupd")
	const password = "hunter2"
	for _, c := range []struct {
		name, grant      string
		work, schema     tuning.Status
		change           string // a part of the change of either
		migrate, migrant bool   // make the tables before, as root or as the user
	}{
		{name: "select alone", grant: "SELECT", work: tuning.Critical, schema: tuning.Critical, change: "GRANT INSERT, UPDATE, DELETE ON `popupd`.* TO 'app'@'127.0.0.1'"},
		{name: "no create", grant: "SELECT, INSERT, UPDATE, DELETE", work: tuning.OK, schema: tuning.Critical, change: "GRANT CREATE, ALTER ON `popupd`.* TO 'app'@'127.0.0.1'"},
		{name: "all that is wanted", grant: "SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER", work: tuning.OK, schema: tuning.OK, migrant: true},
		{name: "between upgrades", grant: "SELECT, INSERT, UPDATE, DELETE", work: tuning.OK, schema: tuning.Warn, change: "GRANT CREATE, ALTER", migrate: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, statement := range []string{
				"DROP USER IF EXISTS app@127.0.0.1", "CREATE USER app@127.0.0.1 IDENTIFIED BY '" + password + "'",
				"GRANT " + c.grant + " ON popupd.* TO app@127.0.0.1", "DROP DATABASE popupd", "CREATE DATABASE popupd",
			} {
				if _, err := server.Query(statement); err != nil {
					t.Fatal(err)
				}
			}
			dsn := strings.Replace(root, "root@", "app:"+password+"@", 1)
			if c.migrate {
				migrate(t, root)
			}
			if c.migrant {
				migrate(t, dsn)
			}
			var stdout, stderr bytes.Buffer
			run([]string{"-data", t.TempDir(), "-mysql", dsn}, &stdout, &stderr)
			if text := stdout.String() + stderr.String(); strings.Contains(text, password) || strings.Contains(text, "IDENTIFIED") {
				t.Errorf("the password or its hash is printed:\n%s", text)
			}
			findings, _ := examine(t, "-mysql", dsn)
			work, schema := findings["mysql privileges"], findings["mysql privileges for the schema"]
			if work.Status != c.work || schema.Status != c.schema || !strings.Contains(work.Change+schema.Change, c.change) {
				t.Errorf("got %+v and %+v", work, schema)
			}
			tables, err := server.Query("SHOW TABLES IN popupd LIKE '%doctor%'")
			if err != nil || tables != "" {
				t.Errorf("the doctor left %q, %v", tables, err)
			}
		})
	}
}

// migrate makes popupd's tables.
func migrate(t *testing.T, dsn string) {
	t.Helper()
	db, err := persist.Open(persist.Config{DSN: dsn})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
}
