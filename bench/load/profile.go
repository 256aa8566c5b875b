//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/popupd/popupd/bench/openloop"
)

// runProfile takes the profile that popupd is compiled with (go.dev/doc/pgo),
// under the load of the envelope.
func (t *task) runProfile(ctx context.Context) error {
	s, err := newDeployment(ctx, t.pin, t.offer.Users)
	if err != nil {
		return err
	}
	defer s.Close()
	c := t.offer
	c.Address, c.Duration = s.address(), t.duration(time.Minute)
	type taken struct {
		profile []byte
		err     error
	}
	done := make(chan taken, 1)
	go func() {
		profile, err := s.popupd.Profile(ctx, c.Duration)
		done <- taken{profile, err}
	}()
	r, err := openloop.Run(ctx, c)
	if err != nil {
		return err
	}
	profile := <-done
	if profile.err != nil {
		return profile.err
	}
	fmt.Fprint(t.stdout, describe(r)) // what came late is as good for a profile
	return os.WriteFile(filepath.Join(t.out, "default.pgo"), profile.profile, 0o644)
}
