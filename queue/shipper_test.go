package queue

import (
	"strings"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"github.com/popupd/popupd/popup"
	"github.com/popupd/popupd/queue/journal"
)

// TestEventsAreCounted is the way without any trouble.
func TestEventsAreCounted(t *testing.T) {
	eachRedis(t, func(t *testing.T, client rueidis.Client) {
		r := newRig(t, client)
		r.startJournal()
		r.startShipper()
		r.startConsumer()
		for range 20 {
			r.append(137, 50)
		}
		r.waitDrained()
		if got := r.metric("popupd_resends_total"); got != 0 {
			t.Errorf("sent again %v times although nothing was lost", got)
		}
		if got := r.metric("popupd_queue_depth_events"); got != 0 {
			t.Errorf("queue depth %v when all is committed", got)
		}
		await(t, "redis up", func() bool { return r.metric("popupd_redis_up") == 1 })
		await(t, "the list trimmed", func() bool { return len(r.list()) == 0 })
	})
}

// TestCluster is the same on a Redis Cluster, of one node.
func TestCluster(t *testing.T) {
	t.Parallel()
	single, server := realRedis(t, "--cluster-enabled", "yes")
	slots := single.B().Arbitrary("CLUSTER", "ADDSLOTSRANGE", "0", "16383").Build()
	if err := single.Do(t.Context(), slots).Error(); err != nil {
		t.Fatal(err)
	}
	await(t, "cluster ready", func() bool {
		info, err := single.Do(t.Context(), single.B().ClusterInfo().Build()).ToString()
		return err == nil && strings.Contains(info, "cluster_state:ok")
	})
	option := clientOption()
	option.ForceSingleClient, option.InitAddress = false, []string{server.Addr}
	r := newRig(t, newClient(t, option))
	r.startJournal()
	r.startShipper()
	r.startConsumer()
	r.append(1000, 20)
	r.waitDrained()
}

// TestLoss loses what Redis holds, in every way, before anybody counts it.
func TestLoss(t *testing.T) {
	for _, c := range []struct {
		name string
		lose func(r *rig)
	}{
		{"FLUSHALL", func(r *rig) { r.do("FLUSHALL") }},
		{"DEL", func(r *rig) { r.do("DEL", r.key()) }},
		{"SWAPDB", func(r *rig) { r.do("SWAPDB", "0", "1") }},
		{"key made a string", func(r *rig) { r.do("SET", r.key(), "boo") }},
		{"head lost", func(r *rig) { r.do("LTRIM", r.key(), "1", "-1") }},
		{"middle lost", func(r *rig) { r.do("LREM", r.key(), "1", r.list()[2]) }},
		{"head damaged", func(r *rig) { r.do("LSET", r.key(), "0", flipped(r.list()[0])) }},
		{"middle damaged", func(r *rig) { r.do("LSET", r.key(), "3", flipped(r.list()[3])) }},
		{"head empty", func(r *rig) { r.do("LSET", r.key(), "0", "") }},
		{"head cut short", func(r *rig) { h := r.list()[0]; r.do("LSET", r.key(), "0", h[:len(h)-1]) }},
		{"head of another stream", func(r *rig) {
			other := journal.AppendGap(nil, newRig(r.t, r.client).id, 1, 5)
			r.do("LSET", r.key(), "0", string(other))
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			eachRedis(t, func(t *testing.T, client rueidis.Client) {
				r := newRig(t, client)
				r.startJournal()
				r.startShipper()
				for range 5 { // elements
					r.append(100, 20)
					r.waitShipped()
				}
				c.lose(r)
				r.startConsumer()
				r.waitDrained()
				if got := r.metric("popupd_resends_total"); got == 0 {
					t.Error("nothing was sent again")
				}
			})
		})
	}
}

func flipped(s string) string {
	b := []byte(s)
	b[len(b)/2] ^= 0x40
	return string(b)
}

// TestDisorder has Redis repeat and reorder: nothing is lost, so nothing is sent again.
func TestDisorder(t *testing.T) {
	for _, c := range []struct {
		name    string
		disturb func(r *rig)
	}{
		{"head repeated", func(r *rig) { r.do("RPUSH", r.key(), r.list()[0]) }},
		{"all repeated", func(r *rig) { r.do(append([]string{"RPUSH", r.key()}, r.list()...)...) }},
		{"foreign element behind", func(r *rig) { r.do("RPUSH", r.key(), "boo") }},
		{"tail before the second", func(r *rig) {
			tail := r.list()[4]
			r.do("LREM", r.key(), "1", tail)
			r.do("LINSERT", r.key(), "AFTER", r.list()[0], tail)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			eachRedis(t, func(t *testing.T, client rueidis.Client) {
				r := newRig(t, client)
				r.startJournal()
				stop := r.start(r.shipper.Run)
				for range 5 {
					r.append(100, 20)
					r.waitShipped()
				}
				stop() // its loss check may well take fright at a strange head
				c.disturb(r)
				r.startConsumer()
				await(t, "committed", func() bool { return len(r.store.committed(r.id)) == len(r.users) })
				r.verify(r.id, r.users)
				await(t, "the list trimmed", func() bool { return len(r.list()) == 0 })
			})
		})
	}
}

// TestRedisRestarts kills Redis under load; it comes back empty.
func TestRedisRestarts(t *testing.T) {
	t.Parallel()
	client, server := realRedis(t)
	r := newRig(t, client)
	r.startJournal()
	r.startShipper()
	r.startConsumer()
	for range 2 {
		r.append(5000, 50)
		server.Kill()
		r.append(5000, 50)
		await(t, "redis down", func() bool { return r.metric("popupd_redis_up") == 0 })
		server.Restart(t)
		r.append(5000, 50)
	}
	r.waitDrained()
	await(t, "redis up", func() bool { return r.metric("popupd_redis_up") == 1 })
}

// TestRedisUpIsWritable: with nothing to push, popupd_redis_up tells of a Redis that
// answers and takes no writes.
func TestRedisUpIsWritable(t *testing.T) {
	t.Parallel()
	client, _ := realRedis(t)
	r := newRig(t, client)
	r.startJournal()
	r.startShipper()
	for _, c := range []struct {
		name         string
		refuse, mend []string
	}{
		{"replica of nobody", []string{"REPLICAOF", "127.0.0.1", "1"}, []string{"REPLICAOF", "NO", "ONE"}},
		{"full", []string{"CONFIG", "SET", "maxmemory", "1"}, []string{"CONFIG", "SET", "maxmemory", "0"}},
	} {
		await(t, "redis up", func() bool { return r.metric("popupd_redis_up") == 1 })
		r.do(c.refuse...)
		await(t, c.name+": redis down", func() bool { return r.metric("popupd_redis_up") == 0 })
		r.do(c.mend...)
	}
	await(t, "redis up", func() bool { return r.metric("popupd_redis_up") == 1 })
	if n, err := r.do("EXISTS", probeKey("test")).AsInt64(); err != nil || n != 0 {
		t.Errorf("the probe left %d keys, %v", n, err)
	}
}

// TestRedisRefuses gives Redis too little memory for a while.
func TestRedisRefuses(t *testing.T) {
	t.Parallel()
	client, _ := realRedis(t)
	r := newRig(t, client)
	r.startJournal()
	r.startShipper()
	r.startConsumer()
	r.append(1000, 50)
	r.waitDrained()
	r.do("CONFIG", "SET", "maxmemory", "1")
	r.append(1000, 50)
	await(t, "refusal noticed", func() bool { return r.metric("popupd_redis_up") == 0 })
	if got := r.metric("popupd_queue_depth_events"); got != 1000 {
		t.Errorf("queue depth %v, want 1000", got)
	}
	r.do("CONFIG", "SET", "maxmemory", "0")
	r.waitDrained()
	if got := r.metric("popupd_resends_total"); got != 0 {
		t.Errorf("sent again %v times what was not taken and so not lost", got)
	}
}

// TestWindow holds Redis to the window while nobody counts.
func TestWindow(t *testing.T) {
	eachRedis(t, func(t *testing.T, client rueidis.Client) {
		r := newRig(t, client)
		r.shipper.c.Window = 1 << 20
		r.startJournal()
		r.startShipper()
		r.append(50_000, 200) // about 3 MB
		held := func() (n int) {
			for _, e := range r.list() {
				n += len(e)
			}
			return n
		}
		await(t, "window full", func() bool { return held() >= 1<<20 })
		r.awaitRound()
		if n := held(); n > 1<<20+elementBytes {
			t.Errorf("%d bytes in Redis, the window is %d", n, 1<<20)
		}
		if ttl, err := r.do("TTL", r.key()).AsInt64(); err != nil || ttl < 1 {
			t.Errorf("TTL %d, %v; the list has no bound in time", ttl, err)
		}
		r.startConsumer()
		r.waitDrained()
	})
}

// TestStoreDown starts without MySQL: nothing is shipped that has no row, nobody
// turns in a tight loop, and nothing is lost.
func TestStoreDown(t *testing.T) {
	eachRedis(t, func(t *testing.T, client rueidis.Client) {
		r := newRig(t, client)
		r.store.setFault(func(string) outcome { return fails })
		r.startJournal()
		r.startShipper()
		r.startConsumer()
		const calls = 4
		began := time.Now()
		await(t, "registered in vain", func() bool {
			r.append(10, 10)
			return r.store.made("register") >= calls
		})
		if took := time.Since(began); took < calls*50*time.Millisecond {
			t.Errorf("%d tries to register in %v: want a pause between two", calls, took)
		}
		if n := r.store.made("progress"); n > r.store.made("register") {
			t.Errorf("%d looks at the progress of a stream that is not registered", n)
		}
		if n := len(r.list()); n != 0 {
			t.Errorf("%d elements were pushed of a stream that is not registered", n)
		}
		r.store.setFault(nil)
		r.waitDrained()
	})
}

// TestStoreFailsAfterwards loses the store when the stream is registered: Redis
// takes a window, and no resend is due as long as nobody says what is committed.
func TestStoreFailsAfterwards(t *testing.T) {
	t.Parallel()
	r := newRig(t, inProcess(t))
	r.startJournal()
	r.startShipper()
	r.startConsumer()
	r.append(100, 10)
	r.waitDrained()
	r.store.setFault(func(string) outcome { return fails })
	r.append(1000, 10)
	r.waitShipped()
	made := func() int { return r.store.made("flush") + r.store.made("progress") }
	const calls = 10
	already, began := made(), time.Now()
	await(t, "the store is asked in vain", func() bool { return made() >= already+calls })
	if took := time.Since(began); took < calls*50*time.Millisecond {
		t.Errorf("%d calls in %v: want a pause between two", calls, took)
	}
	r.store.setFault(nil)
	r.waitDrained()
	if got := r.metric("popupd_resends_total"); got != 0 {
		t.Errorf("sent again %v times", got)
	}
}

// TestDepthOfAStart: what the previous process left waits from the start on, before anything
// is shipped.
func TestDepthOfAStart(t *testing.T) {
	t.Parallel()
	r := newRig(t, inProcess(t))
	r.append(3, 2)
	for range 2 {
		if got := r.metric("popupd_queue_depth_events"); got != 3 {
			t.Errorf("%v events wait, want 3", got)
		}
		r.stop()
		r.open()
	}
}

// TestOldestUncounted has the age of what waits grow while nothing is committed, over
// a restart too, by when it was appended and not by when it happened.
func TestOldestUncounted(t *testing.T) {
	t.Parallel()
	r := newRig(t, inProcess(t))
	const metric = "popupd_oldest_uncounted_event_seconds"
	within := func(least, most float64) {
		t.Helper()
		if got := r.metric(metric); got < least || got > most {
			t.Errorf("%s %v, want %v to %v", metric, got, least, most)
		}
	}
	add := func(action popup.Action, ago time.Duration) {
		t.Helper()
		at := time.Now().Add(-ago).UnixMilli()
		err := r.journal.Append([]popup.Event{{AtMS: at, ServedAtMS: at, User: []byte("u"), Popup: 1, Version: 1, Action: action}})
		if err != nil {
			t.Fatal(err)
		}
		r.users = append(r.users, "u")
	}
	within(0, 0)
	r.store.setFault(func(string) outcome { return fails })
	r.startJournal()
	r.startShipper()
	add(popup.Click, time.Hour)
	await(t, "the event grows old", func() bool { return r.metric(metric) > 0.3 })
	within(0.3, patience.Seconds())
	r.store.setFault(nil)
	r.startConsumer()
	r.waitDrained()
	within(0, 0)

	r.stop()
	r.open()
	add(popup.Impression, 10*time.Minute)
	add(popup.Click, time.Hour) // reported later than the impression
	r.stop()
	left := r.id
	r.open() // adopts both streams, and does not know yet what is committed of the first
	within(600, 3600+patience.Seconds())
	r.startJournal()
	r.startShipper()
	await(t, "the first is known to be committed", func() bool { return r.metric(metric) < 601+patience.Seconds() })
	within(600, 600+patience.Seconds())
	r.startConsumer()
	r.waitDrained()
	r.verify(left, []string{"u", "u"})
	within(0, 0)
}
