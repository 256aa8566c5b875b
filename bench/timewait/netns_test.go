//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"testing"

	"github.com/popupd/popupd/internal/testbed"
)

func TestOwner(t *testing.T) {
	for _, tc := range []struct {
		name string
		pid  int
		ok   bool
	}{
		{"popupd-tw-123-client", 123, true},
		{"popupd-tw-4194304-server", 4194304, true},
		{"popupd-tw-123", 0, false},
		{"popupd-tw-123-other", 0, false},
		{"popupd-tw--client", 0, false},
		{"popupd-tw-0-client", 0, false},
		{"popupd-tw-x-client", 0, false},
		{"popupd-123-client", 0, false},
		{"my-popupd-tw-123-client", 0, false},
	} {
		if pid, ok := owner(tc.name); ok != tc.ok || ok && pid != tc.pid {
			t.Errorf("owner(%q) = %d, %v; want %d, %v", tc.name, pid, ok, tc.pid, tc.ok)
		}
	}
}

// deadPid is one of no process.
func deadPid(t *testing.T) int {
	t.Helper()
	cmd := exec.Command("true")
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	return cmd.Process.Pid
}

func TestSweep(t *testing.T) {
	needNamespaces(t)
	dead := fmt.Sprint(prefix, deadPid(t), "-client")
	strangers := prefix + "stranger"
	for _, name := range []string{dead, strangers} {
		if _, err := ip("netns", "add", name); err != nil {
			t.Fatal(err)
		}
		defer removeNamespace(name)
	}
	// What is left when ip(8) is killed at its work.
	half := fmt.Sprint(prefix, deadPid(t), "-server")
	if err := os.WriteFile(testbed.NetnsDir+"/"+half, nil, 0); err != nil {
		t.Fatal(err)
	}
	defer os.Remove(testbed.NetnsDir + "/" + half)
	mine, err := newNetwork()
	if err != nil {
		t.Fatal(err)
	}
	defer mine.remove()
	orphan := exec.Command("ip", "netns", "exec", dead, "sleep", "60")
	if err := orphan.Start(); err != nil {
		t.Fatal(err)
	}
	within(t, "process in the namespace", func() bool {
		out, _ := ip("netns", "pids", dead)
		return out != ""
	})

	swept, err := sweep()
	if err != nil || !slices.Contains(swept, dead) || !slices.Contains(swept, half) {
		t.Errorf("swept %v, %v; want %s and %s", swept, err, dead, half)
	}
	if err := orphan.Wait(); err == nil {
		t.Error("the process in a dead run's namespace was not killed")
	}
	for name, want := range map[string]bool{dead: false, half: false, strangers: true, mine.client: true, mine.server: true} {
		if _, err := os.Lstat(testbed.NetnsDir + "/" + name); (err == nil) != want {
			t.Errorf("%s is there: %v; want %v", name, err == nil, want)
		}
	}
	if err := mine.remove(); err != nil {
		t.Error(err)
	}
	if err := mine.remove(); err != nil {
		t.Errorf("remove again: %v", err)
	}
}

func TestInside(t *testing.T) {
	needNamespaces(t)
	const here = "/proc/thread-self/ns/net"
	before, err := os.Readlink(here)
	if err != nil {
		t.Fatal(err)
	}
	n, err := newNetwork()
	if err != nil {
		t.Fatal(err)
	}
	defer n.remove()
	var there string
	if err := testbed.InNetns(n.client, func() (err error) {
		there, err = os.Readlink(here)
		return err
	}); err != nil || there == before {
		t.Errorf("inside it is %q, %v; outside %q", there, err, before)
	}
	if after, err := os.Readlink(here); err != nil || after != before {
		t.Errorf("afterwards it is %q, %v; want %q", after, err, before)
	}
	boom := errors.New("boom")
	if err := testbed.InNetns(n.client, func() error { return boom }); !errors.Is(err, boom) {
		t.Errorf("got %v, want the error of the function", err)
	}
	if err := testbed.InNetns(prefix+"none", func() error { t.Error("called"); return nil }); err == nil {
		t.Error("entered a namespace that does not exist")
	}
}
