package queue

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/redis/rueidis"
)

// chaos is a seeded random sequence of faults.
type chaos struct {
	*rig
	rnd *rand.Rand
}

// disturb does one thing to the list, or to all of Redis. Errors do not matter:
// the list may be gone, or be no list.
func (c *chaos) disturb() string {
	do := func(args ...string) {
		c.client.Do(c.t.Context(), c.client.B().Arbitrary(args...).Build())
	}
	key := c.key()
	index := fmt.Sprint(c.rnd.IntN(4))
	switch c.rnd.IntN(12) {
	case 0:
		do("FLUSHALL")
		return "FLUSHALL"
	case 1:
		do("DEL", key)
		return "DEL"
	case 2:
		do("SWAPDB", "0", "1")
		return "SWAPDB"
	case 3:
		do("SET", key, "boo")
		return "SET"
	case 4:
		do("LMOVE", key, key, "LEFT", "RIGHT")
		return "head to tail"
	case 5:
		do("LMOVE", key, key, "RIGHT", "LEFT")
		return "tail to head"
	case 6:
		do("LSET", key, index, "boo")
		return "element made garbage"
	case 7, 8:
		if e, err := c.client.Do(c.t.Context(), c.client.B().Lindex().Key(key).Index(0).Build()).ToString(); err == nil && len(e) > 0 {
			b := []byte(e)
			b[c.rnd.IntN(len(b))] ^= 1 << c.rnd.IntN(8)
			do("LSET", key, "0", string(b))
		}
		return "bit flipped"
	case 9:
		do("LTRIM", key, "1", "-1")
		return "head lost"
	case 10:
		if e, err := c.client.Do(c.t.Context(), c.client.B().Lindex().Key(key).Index(0).Build()).ToString(); err == nil {
			do("RPUSH", key, e)
		}
		return "head repeated"
	default:
		do("RPOP", key)
		return "tail lost"
	}
}

// TestChaos does everything at once that may go wrong: a Redis that loses,
// repeats, reorders and damages, a store that fails before and after its COMMIT,
// two consumers that come and go, and a shipper that is restarted.
func TestChaos(t *testing.T) {
	eachRedis(t, func(t *testing.T, client rueidis.Client) {
		seed := uint64(time.Now().UnixNano())
		t.Logf("seed %d", seed)
		rnd := rand.New(rand.NewPCG(seed, 0))
		r := newRig(t, client)
		c := &chaos{rig: r, rnd: rnd}

		store := rand.New(rand.NewPCG(seed, 1)) // used under the store's mutex
		r.store.setFault(func(string) outcome {
			switch store.IntN(20) {
			case 0:
				return fails
			case 1, 2:
				return replyLost
			}
			return works
		})
		r.startJournal()
		stops := []func(){r.start(r.shipper.Run), r.startConsumer(), r.startConsumer()}
		starts := []func() func(){
			func() func() { return r.start(r.shipper.Run) }, r.startConsumer, r.startConsumer,
		}
		did := make(map[string]int)
		for began := time.Now(); time.Since(began) < 1500*time.Millisecond; {
			r.append(1+rnd.IntN(200), 1+rnd.IntN(100))
			if rnd.IntN(4) == 0 {
				did[c.disturb()]++
			}
			if rnd.IntN(20) == 0 {
				r.journal.Covered(r.journal.Positions()) // segments may go
			}
			if rnd.IntN(30) == 0 {
				i := rnd.IntN(len(stops))
				stops[i]()
				if i == 0 { // a new one knows nothing
					r.newShipper()
				}
				stops[i] = starts[i]()
				did["restart"]++
			}
			time.Sleep(time.Duration(rnd.IntN(5)) * time.Millisecond)
		}
		r.store.setFault(nil)
		r.waitDrained()
		t.Logf("%d events in spite of %v", len(r.users), did)
		if err := r.journal.Close(); err != nil {
			t.Fatal(err)
		}
		await(t, "stream given up", func() bool { return len(r.journal.Streams()) == 0 })
		r.verify(r.id, r.users)
	})
}
