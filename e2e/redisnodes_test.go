//go:build linux

package e2e

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/popupd/popupd/internal/storetest"
	"github.com/popupd/popupd/internal/testbed"
)

// redisNodes is a Redis Cluster.
type redisNodes struct {
	redisServers
	nodes []*testbed.RedisNode
}

func startRedisNodes(t *testing.T, extra ...string) *redisNodes {
	r := &redisNodes{redisServers{t: t}, storetest.StartRedisCluster(t, 1, extra...)}
	for _, n := range r.nodes {
		r.servers = append(r.servers, n.Redis)
	}
	return r
}

// master returns the node that has a key, or nil while there is none.
func (r *redisNodes) master(key string) *testbed.RedisNode {
	for _, n := range r.nodes {
		if reply, err := n.Command("EXISTS " + key); err == nil && strings.HasPrefix(reply, ":") {
			return n
		}
	}
	return nil
}

// awaitMaster waits until a node has a key, another one than old.
func (r *redisNodes) awaitMaster(key string, old *testbed.RedisNode) {
	r.t.Helper()
	eventually(r.t, 30*time.Second, func() error {
		if now := r.master(key); now == nil || now == old {
			return errors.New("no other node has the list")
		}
		return nil
	})
}

// apply has a node take commands.
func (r *redisNodes) apply(n *testbed.RedisNode, commands ...string) {
	r.t.Helper()
	if err := n.Apply(commands...); err != nil {
		r.t.Fatal(err)
	}
}

// ask returns what a node answers.
func (r *redisNodes) ask(n *testbed.RedisNode, command string) string {
	r.t.Helper()
	reply, err := n.Command(command)
	if err != nil {
		r.t.Fatal(err)
	}
	return reply
}

// moveAll moves all slots of a master to another, those of lists one after the other as
// redis-cli --cluster reshard does, with time for polls before each step.
func (r *redisNodes) moveAll(from, to *testbed.RedisNode, lists []string) {
	r.t.Helper()
	step := func() { time.Sleep(300 * time.Millisecond) }
	source, target := r.ask(from, "CLUSTER MYID"), r.ask(to, "CLUSTER MYID")
	moved := make(map[string]bool)
	for _, list := range lists {
		if r.master(list) != from {
			continue
		}
		slot := strings.TrimPrefix(r.ask(from, "CLUSTER KEYSLOT "+list), ":")
		moved[slot] = true
		r.apply(to, "CLUSTER SETSLOT "+slot+" IMPORTING "+source)
		r.apply(from, "CLUSTER SETSLOT "+slot+" MIGRATING "+target)
		step()
		host, port, _ := strings.Cut(to.TLSAddr, ":")
		eventually(r.t, 10*time.Second, func() error {
			reply := r.ask(from, fmt.Sprintf("MIGRATE %s %s %s 0 5000", host, port, list)) // NOKEY where the list is empty
			if left := r.ask(from, "CLUSTER COUNTKEYSINSLOT "+slot); left != ":0" {
				return fmt.Errorf("MIGRATE: %s, %s keys are left", reply, left)
			}
			return nil
		})
		step()
		for _, n := range []*testbed.RedisNode{to, from} {
			r.apply(n, "CLUSTER SETSLOT "+slot+" NODE "+target)
			step()
		}
	}
	var take []string
	for _, slot := range r.slots(from) {
		if !moved[slot] {
			take = append(take, "CLUSTER SETSLOT "+slot+" IMPORTING "+source, "CLUSTER SETSLOT "+slot+" NODE "+target)
		}
	}
	r.apply(to, take...)
	eventually(r.t, 10*time.Second, func() error { // the others are told
		if n := len(r.slots(from)); n > 0 {
			return fmt.Errorf("%d slots are left", n)
		}
		return nil
	})
}

// slots returns the slots of a master.
func (r *redisNodes) slots(n *testbed.RedisNode) (list []string) {
	r.t.Helper()
	for line := range strings.Lines(r.ask(n, "CLUSTER NODES")) {
		fields := strings.Fields(line)
		if len(fields) < 8 || !strings.Contains(fields[2], "myself") {
			continue
		}
		for _, run := range fields[8:] {
			var first, last int
			if n, _ := fmt.Sscanf(run, "%d-%d", &first, &last); n == 1 {
				last = first
			} else if n == 0 { // one that is on its way
				continue
			}
			for slot := first; slot <= last; slot++ {
				list = append(list, fmt.Sprint(slot))
			}
		}
	}
	return list
}

// hearers returns how many servers hear the others at a node.
func (r *redisNodes) hearers(n *testbed.RedisNode) string {
	r.t.Helper()
	return r.ask(n, `EVAL "return redis.call('PUBSUB','NUMSUB','popupd:events')[2]" 0`)
}

// dismiss takes a node without slots out of the cluster, while a server hears the others
// there: such a node goes on, and nothing is heard at it any more.
func (r *redisNodes) dismiss(gone *testbed.RedisNode) {
	r.t.Helper()
	eventually(r.t, 30*time.Second, func() error {
		if r.hearers(gone) != ":0" {
			return nil
		}
		for _, n := range r.nodes {
			if n != gone {
				r.ask(n, "CLIENT KILL TYPE pubsub") // they choose a node anew
			}
		}
		return errors.New("no server hears the others at the node that is to leave")
	})
	id := r.ask(gone, "CLUSTER MYID")
	for _, n := range r.nodes {
		if n != gone {
			eventually(r.t, 10*time.Second, func() error { return n.Apply("CLUSTER FORGET " + id) }) // its replicas find another master first
		}
	}
	r.apply(gone, "CLUSTER RESET")
}
