package tuning

import (
	"fmt"
	"strconv"
	"strings"
)

// Redis is what one node says of itself.
type Redis struct {
	Address string
	Err     error             // why it could not be asked
	Cluster bool              // popupd was told that it is one
	Info    map[string]string // see ParseInfo
	Config  map[string]string // of CONFIG GET; empty where that is refused, as some providers do
}

// ParseInfo reads the reply to INFO: lines of name:value, and titles.
// https://redis.io/docs/latest/commands/info/
func ParseInfo(text string) map[string]string {
	info := map[string]string{}
	for line := range strings.Lines(text) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok && !strings.HasPrefix(name, "#") {
			info[name] = value
		}
	}
	return info
}

// redisWindow is what one popupd keeps in Redis at most: events that are not
// counted yet, 32 MiB of its own and 32 MiB of servers that ended, and as much
// again for Redis itself.
const redisWindow = 128 << 20

// redisChecks is about Redis, node by node. It may lose everything at any
// time, so only what keeps popupd from working is critical. A node that was
// named and does not answer is.
func redisChecks(nodes []Redis) []check {
	var checks []check
	for i := range nodes {
		n := &nodes[i]
		name := "redis "
		if len(nodes) > 1 {
			name += n.Address + " "
		}
		if n.Err != nil {
			checks = append(checks, unreachable("redis", n.Err,
				"Events wait in the journal, up to -journal-max, and servers do not hear of what the others serve."))
			continue
		}
		const docs = "https://redis.io/docs/latest/"
		checks = append(checks,
			check{
				name: name + "version", wanted: "6.0 or newer",
				why:  "popupd speaks RESP3, which began with 6.0.",
				look: func(*Site) (verdict, error) { return n.version() },
			},
			check{
				name: name + "role", wanted: "a primary, and a cluster only if -redis is a list",
				why:    "A replica refuses writes; a node of a cluster sends a client that does not know it elsewhere.",
				source: docs + "operate/oss_and_stack/reference/cluster-spec/",
				look:   func(*Site) (verdict, error) { return n.role() },
			},
			check{
				name: name + "maxmemory",
				why: "popupd keeps a bounded amount of events there, up to 64 MiB a server while the database is away; Redis may take as much again." +
					" 0 is no limit: then the kernel ends a Redis that others fill.",
				source: docs + "develop/reference/eviction/",
				look:   func(s *Site) (verdict, error) { return n.maxMemory(s.Servers) },
			},
			check{
				name: name + "maxmemory-policy", wanted: "noeviction",
				why: "Evicting drops whole lists of events without an error. They come again from the journal, once somebody has noticed: that is a" +
					" delay, and the same work twice. With noeviction popupd waits.",
				source: docs + "develop/reference/eviction/",
				look: func(*Site) (verdict, error) {
					policy, err := n.info("maxmemory_policy")
					v := verdict{found: policy}
					if err == nil && policy != "noeviction" {
						v.status = Warn
						v.change, v.rollback = configSet("maxmemory-policy", "noeviction"), configSet("maxmemory-policy", policy)
					}
					return v, err
				},
			},
			check{
				name: name + "persistence", wanted: "none: save \"\", appendonly no",
				why: "popupd does not need it, the journal has everything. A snapshot forks and copies what is written meanwhile, and one that fails (a" +
					" full disk) makes Redis refuse writes. Leave it on if others use this Redis and need it.",
				source: docs + "operate/oss_and_stack/management/persistence/",
				look:   func(*Site) (verdict, error) { return n.persistence() },
			})
	}
	return checks
}

func (n *Redis) info(name string) (string, error) {
	value := n.Info[name]
	if value == "" {
		return "", fmt.Errorf("INFO does not say %s", name)
	}
	return value, nil
}

func (n *Redis) number(name string) (int64, error) {
	value, err := n.info(name)
	if err != nil {
		return 0, err
	}
	i, err := strconv.ParseInt(value, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", name, errMalformed)
	}
	return i, nil
}

func (n *Redis) version() (verdict, error) {
	text, err := n.info("redis_version")
	if err != nil {
		return verdict{}, err
	}
	v := verdict{found: text}
	if valkey := n.Info["valkey_version"]; valkey != "" {
		v.found = "Valkey " + valkey + ", as Redis " + text
	}
	major, _, _ := strings.Cut(text, ".")
	m, err := strconv.Atoi(major)
	if err != nil {
		return verdict{}, fmt.Errorf("version %.40q: %w", text, errMalformed)
	}
	if m < 6 {
		v.status, v.change, v.rollback = Critical, "upgrade the server", "the former version"
	}
	return v, nil
}

func (n *Redis) role() (verdict, error) {
	role, err := n.info("role")
	if err != nil {
		return verdict{}, err
	}
	mode, err := n.info("redis_mode")
	if err != nil {
		return verdict{}, err
	}
	v := verdict{found: role + ", " + mode}
	switch {
	case role != "master":
		v.status, v.change = Critical, "-redis of the primary"
	case mode == "cluster" && !n.Cluster:
		v.status, v.change = Critical, "-redis with the nodes as host:port,host:port"
	}
	if v.status != "" {
		v.rollback = "the former -redis"
	}
	return v, nil
}

func (n *Redis) maxMemory(servers int) (verdict, error) {
	wanted := int64(servers) * redisWindow
	v := verdict{wanted: fmt.Sprintf("%s or more: %d servers x %s", size(wanted), servers, size(redisWindow))}
	limit, err := n.number("maxmemory")
	if err != nil {
		return v, err
	}
	used, err := n.number("used_memory")
	if err != nil {
		return v, err
	}
	v.found = fmt.Sprintf("%s, %s in use", size(limit), size(used))
	if limit == 0 {
		v.found = "no limit, " + size(used) + " in use"
	}
	if limit < wanted {
		v.status = Warn
		v.change, v.rollback = configSet("maxmemory", strconv.FormatInt(wanted, 10)), configSet("maxmemory", strconv.FormatInt(limit, 10))
	}
	return v, nil
}

func (n *Redis) persistence() (verdict, error) {
	aof, err := n.info("aof_enabled")
	if err != nil {
		return verdict{}, err
	}
	var change, rollback []string
	v := verdict{found: "appendonly no"}
	if aof != "0" {
		v.found = "appendonly yes"
		change, rollback = append(change, configSet("appendonly", "no")), append(rollback, configSet("appendonly", "yes"))
	}
	if n.Info["rdb_last_bgsave_status"] == "err" {
		v.found += ", the last snapshot failed"
	}
	switch save, known := n.Config["save"]; {
	case !known:
		v.found += ", save not told"
		v.status = Unknown
	case save == "":
		v.found += ", no snapshots"
	default:
		v.found += ", save " + save
		change, rollback = append(change, configSet("save", "")), append(rollback, configSet("save", save))
	}
	if change != nil {
		v.status, v.change, v.rollback = Warn, strings.Join(change, "; "), strings.Join(rollback, "; ")
	}
	return v, nil
}

func configSet(name, value string) string {
	if value == "" || strings.Contains(value, " ") {
		value = strconv.Quote(value)
	}
	return fmt.Sprintf("CONFIG SET %s %s", name, value)
}
