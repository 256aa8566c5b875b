package tuning

import (
	"testing"
	"testing/fstest"
)

const (
	mountsV1 = "22 27 0:21 / /proc rw - proc proc rw\n35 31 0:29 / /sys/fs/cgroup/memory rw,relatime shared:9 - cgroup cgroup rw,memory\n"
	mountsV2 = "30 24 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"
)

func TestMemoryLimit(t *testing.T) {
	for _, c := range []struct {
		name, mounts, group string
		files               map[string]string
		want                int64 // 0: none
	}{
		{"v2", mountsV2, "0::/app.slice\n", map[string]string{"app.slice/memory.max": "536870912\n"}, 512 << 20},
		{"v2 unlimited", mountsV2, "0::/app.slice\n", map[string]string{"app.slice/memory.max": "max\n"}, 0},
		{"v2 slows down before it kills", mountsV2, "0::/a\n", map[string]string{"a/memory.max": "2000000\n", "a/memory.high": "1000000\n"}, 1000000},
		{"v2 limited above", mountsV2, "0::/a/b/c\n", map[string]string{"a/b/c/memory.max": "3000000", "a/b/memory.max": "max", "a/memory.max": "2000000"}, 2000000},
		{"v2 root of a container", mountsV2, "0::/\n", map[string]string{"memory.max": "1000000\n"}, 1000000},
		{"v2 group moved out of the namespace", mountsV2, "0::/../../other\n", map[string]string{"memory.max": "1000000\n"}, 1000000},
		{"v2 part of the hierarchy is mounted", "30 24 0:26 /docker/x /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n", "0::/docker/x/y\n",
			map[string]string{"y/memory.max": "2000000", "memory.max": "1000000"}, 1000000},
		{"v2 other group with the same beginning", "30 24 0:26 /docker/x /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n", "0::/docker/xyz\n",
			map[string]string{"yz/memory.max": "1", "memory.max": "1000000"}, 1000000},
		{"v1", mountsV1, "4:memory:/x\n0::/\n", map[string]string{"memory/x/memory.limit_in_bytes": "1000000\n", "memory/memory.limit_in_bytes": "9223372036854771712\n"}, 1000000},
		{"v1 unlimited", mountsV1, "4:memory:/\n", map[string]string{"memory/memory.limit_in_bytes": "9223372036854771712\n"}, 0},
		{"v1 limited above", mountsV1, "4:memory:/x/y\n", map[string]string{"memory/x/y/memory.limit_in_bytes": "2000000\n", "memory/x/memory.limit_in_bytes": "1000000\n"}, 1000000},
		{"v1 container without a namespace", "35 31 0:29 /docker/x /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n", "4:memory:/docker/x\n",
			map[string]string{"memory/memory.limit_in_bytes": "1000000\n"}, 1000000},
		{"hybrid, memory in v1", mountsV1 + "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n", "0::/\n4:memory:/\n",
			map[string]string{"memory/memory.limit_in_bytes": "1000000\n", "unified/memory.max": "1\n"}, 1000000},
		{"garbage", mountsV2, "0::/a\n", map[string]string{"a/memory.max": "lots\n", "memory.max": "-5\n"}, 0},
		{"space in the path", "30 24 0:26 / /sys/fs/cgroup/my\\040own rw - cgroup2 cgroup2 rw\n", "0::/\n", map[string]string{"my own/memory.max": "1000000\n"}, 1000000},
		{"not mounted", "22 27 0:21 / /proc rw - proc proc rw\n", "0::/\n", nil, 0},
		{"nothing", "", "", nil, 0},
	} {
		root := fstest.MapFS{"proc/self/mountinfo": {Data: []byte(c.mounts)}, "proc/self/cgroup": {Data: []byte(c.group)}}
		for name, text := range c.files {
			root["sys/fs/cgroup/"+name] = &fstest.MapFile{Data: []byte(text)}
		}
		got, ok := NewHost(root).MemoryLimit()
		if got != c.want || ok != (c.want != 0) {
			t.Errorf("%s: got %d, %v, want %d", c.name, got, ok, c.want)
		}
	}
}
