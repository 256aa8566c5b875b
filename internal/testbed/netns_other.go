//go:build !linux

package testbed

import "errors"

// InNetns is Linux only.
func InNetns(string, func() error) error { return errors.ErrUnsupported }
