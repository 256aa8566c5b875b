package frequency

import (
	"encoding/binary"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/popupd/popupd/internal/siphash"
	"github.com/popupd/popupd/popup"
)

// DefaultMaxBytes is the memory budget of a [Table] if none is given, in bytes.
const DefaultMaxBytes = 1 << 30

// Config configures a [Table].
type Config struct {
	Key      [16]byte      // of the hash; a dump is of use only under the same key
	MaxBytes int64         // memory budget of the entries; 0 is DefaultMaxBytes
	MinGap   time.Duration // least time between any two popups of one user; see also SetMinGap
	// HeldOnly says that the table has only what was merged, and knows everything of those
	// alone for whom [Table.Hold] was called. Others are forgotten once all is committed.
	HeldOnly bool
	// OnReset is called with each reset of a user that is merged, from wherever: the keyed
	// hash of the id, and up to when what was served is dropped. It may be called again with
	// the same one, and from many goroutines; nil: it is not called.
	OnReset    func(hash uint64, atMS int64)
	Registerer prometheus.Registerer
}

// Table is the state of all users. It is safe for concurrent use.
type Table struct {
	k0, k1   uint64
	onReset  func(hash uint64, atMS int64) // see Config; may be nil
	leastGap time.Duration                 // see SetMinGap
	maxBytes int64
	shards   []shard
	// For each shard, and under its lock:
	seen      []sorted // impressions
	holds     []sorted // users, see isHeld; nil: the table knows everything of everyone
	copyScans []copyScan

	keep   atomic.Pointer[func(id uint32) int64] // see KeepImpressions
	gapMS  atomic.Int64
	bytes  atomic.Int64 // of all slots; never above maxBytes, also while a shard grows
	policy atomic.Pointer[func(id uint32) Retention]
	nowMS  atomic.Int64 // of the last sweep: what has expired where no local time is given

	// With holds:
	held        atomic.Uint64 // era 32 | users held in it 32
	epoch       atomic.Uint32
	uncommitted atomic.Pointer[uncommitted]
	dumping     atomic.Bool   // nobody may be forgotten
	lostIn      atomic.Uint64 // see noteLoss

	sweepMu sync.Mutex // guards cursor
	cursor  struct {
		shard, slot int
		part        part // of the shard
	}

	dumpMu sync.Mutex // held while the files of a dump are written

	refused, lost atomic.Uint64 // see Refused and Lost
}

// shardBits is the base 2 logarithm of the number of shards. With 1024 of them
// a shard at the default budget has 1 MiB, which takes well under a millisecond
// to move when it grows. The bits of a hash that say its shard are those that a
// slot leaves out.
const shardBits = flagBits

// New returns an empty table.
func New(c Config) *Table { return newTable(c, shardBits) }

func newTable(c Config, shardBits uint8) *Table {
	t := &Table{
		k0:       binary.LittleEndian.Uint64(c.Key[:8]),
		k1:       binary.LittleEndian.Uint64(c.Key[8:]),
		onReset:  c.OnReset,
		leastGap: c.MinGap,
		maxBytes: c.MaxBytes,
		shards:   make([]shard, 1<<shardBits),
		seen:     make([]sorted, 1<<shardBits),

		copyScans: make([]copyScan, 1<<shardBits),
	}
	if t.maxBytes == 0 {
		t.maxBytes = DefaultMaxBytes
	}
	t.SetMinGap(0)
	if c.HeldOnly {
		t.holds = make([]sorted, len(t.shards))
		t.uncommitted.Store(new(uncommitted))
	}
	runtime.AddCleanup(t, releaseAll, memory{t.shards, t.seen, t.holds})
	metrics := promauto.With(c.Registerer)
	metrics.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "popupd_state_entries",
		Help: "Pairs of user and popup whose state is held, and resets of users.",
	}, func() float64 { return float64(t.entries()) })
	metrics.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "popupd_state_bytes",
		Help: "Memory of the users' state in bytes.",
	}, func() float64 { return float64(t.bytes.Load()) })
	metrics.NewGauge(prometheus.GaugeOpts{
		Name: "popupd_state_max_bytes",
		Help: "Memory that the users' state may take, in bytes.",
	}).Set(float64(t.maxBytes))
	metrics.NewCounterFunc(prometheus.CounterOpts{
		Name: "popupd_state_full_total",
		Help: "States that were not recorded because the memory budget was reached.",
	}, func() float64 { return float64(t.refused.Load()) })
	metrics.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "popupd_users_held",
		Help: "Users of whom all is known that they have seen, with -state-scope hashed.",
	}, func() float64 { return float64(t.HeldUsers()) })
	return t
}

// Refused returns how many states were not recorded because the memory budget was reached.
func (t *Table) Refused() uint64 { return t.refused.Load() }

// Lost returns how many of these had happened all the same, and only the store knows them: not
// what was therefore not shown, not taken, or not looked up.
func (t *Table) Lost() uint64 { return t.lost.Load() }

// MinGap returns the least time between any two popups of one user.
func (t *Table) MinGap() time.Duration { return time.Duration(t.gapMS.Load()) * time.Millisecond }

// SetMinGap changes the least time between any two popups of one user, to not less than
// what the table was made with. What is too old for the gap of before may have been
// swept: the database knows it.
func (t *Table) SetMinGap(d time.Duration) {
	t.gapMS.Store(int64((max(d, t.leastGap) + time.Millisecond - 1) / time.Millisecond))
}

// Lock finds a user and locks the user's shard until [User.Unlock]. The bytes
// are not kept.
func (t *Table) Lock(user []byte) User {
	return t.lockHash(siphash.Sum64(t.k0, t.k1, user))
}

// LockBoth is [Table.Lock] for a user who had another id before: what is known of
// that counts in [User.Check], too, and nothing is written under it. A nil prior is none.
func (t *Table) LockBoth(user, prior []byte) User {
	if prior == nil {
		return t.Lock(user)
	}
	u := User{t: t, span: t.spanOf(siphash.Sum64(t.k0, t.k1, user)), prior: t.spanOf(siphash.Sum64(t.k0, t.k1, prior))}
	if u.hash == u.prior.hash { // one id is no other
		u.prior = span{}
	}
	// All lock in the order of the shards, so that no two wait for each other.
	switch {
	case u.prior.s == nil || u.prior.s == u.s:
		u.s.mu.Lock()
	case t.shardOf(u.hash) < t.shardOf(u.prior.hash):
		u.s.mu.Lock()
		u.prior.s.mu.Lock()
	default:
		u.prior.s.mu.Lock()
		u.s.mu.Lock()
	}
	u.look()
	return u
}

// Hash returns the keyed hash of a user's id, as [User.Hash] does, without a lock.
func (t *Table) Hash(user []byte) uint64 { return t.spanOf(siphash.Sum64(t.k0, t.k1, user)).hash }

func (t *Table) lockHash(hash uint64) User {
	u := User{t: t, span: t.spanOf(hash)}
	u.s.mu.Lock()
	u.span.look()
	return u
}

// spanOf returns a span whose slots are yet to be looked for.
func (t *Table) spanOf(hash uint64) span {
	if keyOf(hash) == 0 {
		hash |= 1 // key 0 is an empty slot
	}
	return span{s: &t.shards[t.shardOf(hash)], hash: hash}
}

// impressionsOf returns the slots of the impressions of a hash.
func (t *Table) impressionsOf(hash uint64) *sorted { return &t.seen[t.shardOf(hash)] }

// shardOf returns the index of the shard of a hash.
func (t *Table) shardOf(hash uint64) uint64 { return hash >> hashBits & uint64(len(t.shards)-1) }

// Merge adds what an event says, for replays and for events of other servers:
// in any order and any number of times. A [popup.Reset] drops what was served to its
// user up to then, also what is merged later; a [popup.Goal] changes nothing. An event
// for which there is no memory is dropped and counted.
func (t *Table) Merge(ev *popup.Event) {
	switch ev.Action {
	case popup.Goal:
		return
	case popup.Reset:
		t.mergeReset(ev)
		return
	}
	u := t.Lock(ev.User)
	defer u.Unlock()
	merged := u.merge(ev.Popup, stateOf(ev), t.nowMS.Load(), t.maxBytes)
	if _, noted := u.note(ev.Popup, clock(ev.ServedAtMS), flagsOf(ev), t.nowMS.Load(), t.maxBytes); !merged || !noted {
		u.lose()
	}
}

func (t *Table) mergeReset(ev *popup.Event) {
	u := t.Lock(ev.User)
	if !u.reset(clock(ev.AtMS), t.nowMS.Load()) {
		u.lose()
	}
	u.Unlock()
	t.tellReset(u.hash, ev.AtMS)
}

// tellReset calls Config.OnReset. No lock may be held.
func (t *Table) tellReset(hash uint64, atMS int64) {
	if t.onReset != nil {
		t.onReset(hash, atMS)
	}
}

// Restore adds a state that was read from the store. It returns false if there
// is no memory for it.
func (t *Table) Restore(user []byte, id uint32, s popup.State) bool {
	u := t.Lock(user)
	defer u.Unlock()
	merged := u.merge(id, s, t.nowMS.Load(), t.maxBytes)
	if !merged {
		u.lose()
	}
	return merged
}

// States calls fn for each popup of which something is known of the user, by
// ascending id. No lock is held meanwhile.
func (t *Table) States(user []byte, fn func(id uint32, s popup.State)) {
	var entries []entry
	u := t.Lock(user)
	for i := u.lo; i < u.hi; i += u.s.width(i) {
		if e := u.s.unpack(i, u.hash); e.popup != resetID {
			entries = append(entries, e)
		}
	}
	u.Unlock()
	for i := range entries {
		fn(entries[i].popup, entries[i].state())
	}
}

// entries returns how many entries there are.
func (t *Table) entries() int {
	n := 0
	for i := range t.shards {
		s := &t.shards[i]
		s.mu.Lock()
		n += s.used - s.long
		s.mu.Unlock()
	}
	return n
}

// forNew is the part of the budget that popups may be served from. The rest is for
// what has happened: actions, other servers' events, and what a restart brings back,
// whose shards grow in another order and so may need some more than they did.
func (t *Table) forNew() int64 { return t.maxBytes - t.maxBytes/16 }

// growLocked makes slots larger if limit, in bytes of the whole table, allows it.
// Old and new slots both count until what is in them has moved.
func (t *Table) growLocked(s *sorted, limit int64) bool {
	homes, slots := s.next()
	size := footprint(slots)
	if t.bytes.Add(size) > limit {
		t.bytes.Add(-size)
		return false
	}
	old := footprint(len(s.slots))
	s.resize(homes, slots)
	t.bytes.Add(-old)
	return true
}
