//go:build !failpoint

package failpoint

// Enabled reports whether this build has failpoints.
const Enabled = false

// Reach says that the process is at a point.
func Reach(Point) {}
