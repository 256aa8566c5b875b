package tuning

import (
	"fmt"
	"strconv"
	"strings"
)

const (
	ipSysctl    = "https://docs.kernel.org/networking/ip-sysctl.html"
	coreSysctl  = "https://docs.kernel.org/admin-guide/sysctl/net.html"
	wantedPorts = "10240 65535"
	queueLength = 4096 // connectionRate * patience / 1000 is 4,000
)

// networkChecks is about connections: how many there can be, and how fast they
// can come.
func networkChecks() []check {
	return []check{
		{
			name:   "open files, hard limit",
			wanted: "65536 or more",
			why: "Every connection is a descriptor. 50,000 new ones a second that live for a second are 50,000 at once. Go raises the soft limit to" +
				" the hard one by itself. This is the limit of this shell: a service has its own.",
			source: "https://man7.org/linux/man-pages/man2/getrlimit.2.html",
			look:   openFiles,
		},
		{
			name:   "net.core.somaxconn",
			wanted: "4096 or more",
			why: "The most connections of a listener that wait to be accepted, and the most that are in the middle of their handshake; Go asks for" +
				" exactly this many. 50,000 a second for 80 ms, a round trip or a pause, are 4,000. Read when popupd starts.",
			source: ipSysctl,
			look: func(s *Site) (verdict, error) {
				n, err := s.Host.number(sysctlPath("net.core.somaxconn"))
				v := verdict{found: strconv.FormatInt(n, 10)}
				if n < queueLength {
					v.status, v.settings = Warn, []Setting{{"net.core.somaxconn", "4096", v.found}}
				}
				return v, err
			},
		},
		{
			name:   "net.ipv4.tcp_max_syn_backlog",
			wanted: "tcp_syncookies 1",
			why: "Since Linux 4.4 the listener's own queue, so somaxconn, bounds handshakes under way, and this limit counts only while tcp_syncookies" +
				" is 0. Cookies keep a full queue from turning clients away; 2 gives them to everybody, who then loses TCP options.",
			source: ipSysctl,
			look:   synBacklog,
		},
		{
			name:   "net.ipv4.ip_local_port_range",
			wanted: wantedPorts,
			why: "For connections that this host opens: those of a proxy or load generator, not those that popupd accepts. To one address there can" +
				" be one a port, and a port is busy for 60 s of TIME_WAIT, or 1 s with tcp_tw_reuse: 50,000 a second are 50,000 ports. They begin above" +
				" those of services, which could not start while a connection has theirs; on a Kubernetes node, reserve 30000-32767" +
				" (ip_local_reserved_ports).",
			source: ipSysctl,
			look:   portRange,
		},
		{
			name:   "net.ipv4.tcp_tw_reuse",
			wanted: "1, with tcp_timestamps",
			why: "Lets a new connection take a port that has been in TIME_WAIT for a second. Only for connections that this host opens without keep-alive" +
				" (a proxy, a load generator); those that popupd accepts never use it. 2, the default since 4.19, is loopback only.",
			source: ipSysctl,
			look:   reuse,
		},
		{
			name:   "net.ipv4.tcp_tw_recycle",
			wanted: "0, or a kernel without it",
			why:    "It drops connections of clients that share an address (NAT), at random. Linux 4.12 removed it.",
			source: "https://git.kernel.org/torvalds/c/4396e46187ca",
			look:   recycle,
		},
		{
			name:   "TIME_WAIT sockets",
			wanted: "fewer than tcp_max_tw_buckets",
			why: "The side that closes first keeps about 256 bytes for 60 s. Beyond the limit sockets skip TIME_WAIT: that costs no connections, but" +
				" late segments of old ones are no longer told apart. The limit must not be lowered. Keep-alive avoids them.",
			source: ipSysctl,
			look:   timeWait,
		},
		{
			name:   "net.ipv4.tcp_fin_timeout",
			wanted: "leave it as it is",
			why: "It has nothing to do with TIME_WAIT, which lasts 60 s whatever this says (TCP_TIMEWAIT_LEN): it bounds FIN-WAIT-2, the wait for a" +
				" client that never closes its side. Lowering it frees no port.",
			source: ipSysctl,
			look: func(s *Site) (verdict, error) {
				n, err := s.Host.number(sysctlPath("net.ipv4.tcp_fin_timeout"))
				return verdict{found: fmt.Sprintf("%d s", n)}, err
			},
		},
		{
			name:   "listen overflows",
			wanted: "0 since boot",
			why: "A listener's queue was full: the client tries again after 1 s, then 2 s. A SYN cookie saves its connection, but not the TCP options." +
				" Counted for all listeners of this host: ss -ltn shows which is behind (Recv-Q near Send-Q).",
			source: "https://docs.kernel.org/networking/snmp_counter.html",
			look:   listenOverflows,
		},
		{
			name:   "packets dropped before TCP",
			wanted: "0 since boot",
			why: "net.core.netdev_max_backlog packets a CPU can wait there when they come over loopback, veth, RPS or from a driver without NAPI; what" +
				" is dropped is sent again, 200 ms later if nothing follows it.",
			source: coreSysctl,
			look:   packetBacklog,
		},
		{
			name:   "connection tracking",
			wanted: "not loaded, or under 70 % full",
			why: "A full table drops packets of new connections. A closed connection stays in it for 120 s by default. A server without NAT does" +
				" not need it: let the firewall skip popupd's port (notrack).",
			source: "https://docs.kernel.org/networking/nf_conntrack-sysctl.html",
			look:   connectionTracking,
		},
	}
}

func openFiles(s *Site) (verdict, error) {
	const name, wanted, least = "proc/self/limits", 65536, 4096
	text, err := s.Host.text(name)
	if err != nil {
		return verdict{}, err
	}
	for line := range strings.Lines(text) {
		rest, ok := strings.CutPrefix(line, "Max open files")
		fields := strings.Fields(rest)
		if !ok || len(fields) < 2 {
			continue
		}
		v := verdict{found: fields[1]}
		if fields[1] == "unlimited" {
			return v, nil
		}
		n, err := strconv.ParseInt(fields[1], 10, 64)
		switch {
		case err != nil:
			return v, fmt.Errorf("%s: %w", name, errMalformed)
		case n < wanted:
			v.status = Warn
			v.change = "LimitNOFILE=65536 in the systemd unit; docker run --ulimit nofile=65536; ulimit -n 65536 as root"
			v.rollback = "the same with " + v.found
		}
		if n < least {
			v.status = Critical
		}
		return v, nil
	}
	return verdict{}, fmt.Errorf("%s: %w", name, errMalformed)
}

func synBacklog(s *Site) (verdict, error) {
	const backlogKey, cookiesKey = "net.ipv4.tcp_max_syn_backlog", "net.ipv4.tcp_syncookies"
	backlog, err := s.Host.number(sysctlPath(backlogKey))
	if err != nil {
		return verdict{}, err
	}
	cookies, err := s.Host.number(sysctlPath(cookiesKey))
	if err != nil {
		return verdict{}, err
	}
	_, major, minor, err := s.Host.kernel()
	if err != nil {
		return verdict{}, err
	}
	v := verdict{found: fmt.Sprintf("%d, tcp_syncookies %d", backlog, cookies)}
	if cookies != 1 {
		v.status = Warn
		v.settings = append(v.settings, Setting{cookiesKey, "1", strconv.FormatInt(cookies, 10)})
	}
	if major < 4 || major == 4 && minor < 4 { // it bounds handshakes whatever the cookies do
		v.wanted = "4096 or more, tcp_syncookies 1"
		if backlog < queueLength {
			v.status = Warn
			v.settings = append(v.settings, Setting{backlogKey, "4096", strconv.FormatInt(backlog, 10)})
		}
	}
	return v, nil
}

func portRange(s *Site) (verdict, error) {
	const key, services = "net.ipv4.ip_local_port_range", 10240
	text, err := s.Host.text(sysctlPath(key))
	if err != nil {
		return verdict{}, err
	}
	var low, high int
	if _, err := fmt.Sscan(text, &low, &high); err != nil || low < 0 || high > 65535 || high < low {
		return verdict{}, fmt.Errorf("%s: %w", key, errMalformed)
	}
	ports := high - low + 1
	v := verdict{found: fmt.Sprintf("%d %d: %d ports, %d connections a second to one address without reuse", low, high, ports, ports/60)}
	reserved, err := s.Host.text(sysctlPath("net.ipv4.ip_local_reserved_ports"))
	exposed := low < services && (err != nil || reserved == "")
	if ports < connectionRate || exposed {
		v.status, v.settings = Warn, []Setting{{key, wantedPorts, fmt.Sprintf("%d %d", low, high)}}
	}
	return v, nil
}

func reuse(s *Site) (verdict, error) {
	const key, stampsKey = "net.ipv4.tcp_tw_reuse", "net.ipv4.tcp_timestamps"
	n, err := s.Host.number(sysctlPath(key))
	if err != nil {
		return verdict{}, err
	}
	v := verdict{found: strconv.FormatInt(n, 10)}
	if n != 1 {
		v.status = Warn
		v.settings = append(v.settings, Setting{key, "1", v.found})
	}
	// Reuse is safe because time stamps tell the connections apart (RFC 6191).
	if stamps, err := s.Host.number(sysctlPath(stampsKey)); err == nil && stamps == 0 {
		v.status = Warn
		v.found += ", tcp_timestamps 0"
		v.settings = append(v.settings, Setting{stampsKey, "1", "0"})
	}
	return v, nil
}

func recycle(s *Site) (verdict, error) {
	const key = "net.ipv4.tcp_tw_recycle"
	n, err := s.Host.number(sysctlPath(key))
	if s.Host.lacks(err) {
		return verdict{found: "not in this kernel"}, nil
	}
	v := verdict{found: strconv.FormatInt(n, 10)}
	if n != 0 {
		v.status, v.settings = Critical, []Setting{{key, "0", v.found}}
	}
	return v, err
}

func timeWait(s *Site) (verdict, error) {
	const key = "net.ipv4.tcp_max_tw_buckets"
	const most = connectionRate * 60 // a second's, for as long as they stay
	limit, err := s.Host.number(sysctlPath(key))
	if err != nil {
		return verdict{}, err
	}
	now, err := s.Host.timeWaits()
	if err != nil {
		return verdict{}, err
	}
	counters, err := s.Host.counters("proc/net/netstat", "TcpExt")
	if err != nil {
		return verdict{}, err
	}
	over := counters["TCPTimeWaitOverflow"]
	v := verdict{found: fmt.Sprintf("%d of %d, %d times over the limit since boot", now, limit, over)}
	usual := s.Host.usualTimeWaits()
	switch {
	case limit < usual:
		v.status = Warn
		v.found += fmt.Sprintf("; the limit was lowered from %d", usual)
		v.settings = []Setting{{key, strconv.FormatInt(usual, 10), strconv.FormatInt(limit, 10)}}
	case over == 0 && now < limit-limit/10:
	case limit < most:
		v.status = Warn
		v.settings = []Setting{{key, strconv.FormatInt(min(2*limit, most), 10), strconv.FormatInt(limit, 10)}}
	default:
		v.status, v.change, v.rollback = Warn, "use keep-alive, or let clients close first", "nothing to roll back"
	}
	return v, nil
}

// timeWaits returns how many sockets are in TIME_WAIT.
func (h Host) timeWaits() (int64, error) {
	const name = "proc/net/sockstat"
	text, err := h.text(name)
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(text) {
		// TCP: inuse 1 orphan 0 tw 0 alloc 1 mem 179
		fields := strings.Fields(line)
		if len(fields) == 0 || fields[0] != "TCP:" {
			continue
		}
		for i := 1; i+1 < len(fields); i += 2 {
			if n, err := strconv.ParseInt(fields[i+1], 10, 64); err == nil && fields[i] == "tw" {
				return n, nil
			}
		}
	}
	return 0, fmt.Errorf("%s: %w", name, errMalformed)
}

// usualTimeWaits returns what the kernel itself takes as tcp_max_tw_buckets,
// half the entries of its table; 0 before Linux 6.1, which does not tell. The
// number is negative where a network namespace shares the table.
func (h Host) usualTimeWaits() int64 {
	n, err := h.number(sysctlPath("net.ipv4.tcp_ehash_entries"))
	if err != nil {
		return 0
	}
	return max(n, -n) / 2
}

func listenOverflows(s *Site) (verdict, error) {
	c, err := s.Host.counters("proc/net/netstat", "TcpExt")
	if err != nil {
		return verdict{}, err
	}
	// Drops include overflows, and handshakes beyond the queue without cookies.
	overflows, drops, cookies := c["ListenOverflows"], c["ListenDrops"], c["TCPReqQFullDoCookies"]
	v := verdict{found: fmt.Sprintf("%d overflows, %d drops, %d SYN cookies", overflows, drops, cookies)}
	if overflows+drops+cookies > 0 {
		v.status = Warn
		v.change = "more CPU for that listener; a larger net.core.somaxconn if this grows (nstat -az | grep -i listen) while CPU is left"
		v.rollback = "nothing to roll back: the counters begin again at boot"
	}
	return v, nil
}

func packetBacklog(s *Site) (verdict, error) {
	const name, key = "proc/net/softnet_stat", "net.core.netdev_max_backlog"
	text, err := s.Host.text(name)
	if err != nil {
		return verdict{}, err
	}
	var dropped uint64
	for line := range strings.Lines(text) { // one a CPU: hexadecimal, the second is dropped
		fields := strings.Fields(line)
		if len(fields) < 2 {
			return verdict{}, fmt.Errorf("%s: %w", name, errMalformed)
		}
		n, err := strconv.ParseUint(fields[1], 16, 32)
		if err != nil {
			return verdict{}, fmt.Errorf("%s: %w", name, errMalformed)
		}
		dropped += n
	}
	v := verdict{found: fmt.Sprintf("%d dropped", dropped)}
	limit, err := s.Host.number(sysctlPath(key))
	if err == nil {
		v.found += fmt.Sprintf(", room for %d", limit)
	}
	if dropped == 0 {
		return v, nil
	}
	v.status = Warn
	if err != nil || limit <= 0 || limit > 1<<20 { // a network namespace does not show it
		v.change, v.rollback = "on the host, double "+key+" until the number stands still", "the former value"
		return v, nil
	}
	v.settings = []Setting{{key, strconv.FormatInt(2*limit, 10), strconv.FormatInt(limit, 10)}}
	return v, nil
}

func connectionTracking(s *Site) (verdict, error) {
	const key = "net.netfilter.nf_conntrack_max"
	limit, err := s.Host.number(sysctlPath(key))
	if s.Host.lacks(err) {
		return verdict{found: "not loaded"}, nil
	}
	if err != nil {
		return verdict{}, err
	}
	now, err := s.Host.number(sysctlPath("net.netfilter.nf_conntrack_count"))
	if err != nil {
		return verdict{}, err
	}
	v := verdict{found: fmt.Sprintf("%d of %d", now, limit)}
	if stays, err := s.Host.number(sysctlPath("net.netfilter.nf_conntrack_tcp_timeout_time_wait")); err == nil && stays > 0 {
		v.found += fmt.Sprintf(": room for %d new connections a second", limit/stays)
	}
	switch fill := float64(now) / float64(max(limit, 1)); {
	case fill < 0.7:
		return v, nil
	case fill < 0.9:
		v.status = Warn
	default:
		v.status = Critical
	}
	v.change = "nft: notrack for popupd's port, in prerouting and output of a raw table; or a larger " + key + ""
	v.rollback = fmt.Sprintf("delete the rule; sysctl -w %s=%d", key, limit)
	return v, nil
}
