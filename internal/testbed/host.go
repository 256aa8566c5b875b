package testbed

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"
)

// NetnsDir is where ip-netns(8) keeps network namespaces.
const NetnsDir = "/run/netns"

// Version returns the first line that a program prints about itself, "" if there
// is none.
func Version(binary string, args ...string) string {
	path, err := LookPath(binary)
	if err != nil {
		return ""
	}
	out, _ := exec.Command(path, args...).CombinedOutput() // wrk -v exits with 1
	line, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	return line
}

// Environment describes a measurement as the first lines of a results file:
// machine, kernel, commit, versions, command and date. versions are those of
// other programs, the empty ones are left out.
func Environment(command string, versions ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "- machine: %s, %d cores, %s\n", cpuModel(), runtime.NumCPU(), memory())
	fmt.Fprintf(&b, "- kernel: %s\n", firstLine("/proc/sys/kernel/osrelease"))
	fmt.Fprintf(&b, "- popupd: %s, %s\n", commit(), runtime.Version())
	for _, v := range versions {
		if v != "" {
			fmt.Fprintf(&b, "- %s\n", v)
		}
	}
	fmt.Fprintf(&b, "- command: `%s`\n- date: %s\n", command, time.Now().UTC().Format("2006-01-02 15:04 UTC"))
	return b.String()
}

func firstLine(file string) string {
	b, err := os.ReadFile(file)
	if err != nil {
		return "unknown"
	}
	line, _, _ := strings.Cut(string(b), "\n")
	return line
}

// field returns the value of the first line NAME: VALUE of a file in /proc.
func field(file, name string) string {
	b, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(b)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

func cpuModel() string {
	if model := field("/proc/cpuinfo", "model name"); model != "" {
		return model
	}
	return runtime.GOARCH // ARM does not tell
}

func memory() string {
	var kib int64
	if _, err := fmt.Sscan(field("/proc/meminfo", "MemTotal"), &kib); err != nil {
		return "memory unknown"
	}
	return fmt.Sprintf("%.1f GiB", float64(kib)/(1<<20))
}

// commit names what was measured.
func commit() string {
	out, err := exec.Command("git", "describe", "--always", "--dirty").Output()
	if err != nil {
		return "commit unknown"
	}
	return "commit " + strings.TrimSpace(string(out))
}
