package popup

import "slices"

// Role is what a token of the control plane may do: each role may do all that those
// before it may, too.
type Role string

const (
	RoleViewer    Role = "viewer"    // reads
	RoleEditor    Role = "editor"    // changes drafts
	RolePublisher Role = "publisher" // changes what users see, and the settings
	RoleAdmin     Role = "admin"     // handles tokens, users' data and the server
)

// Roles returns every role, the one that may do least first.
func Roles() []Role { return []Role{RoleViewer, RoleEditor, RolePublisher, RoleAdmin} }

// Valid reports whether there is such a role.
func (r Role) Valid() bool { return slices.Contains(Roles(), r) }

// Covers reports whether r may do what needs the role needed. Of roles that do not
// exist, none may do anything, and nobody may do what needs one.
func (r Role) Covers(needed Role) bool {
	has, needs := slices.Index(Roles(), r), slices.Index(Roles(), needed)
	return needs >= 0 && has >= needs
}
