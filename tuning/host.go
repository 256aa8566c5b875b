package tuning

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"path"
	"slices"
	"strconv"
	"strings"
)

// Host reads what the kernel says of a machine, from the files below proc and
// sys of one root. An [fs.FS] cannot be written to, so neither can a Host.
type Host struct{ root fs.FS }

// NewHost reads below root: os.DirFS("/") is the machine this runs on. It does
// no I/O.
func NewHost(root fs.FS) Host { return Host{root} }

// maxFile bounds what is read of one file. The largest of interest, mountinfo,
// has about 100 bytes a mount.
const maxFile = 1 << 20

var errMalformed = errors.New("malformed")

// text returns a file without the white space around it.
func (h Host) text(name string) (string, error) {
	f, err := h.root.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxFile))
	if err != nil {
		return "", err
	}
	b = bytes.TrimSpace(b)
	if len(b) == 0 {
		return "", fmt.Errorf("%s is empty", name)
	}
	return string(b), nil
}

// number returns a file that is one number.
func (h Host) number(name string) (int64, error) {
	text, err := h.text(name)
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", name, errMalformed)
	}
	return n, nil
}

// sysctlPath returns the file of a key such as net.core.somaxconn.
func sysctlPath(key string) string {
	return "proc/sys/" + strings.ReplaceAll(key, ".", "/")
}

// counters returns the fields of one protocol of /proc/net/netstat or snmp: a
// line of names, then a line of numbers, both beginning with the protocol.
func (h Host) counters(name, protocol string) (map[string]int64, error) {
	text, err := h.text(name)
	if err != nil {
		return nil, err
	}
	var names []string
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) == 0 || fields[0] != protocol+":" {
			continue
		}
		if names == nil {
			names = fields
			continue
		}
		values := make(map[string]int64, len(fields))
		for i := 1; i < min(len(names), len(fields)); i++ {
			if n, err := strconv.ParseInt(fields[i], 10, 64); err == nil {
				values[names[i]] = n
			}
		}
		return values, nil
	}
	return nil, fmt.Errorf("%s: no %s: %w", name, protocol, errMalformed)
}

// memTotal returns the machine's memory in bytes.
func (h Host) memTotal() (int64, error) {
	const name = "proc/meminfo"
	text, err := h.text(name)
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, "MemTotal:"); ok {
			kib, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
			if err == nil && kib > 0 && kib < math.MaxInt64>>10 {
				return kib << 10, nil
			}
		}
	}
	return 0, fmt.Errorf("%s: no MemTotal: %w", name, errMalformed)
}

// kernel returns the release, such as 6.1.0-18-amd64, and its first two numbers.
func (h Host) kernel() (release string, major, minor int, err error) {
	const name = "proc/sys/kernel/osrelease"
	if release, err = h.text(name); err != nil {
		return "", 0, 0, err
	}
	if _, err := fmt.Sscanf(release, "%d.%d", &major, &minor); err != nil {
		return "", 0, 0, fmt.Errorf("%s: %w", name, errMalformed)
	}
	return release, major, minor, nil
}

// lacks reports whether err is that of a file which is not there on a host that
// otherwise shows what it is: then what the file tells of is not there either.
func (h Host) lacks(err error) bool {
	_, _, _, kernelErr := h.kernel()
	return kernelErr == nil && errors.Is(err, fs.ErrNotExist)
}

// mount is a line of /proc/self/mountinfo, proc_pid_mountinfo(5).
type mount struct {
	root    string // what of the file system is mounted
	point   string // where
	options string
	fsType  string
	super   string // options of the file system
}

// mounts returns what is mounted, in the order of mounting.
func (h Host) mounts() ([]mount, error) {
	const name = "proc/self/mountinfo"
	text, err := h.text(name)
	if err != nil {
		return nil, err
	}
	var mounts []mount
	for lines := bufio.NewScanner(strings.NewReader(text)); lines.Scan(); {
		// 36 35 98:0 /root /point rw,noatime master:1 - ext3 /dev/root rw,errors=continue
		before, after, ok := strings.Cut(lines.Text(), " - ")
		left, right := strings.Fields(before), strings.Fields(after)
		if !ok || len(left) < 6 || len(right) < 3 {
			continue
		}
		mounts = append(mounts, mount{
			root: unescape(left[3]), point: unescape(left[4]), options: left[5], fsType: right[0], super: right[2],
		})
	}
	if mounts == nil {
		return nil, fmt.Errorf("%s: %w", name, errMalformed)
	}
	return mounts, nil
}

// unescape turns the kernel's \040 into a space, and the like.
func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+4 <= len(s) {
			if c, err := strconv.ParseUint(s[i+1:i+4], 8, 8); err == nil {
				b.WriteByte(byte(c))
				i += 3
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// cgroup is where the limits of a controller are that hold for this process.
type cgroup struct {
	v2   bool
	dirs []string // below the root; from the process's own group up to the highest that can be seen
}

// cgroup looks for a controller (memory, cpu): in the hierarchy of version 1
// that has it, else in that of version 2. See cgroups(7). A limit of any group
// on the way up holds too.
func (h Host) cgroup(controller string) (cgroup, error) {
	const name = "proc/self/cgroup"
	text, err := h.text(name)
	if err != nil {
		return cgroup{}, err
	}
	mounts, err := h.mounts()
	if err != nil {
		return cgroup{}, err
	}
	for _, v2 := range []bool{false, true} {
		on, ok := controllerMount(mounts, v2, controller)
		if !ok {
			continue
		}
		if group, ok := controllerGroup(text, v2, controller); ok {
			return cgroup{v2: v2, dirs: groupDirs(on, group)}, nil
		}
	}
	return cgroup{}, fmt.Errorf("no cgroup that controls %s is mounted", controller)
}

// controllerMount returns where the hierarchy of version 2, or that of version 1
// which has the controller, is mounted.
func controllerMount(mounts []mount, v2 bool, controller string) (mount, bool) {
	for _, m := range mounts {
		if v2 && m.fsType == "cgroup2" || !v2 && m.fsType == "cgroup" && hasOption(m.super, controller) {
			return m, true
		}
	}
	return mount{}, false
}

// controllerGroup returns the group of a process in that hierarchy. A line of text
// is 4:cpu,cpuacct:/group or, of version 2, 0::/group.
func controllerGroup(text string, v2 bool, controller string) (group string, ok bool) {
	for line := range strings.Lines(text) {
		fields := strings.SplitN(strings.TrimSuffix(line, "\n"), ":", 3)
		if len(fields) < 3 {
			continue
		}
		if unified := fields[0] == "0" && fields[1] == ""; unified == v2 && (v2 || hasOption(fields[1], controller)) {
			return fields[2], true
		}
	}
	return "", false
}

// groupDirs returns the directories of a group and of those above it. In a
// container the mount shows a part of the hierarchy, and the group's path may
// begin above it or outside of it: then the mount itself is the group.
func groupDirs(m mount, group string) []string {
	top := strings.TrimPrefix(path.Clean(m.point), "/")
	below, ok := strings.CutPrefix(path.Clean(group), path.Clean(m.root))
	if m.root == "/" {
		below, ok = path.Clean(group), true
	}
	if !ok || below != "" && below[0] != '/' || slices.Contains(strings.Split(below, "/"), "..") {
		below = "/"
	}
	var dirs []string
	for dir := path.Join(top, below); ; dir = path.Dir(dir) {
		dirs = append(dirs, dir)
		if len(dir) <= len(top) || dir == "." {
			return dirs
		}
	}
}

func hasOption(list, option string) bool {
	return slices.Contains(strings.Split(list, ","), option)
}
