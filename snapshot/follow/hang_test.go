//go:build unix

package follow

import (
	"syscall"
	"testing"
	"time"

	"github.com/popupd/popupd/internal/storetest"
	"github.com/popupd/popupd/snapshot"
)

// TestRedisHangs stops Redis without closing its connections.
func TestRedisHangs(t *testing.T) {
	server := storetest.StartRedis(t)
	source, store := &catalog{revision: 1}, snapshot.NewStore()
	w := New(store, Config{Source: source, Redis: connect(t, redisAt(server.Addr)), Prefix: "popupd"})
	run(t, w)
	eventually(t, "the first reload", 5*time.Second, func() bool { return store.Current().Revision == 1 })
	if err := server.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	defer server.Signal(syscall.SIGCONT)
	source.set(2)
	changedWithin(t, w, 1500*time.Millisecond)
	source.set(3)
	eventually(t, "the poll finds the change", 5*time.Second, func() bool { return store.Current().Revision == 3 })
}
