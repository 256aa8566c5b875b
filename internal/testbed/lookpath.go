package testbed

import (
	"fmt"
	"os/exec"
	"path/filepath"
)

// MissingError says that a program is not installed, and how to install it.
type MissingError struct {
	Binary  string
	Package string // of Debian
}

// Error gives both as one line.
func (e *MissingError) Error() string {
	return fmt.Sprintf("%s is not installed; install it: apt-get install %s", e.Binary, e.Package)
}

// LookPath finds a binary in the PATH or where distributions put servers, which
// is not in the PATH of everybody.
func LookPath(binary string) (string, error) {
	path, err := exec.LookPath(binary)
	if err == nil {
		return path, nil
	}
	for _, dir := range []string{"/usr/sbin", "/usr/local/sbin", "/usr/libexec"} {
		if path, err := exec.LookPath(filepath.Join(dir, binary)); err == nil {
			return path, nil
		}
	}
	return "", err
}

// Need returns nil if a binary is installed, else a [*MissingError] with the
// package of Debian that has it.
func Need(binary, pkg string) error {
	if _, err := LookPath(binary); err != nil {
		return &MissingError{Binary: binary, Package: pkg}
	}
	return nil
}
