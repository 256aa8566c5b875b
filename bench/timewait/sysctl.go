//go:build linux

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/popupd/popupd/internal/testbed"
)

// setting is a line of a sysctl.d file.
type setting struct {
	Key, Value string
}

func (s setting) String() string { return s.Key + "=" + s.Value }

// parseSysctl reads a sysctl.d(5) file: "key = value" lines, comments after #
// or ;, and - before a key whose absence is no error.
func parseSysctl(text string) ([]setting, error) {
	var settings []setting
	number := 0
	for line := range strings.Lines(text) {
		number++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' || line[0] == ';' {
			continue
		}
		key, value, ok := strings.Cut(line, "=")
		key = strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(key), "-"))
		if value = strings.Join(strings.Fields(value), " "); !ok || key == "" || value == "" {
			return nil, fmt.Errorf("sysctl file, line %d: want KEY = VALUE, got %q", number, line)
		}
		settings = append(settings, setting{key, value})
	}
	return settings, nil
}

// errHost says that a setting is not a namespace's but the host's.
var errHost = errors.New("belongs to the host")

// apply sets s in the namespace. It returns errHost for a setting that the
// namespace does not have of its own, and never touches the host's.
func (s setting) apply(namespace string) error {
	if !strings.HasPrefix(s.Key, "net.") {
		return errHost
	}
	path, err := s.path()
	if err != nil {
		return err
	}
	return testbed.InNetns(namespace, func() error {
		// Without O_CREATE and O_TRUNC: what is not there is not this
		// namespace's.
		file, err := os.OpenFile(path, os.O_WRONLY, 0)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
			return errHost
		}
		if err != nil {
			return err
		}
		defer file.Close()
		if _, err := file.WriteString(s.Value); err != nil {
			return fmt.Errorf("set %s: %w", s, err)
		}
		got, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if now := strings.Join(strings.Fields(string(got)), " "); now != s.Value {
			return fmt.Errorf("set %s: it is %s", s, now)
		}
		return nil
	})
}

// path is where the kernel has the setting.
func (s setting) path() (string, error) {
	path := strings.ReplaceAll(s.Key, ".", "/")
	if !fs.ValidPath(path) {
		return "", fmt.Errorf("sysctl key %q", s.Key)
	}
	return "/proc/sys/" + path, nil
}
