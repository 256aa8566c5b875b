//go:build linux

package openloop

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
)

// Kind is what a request is about.
type Kind uint8

// Nothing is a poll of a known user, who has seen all: 204. Served is a poll of
// a user not seen before: 200 with a popup. Action is a click on a popup that
// was served earlier in the run: 202. Any other answer is an error.
const (
	Nothing Kind = iota
	Served
	Action
	numKinds
)

func (k Kind) String() string { return [...]string{"nothing", "served", "action"}[k] }

var wantStatus = [numKinds]int{204, 200, 202}

// Mix is how many of each kind there are among their sum.
type Mix [numKinds]int

// ParseMix reads "NOTHING,SERVED,ACTION", such as 90,8,2.
func ParseMix(text string) (Mix, error) {
	var m Mix
	parts := strings.Split(text, ",")
	if len(parts) != len(m) {
		return m, fmt.Errorf("mix %q: want NOTHING,SERVED,ACTION such as 90,8,2", text)
	}
	for i, part := range parts {
		n, err := strconv.Atoi(strings.TrimSpace(part))
		if err != nil {
			return m, fmt.Errorf("mix %q: %w", text, err)
		}
		m[i] = n
	}
	return m, m.validate()
}

func (m Mix) String() string { return fmt.Sprintf("%d,%d,%d", m[Nothing], m[Served], m[Action]) }

func (m Mix) sum() int { return m[Nothing] + m[Served] + m[Action] }

func (m Mix) validate() error {
	if min(m[Nothing], m[Served], m[Action]) < 0 || m.sum() == 0 {
		return fmt.Errorf("mix %v: want shares of 0 or more, not all 0", m)
	}
	if m[Action] > m[Served] {
		return errors.New("mix: more actions than popups served: an action needs a token of its own")
	}
	return nil
}

const pollPath = "/v1/poll"

// maxUsers is what the seven digits of a known user's name can tell apart.
const maxUsers = 10_000_000

// scenario makes requests. They are put together once; of a poll only the
// digits of the user's name are written anew.
type scenario struct {
	mix    Mix
	users  int
	random *rand.Rand

	known, fresh     []byte // requests
	knownAt, freshAt int    // where in them the digits of the user end
	nextFresh        uint64
	actionHead       []byte // of a POST, up to the value of Content-Length
	action, body     []byte // the last action
	tokens           tokens
}

func newScenario(c *Config) *scenario {
	s := &scenario{mix: c.Mix, users: c.Users, random: rand.New(rand.NewPCG(c.Seed, 2))}
	tail := fmt.Sprintf(" HTTP/1.1\r\nHost: %s\r\n", c.Address)
	if c.Close {
		tail += "Connection: close\r\n"
	}
	poll := func(path, user string, digits int) (request []byte, at int) {
		head := "GET " + path + "?uid=" + user + strings.Repeat("0", digits)
		return []byte(head + "&placement=home&platform=ios&app_version=3.2.1&locale=zh-CN&country=CN" + tail + "\r\n"), len(head)
	}
	s.known, s.knownAt = poll(pollPath, "user-", 7)
	s.fresh, s.freshAt = poll(c.Served, c.Fresh+"-", 9)
	s.actionHead = []byte("POST /v1/actions" + tail + "Content-Type: text/plain\r\nContent-Length: ")
	return s
}

// next renders the next request; it is valid until the one after it. An action
// for which there is no token yet becomes a served one: the first of a run.
func (s *scenario) next() (Kind, []byte) {
	n := s.random.IntN(s.mix.sum()) - s.mix[Nothing]
	switch {
	case n < 0:
		patch(s.known[:s.knownAt], uint64(s.random.IntN(s.users)))
		return Nothing, s.known
	case n < s.mix[Served] || s.tokens.used == 0:
		patch(s.fresh[:s.freshAt], s.nextFresh)
		s.nextFresh++
		return Served, s.fresh
	}
	s.body = append(s.body[:0], `{"token":"`...)
	s.body = append(s.body, s.tokens.pop()...)
	s.body = append(s.body, `","action":"click"}`...)
	s.action = append(s.action[:0], s.actionHead...)
	s.action = strconv.AppendInt(s.action, int64(len(s.body)), 10)
	s.action = append(s.action, "\r\n\r\n"...)
	s.action = append(s.action, s.body...)
	return Action, s.action
}

// patch writes n over the digits at the end of b, and zeros before it.
func patch(b []byte, n uint64) {
	for i := len(b) - 1; i >= 0 && b[i] >= '0' && b[i] <= '9'; i-- {
		b[i] = byte('0' + n%10)
		n /= 10
	}
}

var (
	tokenField = []byte(`"token":"`)
	recorded   = []byte(`{"accepted":1,"rejected":[]}`)
)

// check holds an answer against what its request should get, and keeps the
// token of a popup for an action.
func (s *scenario) check(k Kind, a answer) bool {
	if a.status != wantStatus[k] {
		return false
	}
	switch k {
	case Nothing:
		return len(a.body) == 0
	case Action:
		return bytes.Equal(a.body, recorded)
	}
	at := bytes.Index(a.body, tokenField)
	if at < 0 {
		return false
	}
	token, _, ok := bytes.Cut(a.body[at+len(tokenField):], []byte{'"'})
	if !ok {
		return false
	}
	if s.mix[Action] > 0 {
		s.tokens.push(token)
	}
	return true
}

// tokens is a queue of at most maxTokens tokens: beyond that new ones are
// dropped, as more are served than clicked.
type tokens struct {
	slots       [][]byte
	first, used int
}

const maxTokens = 1 << 14

func (t *tokens) push(token []byte) {
	if t.slots == nil {
		t.slots = make([][]byte, maxTokens)
	}
	if t.used == maxTokens {
		return
	}
	slot := &t.slots[(t.first+t.used)%maxTokens]
	*slot = append((*slot)[:0], token...)
	t.used++
}

// pop returns the oldest token; it is valid until the next push.
func (t *tokens) pop() []byte {
	token := t.slots[t.first]
	t.first = (t.first + 1) % maxTokens
	t.used--
	return token
}
