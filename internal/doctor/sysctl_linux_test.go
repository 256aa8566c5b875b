package doctor

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// TestDoctorsSysctlFile applies what the doctor prints, in a network namespace
// that ends with the process that does it: then nothing is left to change.
func TestDoctorsSysctlFile(t *testing.T) {
	const outside = "DOCTOR_TEST_NETNS" // the namespace that must not be touched
	const own = "/proc/self/ns/net"
	here, err := os.Readlink(own)
	if err != nil {
		t.Skip(err)
	}
	if os.Getenv(outside) == "" {
		cmd := exec.Command(os.Args[0], "-test.run=^TestDoctorsSysctlFile$", "-test.v")
		cmd.Env = append(os.Environ(), outside+"="+here)
		cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
		out, err := cmd.CombinedOutput()
		if errors.Is(err, syscall.EPERM) {
			t.Skip("only root can make network namespaces")
		}
		if err != nil {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	if here == os.Getenv(outside) {
		t.Fatal("not in a network namespace of its own")
	}
	settings := sysctlFile(t)
	if len(settings) == 0 {
		t.Error("a new namespace lacks nothing: want ip_local_port_range and tcp_tw_reuse at least")
	}
	for key, value := range settings {
		if strings.HasPrefix(key, "net.") { // others are not the namespace's
			if err := os.WriteFile("/proc/sys/"+strings.ReplaceAll(key, ".", "/"), []byte(value), 0); err != nil {
				t.Errorf("apply %s: %v", key, err)
			}
		}
	}
	for key := range sysctlFile(t) {
		if strings.HasPrefix(key, "net.") {
			t.Errorf("still there: %s", key)
		}
	}
}

// sysctlFile returns the settings that popupd doctor -sysctl prints.
func sysctlFile(t *testing.T) map[string]string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	run([]string{"-sysctl", "-data", t.TempDir()}, &stdout, &stderr)
	settings := make(map[string]string)
	for line := range strings.Lines(stdout.String()) {
		if key, value, ok := strings.Cut(strings.TrimSpace(line), " = "); ok && !strings.HasPrefix(key, "#") {
			settings[key] = value
		}
	}
	return settings
}
