package tuning

import "testing"

func TestGrants(t *testing.T) {
	for _, c := range []struct {
		line, name, database string
		want                 bool
	}{
		{"GRANT SELECT, INSERT ON `popupd`.* TO `u`@`%`", "INSERT", "popupd", true},
		{"GRANT SELECT, INSERT ON `popupd`.* TO `u`@`%`", "UPDATE", "popupd", false},
		{"GRANT SELECT, INSERT ON `popupd`.* TO `u`@`%`", "SELECT", "other", false},
		{"GRANT ALL PRIVILEGES ON *.* TO `root`@`localhost` IDENTIFIED BY PASSWORD '*00' WITH GRANT OPTION", "ALTER", "popupd", true},
		{"GRANT USAGE ON *.* TO `u`@`%`", "SELECT", "popupd", false},
		{"GRANT SELECT ON `popupd`.`event` TO `u`@`%`", "SELECT", "popupd", false}, // one table only
		{"GRANT SELECT ON `pop%`.* TO `u`@`%`", "SELECT", "popupd", true},
		{"GRANT SELECT ON `p_pupd`.* TO `u`@`%`", "SELECT", "popupd", true},
		{"GRANT SELECT ON `my\\_popupd`.* TO `u`@`%`", "SELECT", "my_popupd", true},
		{"GRANT SELECT ON `my\\_popupd`.* TO `u`@`%`", "SELECT", "my-popupd", false},
		{"GRANT SELECT ON `a``b`.* TO `u`@`%`", "SELECT", "a`b", true},
		{"GRANT `writer`@`%` TO `u`@`%`", "SELECT", "popupd", false}, // a role
		{"", "SELECT", "popupd", false},
	} {
		if got := grants(c.line, c.name, c.database); got != c.want {
			t.Errorf("%s: gives %s on %s: %v, want %v", c.line, c.name, c.database, got, c.want)
		}
	}
}

func TestPrivileges(t *testing.T) {
	onlySelect := []string{"GRANT SELECT ON `it's`.* TO `o'b`@`%`"}
	for _, c := range []struct {
		name       string
		privileges Privileges
		work       Status
		schema     Status
		change     string // of work
	}{
		{"not told", Privileges{}, Unknown, Unknown, ""},
		{"from grants alone", Privileges{User: "o'b@%", Database: "it's", Grants: onlySelect}, Critical, Critical, "GRANT INSERT, UPDATE, DELETE ON `it's`.* TO 'o''b'@'%'"},
		{"statements go before grants", Privileges{
			User: "u@h", Database: "it's", Grants: onlySelect,
			Allowed: map[string]bool{"SELECT": false, "INSERT": true, "UPDATE": true, "DELETE": true, "CREATE": true, "ALTER": true},
		}, Critical, OK, "GRANT SELECT ON `it's`.* TO 'u'@'h'"},
		{"between upgrades", Privileges{
			HasSchema: true, Allowed: map[string]bool{"SELECT": true, "INSERT": true, "UPDATE": true, "DELETE": true, "CREATE": false, "ALTER": false},
		}, OK, Warn, ""},
	} {
		s := site("tuned")
		s.MySQL[0].Privileges = c.privileges
		r := Examine(s)
		work, schema := find(t, r, "mysql privileges"), find(t, r, "mysql privileges for the schema")
		if work.Status != c.work || schema.Status != c.schema || work.Change != c.change {
			t.Errorf("%s: got %s and %s, %s; want %s and %s, %s", c.name, work.Status, schema.Status, work.Change, c.work, c.schema, c.change)
		}
	}
}
