package snapshot

import (
	"github.com/popupd/popupd/audience"
	"github.com/popupd/popupd/popup"
)

// audienceWords is how many words a set of audiences has.
const audienceWords = (popup.MaxAudiences + 63) / 64

// membership answers in which audiences the user of a request is. Each is looked up at most
// once, when it is asked for, and the user's fingerprint is computed at most once.
type membership struct {
	audiences *audiences     // nil: there are none
	request   *popup.Request // nil: it has not begun
	value     value          // of the attributes that rules ask for

	fingerprint    uint64
	hasFingerprint bool
	candidates     audience.Candidates // of the joint of lists
	hasCandidates  bool

	known, in [audienceWords]uint64 // a bit for each audience, by its number
}

// begin begins with another request. The caller must not copy u afterwards.
func (u *membership) begin(a *audiences, r *popup.Request, nowMS int64) {
	u.audiences, u.request, u.value.nowMS = a, r, nowMS
	u.value.users = u
	u.fingerprint, u.hasFingerprint = r.Fingerprint, r.Fingerprint != 0
	u.hasCandidates = false
	u.known, u.in = [audienceWords]uint64{}, [audienceWords]uint64{}
}

// release forgets the request and the audiences.
func (u *membership) release() {
	u.audiences, u.request, u.value.users = nil, nil, nil
	u.value.release()
}

// isIn reports whether the user is in an audience that can be used.
func (u *membership) isIn(s *userSet) bool {
	at, bit := s.number/64, uint64(1)<<(s.number%64)
	if u.known[at]&bit == 0 {
		u.known[at] |= bit
		if u.lookUp(s) {
			u.in[at] |= bit
		}
	}
	return u.in[at]&bit != 0
}

// lookUp finds out whether the user is in an audience.
func (u *membership) lookUp(s *userSet) bool {
	if s.why != "" {
		return false
	}
	if s.rule != nil {
		return s.rule.match(u.request, &u.value)
	}
	if s.inJoint != 0 && !u.mayBeIn(s.inJoint) {
		return false
	}
	return s.list.Has(u.ofUser())
}

// mayBeIn reports whether the user may be in the list that has this number in the joint.
func (u *membership) mayBeIn(list int) bool {
	if !u.hasCandidates {
		u.candidates, u.hasCandidates = u.audiences.joint.Candidates(u.ofUser()), true
	}
	return u.candidates.Has(list)
}

// ofUser returns the user's fingerprint.
func (u *membership) ofUser() uint64 {
	if !u.hasFingerprint {
		u.fingerprint, u.hasFingerprint = audience.Fingerprint(u.audiences.key, u.request.User), true
	}
	return u.fingerprint
}

// isInAny reports whether the user is in an audience with one of these keys.
func (u *membership) isInAny(keys []string) bool {
	if u == nil {
		return false
	}
	for _, key := range keys {
		if s := u.audiences.find(key); s != nil && u.isIn(s) {
			return true
		}
	}
	return false
}

// Targets reports whether the popup's targeting matches a request, whatever else stops the
// popup. One that names an audience that can't be used is for nobody.
func (s *Snapshot) Targets(p *Popup, r *popup.Request, nowMS int64) bool {
	if len(p.targeting.audiences) > 0 {
		return s.targetsAudiences(p, r, nowMS)
	}
	return p.targeting.match(r, &value{nowMS: nowMS})
}

// targetsAudiences is Targets for a popup that names audiences.
func (s *Snapshot) targetsAudiences(p *Popup, r *popup.Request, nowMS int64) bool {
	if _, why := s.currentAudiences().unusable(p.targeting.audiences...); why != "" {
		return false
	}
	var u membership
	u.begin(s.audiences, r, nowMS)
	return p.targeting.match(r, &u.value)
}
