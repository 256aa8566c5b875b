package testbed

import (
	"os"
	"strings"
	"syscall"
	"time"
)

// patience is how long a program may take to be ready, and to end when it is
// asked to.
const patience = 60 * time.Second

// Program says what to start.
type Program struct {
	Name  string
	Args  []string // the first is the binary
	Env   []string // added to the environment, less what popupd reads of it
	Dir   string   // to run in; "" is the testbed's
	Cores string   // as for taskset -c; "" is any
	Netns string   // the network namespace by its name of ip-netns(8); "" is this one

	// KilledBy is the signal that ends it at once, and with it what it has started; 0
	// is SIGKILL.
	KilledBy syscall.Signal

	Files      []*os.File // descriptors 3 and on
	StderrOnly bool       // what it prints on stdout is dropped

	// Ready is called with each line of stdout and stderr until it returns
	// true; nil means ready at once.
	Ready func(line string) bool
	// Probe is then tried until it returns no error; nil means ready.
	Probe func() error
}

// command is the whole command line. Neither ip netns exec nor taskset forks, so
// the process that is started is the program itself.
func (p *Program) command() ([]string, error) {
	binary, err := LookPath(p.Args[0])
	if err != nil {
		return nil, err
	}
	var args []string
	if p.Netns != "" {
		args = append(args, "ip", "netns", "exec", p.Netns)
	}
	if p.Cores != "" {
		args = append(args, "taskset", "-c", p.Cores)
	}
	args = append(append(args, binary), p.Args[1:]...)
	args[0], err = LookPath(args[0])
	return args, err
}

// Environ is the environment without the variables that popupd reads.
func Environ() []string {
	var kept []string
	for _, e := range os.Environ() {
		if !strings.HasPrefix(e, "POPUPD_") && !strings.HasPrefix(e, "OTEL_") {
			kept = append(kept, e)
		}
	}
	return kept
}

func (p *Program) killedBy() syscall.Signal {
	if p.KilledBy == 0 {
		return syscall.SIGKILL
	}
	return p.KilledBy
}
