//go:build unix

package queue

import (
	"syscall"
	"testing"
	"time"
)

// TestRedisHangs stops Redis for longer than a command may take: what was pushed
// meanwhile arrives late, after it was pushed again or before.
func TestRedisHangs(t *testing.T) {
	t.Parallel()
	_, server := realRedis(t)
	option := clientOption()
	option.InitAddress, option.ConnWriteTimeout = []string{server.Addr}, 300*time.Millisecond
	r := newRig(t, newClient(t, option))
	r.startJournal()
	r.startShipper()
	r.startConsumer()
	r.append(1000, 50)
	r.waitDrained()
	if err := server.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	r.append(1000, 50)
	await(t, "redis down", func() bool { return r.metric("popupd_redis_up") == 0 })
	r.append(1000, 50)
	if err := server.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	r.waitDrained()
	await(t, "redis up", func() bool { return r.metric("popupd_redis_up") == 1 })
}
