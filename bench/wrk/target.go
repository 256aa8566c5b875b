//go:build linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/popupd/popupd/internal/testbed"
)

// target is a server that is ready to be measured.
type target struct {
	*testbed.Process
	address string // host:port
	served  string // path of served polls
	actions string // file with bodies of actions, a line each
	users   int    // the first user who is new
	action  int    // and the first action not reported yet, from 0
	popupd  *ours  // nil: a rival
}

// bench is what all trials share.
type bench struct {
	*testbed.Testbed
	mysql       *testbed.MySQL // nil: not installed
	redis       *testbed.Redis // nil: not installed
	connections int
	duration    time.Duration
	noise       float64 // see quiet
	sample      sample
	extra       map[string][]string // header fields that a rival sends beyond popupd's
	started     int                 // popupds so far
}

// rival is a server beside popupd.
type rival struct{ name, title string }

// rivals are in the order of the table.
var rivals = []rival{
	{"bare", "bare fasthttp"},
	{"nethttp", "net/http"},
	{"nginx", "nginx"},
}

const popupdName = "popupd"

func titleOf(name string) string {
	for _, r := range rivals {
		if r.name == name {
			return r.title
		}
	}
	return name
}

// start starts a server anew: where a process lies in memory makes a difference
// that lasts as long as it does.
func (b *bench) start(ctx context.Context, name string, s scenario, m mode) (*target, error) {
	if name == popupdName {
		return b.startPopupd(ctx, s, m)
	}
	answers := b.sample.of(s)
	var c *target
	var err error
	if name == "nginx" {
		c, err = b.startNginx(answers)
	} else {
		c, err = b.startGo(name, answers)
	}
	if err != nil {
		return nil, err
	}
	c.served = servedPath
	if b.extra[name], err = b.sample.check(ctx, c.address, answers); err == nil {
		c.actions, err = b.sameActions(s.actionsFor(m, b.connections, b.duration))
	}
	if err != nil {
		c.Kill()
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return c, nil
}

// startGo starts a rival of the module bench/rivals.
func (b *bench) startGo(name string, answers []answer) (*target, error) {
	binary, err := b.Build("bench/rivals", "./"+name)
	if err != nil {
		return nil, err
	}
	told, err := json.Marshal(answers)
	if err != nil {
		return nil, err
	}
	c := new(target)
	c.Process, err = b.Start(testbed.Program{
		Name: name, Args: []string{binary, string(told)}, Cores: serverCore,
		Ready: func(line string) bool { c.address = line; return true },
	})
	return c, err
}

// sameActions writes n bodies of actions for rivals, which do not look at them:
// they are as long as the sample, and n different ones, so that wrk has the same
// work with all servers.
func (b *bench) sameActions(n int) (file string, err error) {
	if n == 0 {
		return "", nil
	}
	file = filepath.Join(b.Dir(), fmt.Sprintf("actions-%d", n))
	if _, err := os.Stat(file); err == nil {
		return file, nil
	}
	const end = `","action":"click"}`
	start, ok := strings.CutSuffix(b.sample.action, end)
	if !ok || len(start) < 20 {
		return "", errors.New("an action that is not as expected: " + b.sample.action)
	}
	var lines strings.Builder
	for i := range n {
		fmt.Fprintf(&lines, "%s%09d%s\n", start[:len(start)-9], i, end)
	}
	return file, os.WriteFile(file, []byte(lines.String()), 0o600)
}
