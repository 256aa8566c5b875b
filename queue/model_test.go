package queue

// The model: the protocol of doc.go with everything left out that does not
// decide what is committed and counted. Frames are one event each and numbered from 1; bytes,
// time and SQL are gone; every step that is atomic in the real system is one
// step here, and every order of steps is tried (model_explore_test.go).

const (
	modelFrames = 4 // most frames in the journal
	modelQueue  = 5 // most elements in the Redis list
)

// element is one element of the list: a run of frames of the one stream.
type element uint8

const (
	none    element = 0
	damaged element = 1 << 7
	gapFlag element = 1 << 6
)

func frames(first, last uint8) element { return element(first | last<<3) }
func (e element) first() uint8         { return uint8(e & 7) }
func (e element) last() uint8          { return uint8(e >> 3 & 7) }
func (e element) gap() bool            { return e&gapFlag != 0 }

// fate is what MySQL holds of an event.
type fate uint8

const (
	missing fate = iota
	applied
	declaredLost // a gap row
)

type phase uint8

const (
	// of the shipper
	unregistered phase = iota
	ready
	checking  // has read the head of the list
	deleting  // has found a loss
	finishing // has found that all is committed and nothing can follow
)

const (
	// of a flusher
	lost       phase = iota // does not know the progress
	known                   // knows it, or believes so
	committing              // has a batch
	trimming                // has committed it
)

// world is one state of the whole system. It is a map key.
type world struct {
	// The journal, from the moment that everything is appended: with less the
	// system is that of a smaller journal. What was acknowledged is 1..appended,
	// what is on disk is first..appended, what may be trimmed is 1..ack.
	appended, first, ack uint8
	sealed, removed      bool

	// Redis: the list, and RPUSHes that timed out and may land later.
	list [modelQueue]element
	late [2]element

	// MySQL. high is the highest last there ever was, for the assertions.
	row        bool
	last, high uint8
	events     [modelFrames + 1]fate
	user       modelUser
	restored   bool

	script script // never changes

	ship   modelShipper
	flush  [2]modelFlusher
	faults uint8 // so many have happened
}

type modelShipper struct {
	phase    phase
	sent     uint8
	head     uint8 // first seq of the list's head; 0: empty or unreadable
	progress uint8 // used by one broken variant only
}

type modelFlusher struct {
	phase    phase
	old, new uint8 // the batch is old+1..new
	gaps     uint8 // bits of the seqs in it that are gaps
	holes    uint8 // and of those that are not in it: never, but in a broken variant
	trim     uint8 // elements to trim
}

// variant turns one rule of the protocol off. The zero variant is the protocol.
type variant struct {
	noCompareAndSet    bool // UPDATE ... without AND last_seq = :old
	registerOverwrites bool // Register sets the row of a stream that is known
	registerAtZero     bool // Register ignores what is no longer on disk
	noGapFrame         bool // and nothing is shipped in place of it
	listTrimFirst      bool // LTRIM before COMMIT
	listTrimAll        bool // LTRIM of all that was peeked
	skipHoles          bool // a batch need not be contiguous
	wholeElements      bool // what is already committed of an element is not dropped
	noLossCheck        bool
	checkBackwards     bool // progress before head
	resendFromSent     bool // not from progress+1
	ackWhenShipped     bool // the journal is trimmed once Redis has it
	ackUnknownCommit   bool // a COMMIT without a reply counts as done
	removeWhenShipped  bool // an old stream is deleted once Redis has it
	neverReread        bool // an unknown progress is guessed, not read again

	noDedupe         bool // an action counts as often as it is reported
	dedupeInBatch    bool // but for repeats within one transaction
	noTombstone      bool // what a reset covers is stored as anything else
	tombstoneInBatch bool // but in the transaction of the reset
	lastEndsWait     bool // a release ends the wait that a click asked for
	releaseIgnored   bool // or none
}

// bounds limit what is explored.
type bounds struct {
	frames   uint8
	flushers int
	faults   uint8
	restore  bool // MySQL may be put back to an older state, and segments stay for a while
	quiet    bool // nothing goes wrong, so nothing may ever be resent
	script   script
}

// emit receives a step: its name, the state it leads to, and what it broke ("" = nothing).
type emit func(name string, next world, broke string)

// steps emits every step that the system can take by itself.
func (w world) steps(v variant, b bounds, emit emit) {
	if b.restore && w.ack >= w.first && !w.removed {
		n := w
		n.first = w.ack + 1
		emit("trim segments", n, "")
	}
	if !w.removed {
		w.shipperSteps(v, b, emit)
	}
	for i := range b.flushers {
		w.flusherSteps(i, v, b, emit)
	}
}

func (w world) shipperSteps(v variant, b bounds, emit emit) {
	s := w.ship
	switch s.phase {
	case unregistered:
		emit("register", w.register(v, b), "")
	case ready:
		for _, e := range w.next(v) {
			if n, ok := w.push(e); ok {
				n.ship.sent = e.last()
				if v.ackWhenShipped {
					n = n.acked(e.last(), b)
				}
				emit("ship", n, "")
			}
		}
		n := w
		n.ship.phase = checking
		n.ship.head = w.head()
		if v.checkBackwards {
			n.ship.progress = w.last
		}
		emit("read head", n, "")
	case checking:
		n := w
		if !w.row {
			n.ship = modelShipper{}
			emit("read progress: unknown", n, "")
			return
		}
		p, head := w.last, s.head
		if v.checkBackwards {
			p, head = s.progress, w.head()
		}
		n = n.acked(p, b)
		n.ship = modelShipper{phase: ready, sent: max(s.sent, p)}
		switch {
		case w.sealed && (p >= w.appended || v.removeWhenShipped && s.sent >= w.appended):
			n.ship.phase = finishing
		case p < s.sent && (head == 0 || head > p+1) && !v.noLossCheck:
			n.ship.phase = deleting
			if !v.resendFromSent {
				n.ship.sent = p
			}
		}
		emit("read progress", n, "")
	case deleting:
		n := w
		n.list = [modelQueue]element{}
		n.ship.phase = ready
		broke := ""
		if b.quiet {
			broke = "resent although nothing was lost"
		}
		emit("delete list", n, broke)
	case finishing:
		n := w
		n.removed, n.list, n.ship = true, [modelQueue]element{}, modelShipper{}
		emit("remove stream", n, "")
	}
}

// acked tells the journal that MySQL counts up to last. Where nothing depends
// on segments that stay longer than they must, they go at once.
func (w world) acked(last uint8, b bounds) world {
	w.ack = last
	if !b.restore {
		w.first, w.ack = max(w.first, last+1), 0
	}
	return w
}

// register inserts the progress row if there is none.
func (w world) register(v variant, b bounds) world {
	if !w.row || v.registerOverwrites {
		w.row, w.last = true, w.first-1
		if v.registerAtZero {
			w.last = 0
		}
		for i := uint8(1); i <= w.last; i++ {
			if w.events[i] == missing {
				w.events[i] = declaredLost
			}
		}
		w.high = max(w.high, w.last)
	}
	w.ship = modelShipper{phase: ready, sent: w.last}
	return w.acked(w.last, b)
}

// next returns what the shipper may send now.
func (w world) next(v variant) []element {
	from := w.ship.sent + 1
	if from < w.first {
		if v.noGapFrame {
			return nil
		}
		return []element{frames(from, w.first-1) | gapFlag}
	}
	switch {
	case from+1 <= w.appended:
		return []element{frames(from, from), frames(from, from+1)}
	case from == w.appended:
		return []element{frames(from, from)}
	}
	return nil
}

func (w world) flusherSteps(i int, v variant, b bounds, emit emit) {
	f := w.flush[i]
	set := func(n world, f modelFlusher) world { n.flush[i] = f; return n }
	switch f.phase {
	case lost:
		if w.row {
			emit("flusher reads progress", set(w, modelFlusher{phase: known, old: w.last}), "")
		}
	case known:
		if w.last != f.old && !v.neverReread {
			emit("flusher forgets", set(w, modelFlusher{}), "")
		}
		batch := modelFlusher{phase: committing, old: f.old}
		end, gaps, holes := w.run(f.old, v)
		for batch.new = f.old; batch.new <= end; batch.new++ { // a batch may end early
			batch.gaps, batch.holes = gaps&(2<<batch.new-1), holes&(2<<batch.new-1)
			batch.trim = w.covered(batch.new)
			if v.listTrimAll {
				batch.trim = w.length()
			}
			switch {
			case batch.new > f.old && v.listTrimFirst:
				emit("flusher peeks and trims", set(w.pop(batch.trim), batch), "")
			case batch.new > f.old:
				emit("flusher peeks", set(w, batch), "")
			case batch.trim > 0 && end == f.old:
				emit("flusher peeks, nothing new", set(w, modelFlusher{phase: trimming, old: f.old, trim: batch.trim}), "")
			}
		}
	case committing:
		if !w.row || w.last != f.old && !v.noCompareAndSet {
			emit("flusher conflicts", set(w, modelFlusher{}), "")
			return
		}
		n, broke := w.commit(f, v)
		n = n.acked(f.new, b)
		next := modelFlusher{phase: trimming, old: f.new, trim: f.trim}
		if v.listTrimFirst {
			next = modelFlusher{phase: known, old: f.new}
		}
		emit("flusher commits", set(n, next), broke)
	case trimming:
		emit("flusher trims", set(w.pop(f.trim), modelFlusher{phase: known, old: f.old}), "")
	}
}

// run returns how far the list goes on from old without a hole, and bits of
// those seqs that are gaps.
func (w world) run(old uint8, v variant) (end, gaps, holes uint8) {
	end = old
	for range w.list {
		for _, e := range w.list {
			if e == none || e == damaged || e.last() <= end || e.first() > end+1 && !v.skipHoles {
				continue
			}
			for s := end + 1; s <= e.last(); s++ {
				if s < e.first() {
					holes |= 1 << s
				} else if e.gap() {
					gaps |= 1 << s
				}
			}
			end = e.last()
		}
	}
	return end, gaps, holes
}

// commit applies the batch in one transaction and says what that broke.
func (w world) commit(f modelFlusher, v variant) (world, string) {
	from := f.old + 1
	if v.wholeElements {
		for _, e := range w.list {
			if e != none && e != damaged && e.first() <= f.old && e.last() > f.old {
				from = e.first()
			}
		}
	}
	broke := ""
	for s := from; s <= f.new; s++ {
		switch {
		case w.events[s] != missing:
			broke = "an event was applied twice"
		case s > 1 && w.events[s-1] == missing:
			broke = "an event was applied before the one before it"
		}
		switch {
		case f.gaps&(1<<s) != 0:
			w.events[s] = declaredLost
		case f.holes&(1<<s) == 0:
			w.events[s] = applied
		}
	}
	w = w.applyBatch(from, f.new, v)
	w.last = f.new
	w.high = max(w.high, w.last)
	return w, broke
}

// check returns the invariant that does not hold, of doc.go or of checkUser, or "".
func (w world) check() string {
	for s := uint8(1); s < uint8(len(w.events)); s++ {
		committed := w.row && s <= w.last
		switch e := w.events[s]; {
		case committed != (e != missing):
			return "B: last_seq does not say what was applied"
		case e == declaredLost && !w.restored:
			return "B: an event was declared lost that was not"
		case s < w.first && s > w.high, w.removed && s <= w.appended && s > w.high:
			return "C: a frame left the disk before it was committed"
		case e != missing && s > w.appended:
			return "A: an event was applied that nobody appended"
		}
	}
	return w.checkUser()
}

// goal reports whether everything acknowledged is committed.
func (w world) goal() bool { return w.removed || w.row && w.last == w.appended }

// The list.

func (w world) length() (n uint8) {
	for _, e := range w.list {
		if e != none {
			n++
		}
	}
	return n
}

func (w world) head() uint8 {
	if w.list[0] == damaged {
		return 0
	}
	return w.list[0].first()
}

// covered returns how many elements at the front hold nothing beyond last.
func (w world) covered(last uint8) (n uint8) {
	for _, e := range w.list {
		if e == none || e != damaged && e.last() > last {
			break
		}
		n++
	}
	return n
}

func (w world) push(e element) (world, bool) {
	n := w.length()
	if int(n) == len(w.list) {
		return w, false
	}
	w.list[n] = e
	return w, true
}

func (w world) pop(count uint8) world {
	var left [modelQueue]element
	copy(left[:], w.list[min(int(count), len(w.list)):])
	w.list = left
	return w
}
