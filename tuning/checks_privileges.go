package tuning

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Privileges are what the user of -mysql may do in the database.
type Privileges struct {
	User      string // as CURRENT_USER() says it: user@host
	Database  string
	HasSchema bool // popupd has been there
	// Grants are the lines of SHOW GRANTS. They are never printed: MariaDB puts the
	// hash of the password among them.
	Grants []string
	// Allowed says by privilege whether the server let a harmless statement through
	// that needs it, and nothing of those where it did not get that far. It goes
	// before Grants, which do not tell what comes from a role.
	Allowed map[string]bool
}

// What popupd needs to work, and what it needs beside that to make and change its tables.
var (
	workPrivileges   = []string{"SELECT", "INSERT", "UPDATE", "DELETE"}
	schemaPrivileges = []string{"CREATE", "ALTER"}
)

// checks is about what popupd may do in the database.
func (p Privileges) checks() []check {
	const docs = "https://dev.mysql.com/doc/refman/8.4/en/privileges-provided.html"
	return []check{
		{
			name: "mysql privileges", wanted: strings.Join(workPrivileges, ", "),
			why:    "Without them popupd cannot read popups or store events: these wait in its journal, up to -journal-max.",
			source: docs,
			look:   func(*Site) (verdict, error) { return p.want(workPrivileges, Critical) },
		},
		{
			name: "mysql privileges for the schema", wanted: strings.Join(schemaPrivileges, ", ") + " at the first start and for upgrades",
			why:    "popupd makes its tables itself. Between upgrades it works without these; an upgrade that changes a table then waits for them.",
			source: docs,
			look: func(*Site) (verdict, error) {
				lacking := Critical
				if p.HasSchema {
					lacking = Warn
				}
				return p.want(schemaPrivileges, lacking)
			},
		},
	}
}

// want returns the status lacking, and a GRANT, unless the user has all of names.
func (p Privileges) want(names []string, lacking Status) (verdict, error) {
	if len(p.Allowed) == 0 && len(p.Grants) == 0 {
		return verdict{}, errors.New("the server does not say what this user may do")
	}
	missing := slices.DeleteFunc(slices.Clone(names), p.has)
	if len(missing) == 0 {
		return verdict{found: strings.Join(names, ", ")}, nil
	}
	list := strings.Join(missing, ", ")
	return verdict{
		status: lacking, found: "no " + list,
		change:   grant(missing, p.User, p.Database),
		rollback: fmt.Sprintf("REVOKE %s ON %s FROM %s", list, tablesOf(p.Database), account(p.User)),
	}, nil
}

// Grant returns the statement that gives a user, as CURRENT_USER() says it, all that
// popupd needs in a database.
func Grant(user, database string) string {
	return grant(slices.Concat(workPrivileges, schemaPrivileges), user, database)
}

func grant(privileges []string, user, database string) string {
	return fmt.Sprintf("GRANT %s ON %s TO %s", strings.Join(privileges, ", "), tablesOf(database), account(user))
}

// tablesOf quotes all tables of a database as GRANT wants it.
func tablesOf(database string) string { return "`" + strings.ReplaceAll(database, "`", "``") + "`.*" }

func (p Privileges) has(name string) bool {
	if allowed, told := p.Allowed[name]; told {
		return allowed
	}
	return slices.ContainsFunc(p.Grants, func(line string) bool { return grants(line, name, p.Database) })
}

// grantLine is a line of SHOW GRANTS: privileges, database and table.
var grantLine = regexp.MustCompile("^GRANT (.+?) ON (\\*|`(?:[^`]|``)*`)\\.\\* TO ")

// grants reports whether a line of SHOW GRANTS gives a privilege on all of a database.
func grants(line, name, database string) bool {
	match := grantLine.FindStringSubmatch(line)
	if match == nil {
		return false
	}
	given := strings.Split(match[1], ", ")
	if !slices.Contains(given, name) && !slices.Contains(given, "ALL PRIVILEGES") {
		return false
	}
	return match[2] == "*" || likeDatabase(strings.ReplaceAll(strings.Trim(match[2], "`"), "``", "`"), database)
}

// likeDatabase reports whether a name fits a pattern of a grant, in which _ and %
// stand for others unless there is a backslash before them.
func likeDatabase(pattern, name string) bool {
	var b strings.Builder
	escaped := false
	for _, r := range pattern {
		switch {
		case escaped:
			b.WriteString(regexp.QuoteMeta(string(r)))
			escaped = false
		case r == '\\':
			escaped = true
		case r == '%':
			b.WriteString(".*")
		case r == '_':
			b.WriteString(".")
		default:
			b.WriteString(regexp.QuoteMeta(string(r)))
		}
	}
	fits, err := regexp.MatchString("^(?s:"+b.String()+")$", name)
	return err == nil && fits
}

// account quotes a user as GRANT wants it.
func account(user string) string {
	name, host := user, "%"
	if at := strings.LastIndexByte(user, '@'); at >= 0 {
		name, host = user[:at], user[at+1:]
	}
	quote := func(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }
	return quote(name) + "@" + quote(host)
}
