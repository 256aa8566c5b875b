//go:build failpoint

package failpoint

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
)

// Enabled reports whether this build has failpoints.
const Enabled = true

// armed reads the variable once.
var armed = sync.OnceValues(func() (Point, int64) {
	value, set := os.LookupEnv(Variable)
	if !set {
		return "", 0
	}
	name, n, _ := strings.Cut(value, ":")
	passing, err := strconv.ParseInt(n, 10, 64)
	if err != nil || passing < 1 {
		panic(fmt.Sprintf("%s=%q: want a point, a colon and a number from 1", Variable, value))
	}
	return Point(name), passing
})

var passed atomic.Int64

// Reach says that the process is at a point, and kills it if it is to end there.
func Reach(p Point) {
	point, passing := armed()
	if p != point || passed.Add(1) != passing {
		return
	}
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL) // it does not return to us
	select {}
}
