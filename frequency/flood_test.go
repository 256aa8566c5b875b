package frequency

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"github.com/popupd/popupd/internal/siphash"
	"github.com/popupd/popupd/popup"
)

// probes tells how far entries are from their homes, which is what a search
// goes, and how many the fullest shard has of its fair share.
type probes struct {
	entries, max int
	mean, share  float64
}

func (t *Table) probes() (p probes) {
	sum, fullest := 0, 0
	for i := range t.shards {
		s := &t.shards[i]
		for j := range s.slots {
			if k := s.slots[j].key; k != 0 {
				p.entries++
				sum += j - s.home(k)
				p.max = max(p.max, j-s.home(k))
			}
		}
		fullest = max(fullest, s.used)
	}
	p.mean = float64(sum) / float64(p.entries)
	p.share = float64(fullest*len(t.shards)) / float64(p.entries)
	return p
}

func randomKey(t *testing.T) (key [16]byte) {
	rand.Read(key[:])
	t.Logf("key %x", key)
	return key
}

const floodShards = 4 // bits

// flood returns the probes of a table under this key that holds these users.
func flood(t *testing.T, key [16]byte, users []string) probes {
	t.Helper()
	table := newTable(Config{Key: key}, floodShards)
	s := popup.State{Impressions: 1, ServedAtMS: noon, AtMS: noon, Last: popup.Impression, NextAtMS: noon + day}
	for _, user := range users {
		if !table.Restore([]byte(user), 1, s) {
			t.Fatal("no memory")
		}
	}
	p := table.probes()
	if p.entries != len(users) {
		t.Fatalf("%d entries, want %d", p.entries, len(users))
	}
	return p
}

// bounded fails the test unless searches are as short as among random hashes:
// at a load of at most 7/8 their mean is about 3, and the longest about 40.
func (p probes) bounded(t *testing.T) {
	t.Helper()
	if p.mean > 6 || p.max > 300 || p.share > 1.5 {
		t.Errorf("probes of %.1f slots, %d at most, the fullest shard has %.2f of its share; want 6, 300, 1.5 at most", p.mean, p.max, p.share)
	}
}

// User ids are what clients say. None that they choose without the key makes
// searches long, however alike the ids are.
func TestProbesAreShort(t *testing.T) {
	const n = 50_000
	for name, id := range map[string]func(i int) string{
		"numbers":             func(i int) string { return fmt.Sprint(i) },
		"padded numbers":      func(i int) string { return fmt.Sprintf("%0128d", i) },
		"differ at the start": func(i int) string { return fmt.Sprintf("%06x", i) + strings.Repeat("x", 100) },
		"multiples of 2^32":   func(i int) string { return string(binary.LittleEndian.AppendUint64(nil, uint64(i)<<32)) },
		"zeroes":              func(i int) string { return fmt.Sprint(i/128) + strings.Repeat("0", i%128) + "1" },
	} {
		t.Run(name, func(t *testing.T) {
			seen := make(map[string]bool, n)
			var users []string
			for i := range n {
				if u := id(i); !seen[u] {
					seen[u] = true
					users = append(users, u)
				}
			}
			flood(t, randomKey(t), users).bounded(t)
		})
	}
}

// Whoever knows the key can aim at one spot of one shard, and only there: under
// another key the same ids are like any others.
func TestFloodNeedsTheKey(t *testing.T) {
	known, secret := randomKey(t), randomKey(t)
	k0, k1 := binary.LittleEndian.Uint64(known[:8]), binary.LittleEndian.Uint64(known[8:])
	var users []string
	for i := 0; len(users) < 4000; i++ {
		user := fmt.Sprint("u", i)
		hash := siphash.Sum64(k0, k1, []byte(user))
		if shard, home := hash>>hashBits&(1<<floodShards-1), hash<<flagBits>>(64-4); shard == 7 && home == 3 {
			users = append(users, user)
		}
	}
	if p := flood(t, known, users); p.mean < 500 || p.share < 15.9 {
		t.Fatalf("under the known key: probes of %.1f slots, the fullest shard has %.2f of its share: the ids do not collide, this test shows nothing", p.mean, p.share)
	}
	flood(t, secret, users).bounded(t)
}
