package queue

// What events mean to MySQL, for one user and one impression. Frames are in the order
// they are committed in, whichever server sent them: a click may come after the reset
// that another server took.

// kind is what the event of a frame is.
type kind uint8

const (
	neutral kind = iota // of somebody else
	click               // on the impression
	release             // of it
	reset               // of the user, after the impression
	kinds
)

// script is the kinds of all frames, by their numbers.
type script [modelFrames + 1]kind

// scripts returns every one of n frames.
func scripts(n uint8) []script {
	all := []script{{}}
	for s := range n {
		var longer []script
		for _, sc := range all {
			for k := range kinds {
				sc[s+1] = k
				longer = append(longer, sc)
			}
		}
		all = longer
	}
	return all
}

// modelUser is what MySQL holds of the user.
type modelUser struct {
	clicks, releases uint8 // that count
	clicked          bool  // the bits of the impression's row
	released         bool
	freed            bool // the wait of the impression is ended by a release
	erased           bool // there is a tombstone
}

// known reports whether MySQL has more of the user than a tombstone.
func (u *modelUser) known() bool { return u.clicked || u.released }

// apply adds an event to what is known of the user.
func (u *modelUser) apply(k kind, v variant) {
	if k == reset {
		*u = modelUser{clicks: u.clicks, releases: u.releases, erased: true}
		return
	}
	if k == neutral || u.erased && !v.noTombstone {
		return
	}
	switch {
	case k == click && (!u.clicked || v.noDedupe):
		u.clicks++
	case k == release && (!u.released || v.noDedupe):
		u.releases++
	}
	u.clicked = u.clicked || k == click
	u.released = u.released || k == release
	switch {
	case v.lastEndsWait:
		u.freed = k == release
	case v.releaseIgnored:
	default:
		u.freed = u.released && !u.clicked
	}
}

// applyBatch adds the events of a transaction.
func (w world) applyBatch(from, to uint8, v variant) world {
	before := w.user
	if v.dedupeInBatch {
		w.user.clicked, w.user.released = false, false
	}
	if v.tombstoneInBatch {
		w.user.erased = false
	}
	for s := from; s <= to; s++ {
		if w.events[s] == applied {
			w.user.apply(w.script[s], v)
		}
	}
	if !w.user.erased {
		w.user.erased = before.erased
		w.user.clicked = w.user.clicked || before.clicked
		w.user.released = w.user.released || before.released
	}
	return w
}

// checkUser holds what MySQL has of the user against the events that are applied.
func (w world) checkUser() string {
	var clicked, released, erased bool
	for s := uint8(1); s < uint8(len(w.events)); s++ {
		if w.events[s] != applied {
			continue
		}
		switch k := w.script[s]; {
		case k == reset:
			erased = true
		case erased:
		case k == click:
			clicked = true
		case k == release:
			released = true
		}
	}
	switch u := w.user; {
	case u.clicks != count(clicked), u.releases != count(released):
		return "an action does not count once"
	case erased && (u.known() || u.freed):
		return "something of before a reset is known"
	case !erased && u.freed != (released && !clicked):
		return "a release ends the wait of what was clicked, or does not end one"
	}
	return ""
}

func count(b bool) uint8 {
	if b {
		return 1
	}
	return 0
}
