package tuning

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"strconv"
	"strings"
)

// runtimeChecks is about CPU, memory and the clock.
func runtimeChecks() []check {
	return []check{
		{
			name:   "CPU quota and GOMAXPROCS",
			wanted: "GOMAXPROCS within CPUs and quota",
			why: "Go 1.25 and newer take the quota of their own cgroup, rounded up, 2 at least; $GOMAXPROCS overrides it, and quotas of groups above" +
				" are not seen. More threads than quota use it up early, and then all of them wait for the rest of the period, 100 ms by default.",
			source: "https://go.dev/doc/go1.25#container-aware-gomaxprocs",
			look:   cpuQuota,
		},
		{
			name: "memory",
			why: "-state-max bounds the users' state only, so that the kernel kills popupd before its own limit acts, if there is less. The rest is" +
				" for connections (thousands), buffers and the garbage collector.",
			source: "https://docs.kernel.org/admin-guide/cgroup-v2.html#memory",
			look:   memory,
		},
		{
			name: "GOMEMLIMIT",
			why: "Above it the garbage collector works harder rather than let Go's memory grow; the users' state is not in that memory. With too much" +
				" the cgroup's limit comes first, with too little up to half of the CPU goes to the collector.",
			source: "https://go.dev/doc/gc-guide#Memory_limit",
			look:   memLimit,
		},
		{
			name:   "transparent huge pages",
			wanted: "defrag not always",
			why: "With always in both files a page fault may wait for the kernel to compact memory. With madvise or defer in defrag, huge pages help" +
				" a large table and cost no pauses.",
			source: "https://docs.kernel.org/admin-guide/mm/transhuge.html",
			look:   hugePages,
		},
		{
			name:   "swap",
			wanted: "none, or vm.swappiness 10 or less",
			why: "Polls are answered from memory that is read at random: one page of it that was swapped out is a poll that waits for a disk. A low" +
				" value lets the kernel drop cached files first.",
			source: "https://docs.kernel.org/admin-guide/sysctl/vm.html#swappiness",
			look:   swap,
		},
		{
			name:   "clock source",
			wanted: "one that is read without a system call",
			why: "Requests and the Go scheduler read the clock several times each. tsc, kvm-clock, arch_sys_counter and the like are read in user" +
				" space (vDSO); hpet, acpi_pm and jiffies need a system call and a slow device.",
			source: "https://man7.org/linux/man-pages/man7/vdso.7.html",
			look:   clockSource,
		},
	}
}

func cpuQuota(s *Site) (verdict, error) {
	p := s.Process
	procs := fmt.Sprintf("GOMAXPROCS %d", p.MaxProcs)
	if p.MaxProcsBy != "" {
		procs += " by $GOMAXPROCS"
	}
	quota, throttled, err := s.Host.cpuQuota()
	if err != nil {
		return verdict{status: Unknown, found: fmt.Sprintf("%d CPUs, %s; %s", p.CPUs, procs, reason(err))}, nil
	}
	most := p.CPUs
	v := verdict{found: fmt.Sprintf("%d CPUs, no quota, %s", p.CPUs, procs), wanted: fmt.Sprintf("GOMAXPROCS %d or less", most)}
	if quota > 0 {
		most = min(most, max(2, int(math.Ceil(quota))))
		v.found = fmt.Sprintf("%d CPUs, quota %.4g, %s, stopped in %.3g %% of periods", p.CPUs, quota, procs, 100*throttled)
		v.wanted = fmt.Sprintf("GOMAXPROCS %d or less, quota 1 or more, stopped in under 1 %%", most)
	}
	var change []string
	if p.MaxProcs > most {
		change = append(change, fmt.Sprintf("GOMAXPROCS=%d in the environment", most))
	}
	// 50,000 requests a second take a core, about.
	if quota > 0 && (quota < 1 || throttled >= 0.01) {
		change = append(change, "a larger quota: cpu.max, resources.limits.cpu, docker run --cpus")
	}
	if change != nil {
		v.status, v.change, v.rollback = Warn, strings.Join(change, "; "), "the former values"
	}
	return v, nil
}

// cpuQuota returns how many CPUs the groups of this process may use, 0 for any
// number, and in which share of its periods the own group was stopped for it.
func (h Host) cpuQuota() (cpus, throttled float64, err error) {
	group, err := h.cgroup("cpu")
	if err != nil {
		return 0, 0, err
	}
	for _, dir := range group.dirs {
		quota := h.quotaV1
		if group.v2 {
			quota = h.quotaV2
		}
		q, err := quota(dir)
		if err != nil && !errors.Is(err, fs.ErrNotExist) { // groups at the top have none
			return 0, 0, err
		}
		if q > 0 && (cpus == 0 || q < cpus) {
			cpus = q
		}
	}
	text, _ := h.text(group.dirs[0] + "/cpu.stat") // the top has none here either
	stat := pairs(text)
	if stat["nr_periods"] > 0 && stat["nr_throttled"] > 0 {
		throttled = min(1, float64(stat["nr_throttled"])/float64(stat["nr_periods"]))
	}
	return cpus, throttled, nil
}

// quotaV2 reads "150000 100000" or "max 100000".
func (h Host) quotaV2(dir string) (float64, error) {
	text, err := h.text(dir + "/cpu.max")
	if err != nil || strings.HasPrefix(text, "max") {
		return 0, err
	}
	var quota, period int64
	if _, err := fmt.Sscan(text, &quota, &period); err != nil || quota <= 0 || period <= 0 {
		return 0, fmt.Errorf("%s/cpu.max: %w", dir, errMalformed)
	}
	return float64(quota) / float64(period), nil
}

// quotaV1 reads a quota, which is -1 for none, and its period.
func (h Host) quotaV1(dir string) (float64, error) {
	quota, err := h.number(dir + "/cpu.cfs_quota_us")
	if err != nil || quota < 0 {
		return 0, err
	}
	period, err := h.number(dir + "/cpu.cfs_period_us")
	if err == nil && (quota == 0 || period <= 0) {
		err = fmt.Errorf("%s/cpu.cfs_quota_us: %w", dir, errMalformed)
	}
	if err != nil {
		return 0, err
	}
	return float64(quota) / float64(period), nil
}

// pairs reads lines of a name and a number.
func pairs(text string) map[string]int64 {
	m := map[string]int64{}
	for line := range strings.Lines(text) {
		if fields := strings.Fields(line); len(fields) == 2 {
			if n, err := strconv.ParseInt(fields[1], 10, 64); err == nil {
				m[fields[0]] = n
			}
		}
	}
	return m
}

const (
	// besides is bytes that popupd may need on top of the users' state: it had 159
	// MiB in use with 8,000 connections kept alive, each with requests under way.
	besides = 256 << 20
	leastGo = besides // of Go's own memory: under what is in use, the collector would never rest
)

func memory(s *Site) (verdict, error) {
	needed := s.Process.StateMax + besides
	v := verdict{wanted: fmt.Sprintf("%s: -state-max and %s", size(needed), size(besides))}
	room, err := s.Host.memTotal()
	if err != nil {
		return v, err
	}
	v.found = size(room) + " in the machine"
	limit, limitErr := s.Host.memoryLimit()
	if limit > 0 && limit < room {
		room, v.found = limit, size(limit)+" by cgroup"
	}
	switch {
	case room < s.Process.StateMax:
		v.status = Critical
	case room < needed:
		v.status = Warn
	case limitErr != nil:
		v.status, v.found = Unknown, v.found+"; "+reason(limitErr)
		return v, nil
	default:
		return v, nil
	}
	v.change = "a smaller -state-max, or more memory: memory.max, resources.limits.memory, docker run --memory"
	v.rollback = "-state-max " + flagSize(s.Process.StateMax)
	return v, nil
}

func memLimit(s *Site) (verdict, error) {
	own := s.Process.MemLimit
	limit, err := s.Host.memoryLimit()
	v := verdict{wanted: "not set, or " + size(leastGo) + " or more", found: "not set"}
	most := int64(math.MaxInt64)
	if limit > 0 {
		most = GoMemory(limit, s.Process.StateMax)
		v.wanted = fmt.Sprintf("not set: popupd takes it from the cgroup; or %s at most, 95 %% of the cgroup's without -state-max", size(most))
	}
	if own > 0 {
		v.found = size(own)
	}
	switch {
	case own == 0:
	case own < leastGo, own > most:
		v.status, v.change, v.rollback = Warn, "unset GOMEMLIMIT", fmt.Sprintf("GOMEMLIMIT=%d", own)
	case err != nil:
		v.status, v.found = Unknown, v.found+"; "+reason(err)
	}
	return v, nil
}

func hugePages(s *Site) (verdict, error) {
	const dir = "sys/kernel/mm/transparent_hugepage/"
	enabled, err := s.Host.choice(dir + "enabled")
	if s.Host.lacks(err) {
		return verdict{found: "not in this kernel"}, nil
	}
	if err != nil {
		return verdict{}, err
	}
	defrag, err := s.Host.choice(dir + "defrag")
	if err != nil {
		return verdict{}, err
	}
	v := verdict{found: fmt.Sprintf("enabled %s, defrag %s", enabled, defrag)}
	if enabled == "always" && defrag == "always" {
		v.status = Warn
		v.change = "echo madvise > /" + dir + "defrag; or transparent_hugepage=madvise on the kernel's command line"
		v.rollback = "echo always > /" + dir + "defrag"
	}
	return v, nil
}

// choice returns which of several words is in brackets.
func (h Host) choice(name string) (string, error) {
	text, err := h.text(name)
	if err != nil {
		return "", err
	}
	_, after, _ := strings.Cut(text, "[")
	word, _, ok := strings.Cut(after, "]")
	if !ok {
		return "", fmt.Errorf("%s: %w", name, errMalformed)
	}
	return word, nil
}

func swap(s *Site) (verdict, error) {
	const key, most = "vm.swappiness", 10
	text, err := s.Host.text("proc/swaps")
	if err != nil {
		return verdict{}, err
	}
	lines := strings.Split(text, "\n")
	if !strings.HasPrefix(lines[0], "Filename") {
		return verdict{}, fmt.Errorf("proc/swaps: %w", errMalformed)
	}
	if len(lines) == 1 {
		return verdict{found: "none"}, nil
	}
	if group, err := s.Host.cgroup("memory"); err == nil && group.v2 {
		for _, dir := range group.dirs {
			if n, err := s.Host.number(dir + "/memory.swap.max"); err == nil && n == 0 {
				return verdict{found: "none for this cgroup"}, nil
			}
		}
	}
	n, err := s.Host.number(sysctlPath(key))
	if err != nil {
		return verdict{}, err
	}
	v := verdict{found: fmt.Sprintf("%s %d, %d in use", key, n, len(lines)-1)}
	if n > most {
		v.status, v.settings = Warn, []Setting{{key, strconv.Itoa(most), strconv.FormatInt(n, 10)}}
	}
	return v, nil
}

func clockSource(s *Site) (verdict, error) {
	const dir = "sys/devices/system/clocksource/clocksource0/"
	source, err := s.Host.text(dir + "current_clocksource")
	if err != nil {
		return verdict{}, err
	}
	if strings.ContainsAny(source, " \n") {
		return verdict{}, fmt.Errorf("%scurrent_clocksource: %w", dir, errMalformed)
	}
	v := verdict{found: source}
	switch source {
	case "hpet", "acpi_pm", "jiffies", "refined-jiffies", "pit":
		v.status = Warn
		v.change = "see /" + dir + "available_clocksource and, in the kernel's log, why tsc was given up (dmesg | grep -i clocksource)"
		v.rollback = "echo " + source + " > /" + dir + "current_clocksource"
	}
	return v, nil
}

// size writes bytes as 512 MiB or 1.5 GiB.
func size(n int64) string {
	unit, f := "B", float64(n)
	for _, larger := range []string{"KiB", "MiB", "GiB", "TiB"} {
		if math.Abs(f) < 1024 {
			break
		}
		unit, f = larger, f/1024
	}
	return strconv.FormatFloat(math.Round(f*10)/10, 'f', -1, 64) + " " + unit
}
