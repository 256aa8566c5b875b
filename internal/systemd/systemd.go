// Package systemd is what a process and the service manager that has started it tell each
// other, be that systemd or another one with its protocols: which sockets the process is given
// (sd_listen_fds(3)), how it is (sd_notify(3)), and whether its log goes to the journal
// (systemd.exec(5)).
//
// Values that make no sense are errors. Who ignores them binds ports of its own although it was
// given sockets, or is killed by a watchdog that it does not know of.
package systemd

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// firstDescriptor is the first of those that are passed (SD_LISTEN_FDS_START), and
// maxDescriptors more than anybody passes.
const (
	firstDescriptor = 3
	maxDescriptors  = 1000
)

// Sockets returns the descriptors that process pid was given, by their names. There are
// none where the variables are not set, or are for another process, from which this one
// has them.
func Sockets(environ []string, pid int) (map[string]int, error) {
	number := lookup(environ, "LISTEN_FDS")
	if number == "" {
		return nil, nil
	}
	ours, err := isFor(environ, "LISTEN_PID", pid)
	if err != nil || !ours {
		return nil, err
	}
	n, err := strconv.Atoi(number)
	if err != nil || n < 0 || n > maxDescriptors {
		return nil, fmt.Errorf("LISTEN_FDS %q: want a number of sockets", number)
	}
	if n == 0 {
		return nil, nil
	}
	text := lookup(environ, "LISTEN_FDNAMES")
	if text == "" {
		return nil, errors.New("LISTEN_FDNAMES is not set: want a name for each socket (FileDescriptorName= in systemd.socket(5))")
	}
	names := strings.Split(text, ":")
	if len(names) != n {
		return nil, fmt.Errorf("LISTEN_FDNAMES %q: want %d names with : between them, as LISTEN_FDS says", text, n)
	}
	sockets := make(map[string]int, n)
	for i, name := range names {
		if _, twice := sockets[name]; twice {
			return nil, fmt.Errorf("LISTEN_FDNAMES %q: two sockets are named %q", text, name)
		}
		sockets[name] = firstDescriptor + i
	}
	return sockets, nil
}

// isFor reports whether a variable names process pid.
func isFor(environ []string, variable string, pid int) (bool, error) {
	text := lookup(environ, variable)
	n, err := strconv.Atoi(text)
	if err != nil || n <= 0 {
		return false, fmt.Errorf("%s %q: want the id of a process", variable, text)
	}
	return n == pid, nil
}

// lookup returns the value of a variable, empty where there is none. As in getenv(3) the
// first counts.
func lookup(environ []string, variable string) string {
	for _, entry := range environ {
		if name, value, _ := strings.Cut(entry, "="); name == variable {
			return value
		}
	}
	return ""
}
