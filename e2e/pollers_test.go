//go:build linux

package e2e

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// pollers are users who poll and act through a balancer while servers come and go. When
// they do so is fixed beforehand, whatever the servers do (open loop). They keep books
// of what each of them was shown.
type pollers struct {
	address string // of the balancer
	rate    int    // requests a second
	seen    int    // users who have seen the popup before, see seenUser
	// clients speak TLS to the balancer and take turns; without any, client speaks plain
	// HTTP/1.1.
	clients []*http.Client
	plain   *http.Client // in place of client, if any

	turn     atomic.Uint32
	mu       sync.Mutex
	requests int
	failed   []failedRequest
	shown    map[string]lastShown // by user
	again    []shownAgain
	served   int // popups that were shown
	clicked  int // clicks that were accepted
}

// lastShown is what a user was shown last.
type lastShown struct {
	at      time.Time // of the answer
	token   string
	clicked bool // and the click was accepted
}

// shownAgain is a popup that was shown to a user whom it had been shown before.
type shownAgain struct {
	user   string
	before time.Time // of the answer before; zero: before the pollers began
}

// tally is what the books come to so far.
type tally struct{ requests, failed, popups, again int }

func (p *pollers) tally() tally {
	p.mu.Lock()
	defer p.mu.Unlock()
	return tally{p.requests, len(p.failed), p.served, len(p.again)}
}

type failedRequest struct {
	from, to time.Time
	status   int // 0: there was no answer
	why      string
}

// seenUser returns the name of one of the users who have seen the popup before.
func seenUser(n int) string { return fmt.Sprintf("seen%08d", n) }

// requestsPerUser is how many requests there are for each new user, see request.
const requestsPerUser = 6

// start begins to send requests. stop ends that, and returns when the last is answered.
func (p *pollers) start() (stop func()) {
	ended, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		p.run(ended)
	}()
	return sync.OnceFunc(func() {
		close(ended)
		<-done
	})
}

// run sends requests until stop is closed, and returns when the last is answered.
func (p *pollers) run(stop <-chan struct{}) {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	var underWay sync.WaitGroup
	defer underWay.Wait()
	begun := time.Now()
	for sent := 0; ; {
		select {
		case <-stop:
			return
		case <-tick.C:
		}
		due := int(time.Since(begun).Seconds() * float64(p.rate))
		for n := sent; n < due; n++ {
			underWay.Go(func() { p.request(n) })
		}
		sent = due
	}
}

// request sends request n of all: the first poll of a new user, who polls again after
// 0.4, 0.8 and 1.6 s and clicks after 2 s, or the poll of one who had seen the popup
// before. The click comes last, since it tells the server that takes it of the impression.
func (p *pollers) request(n int) {
	user := func(ago time.Duration) string { // who was new then
		return fmt.Sprint("new", max(0, n-int(ago.Seconds()*float64(p.rate)))/requestsPerUser)
	}
	switch n % requestsPerUser {
	case 0:
		p.poll(user(0))
	case 1:
		p.poll(user(400 * time.Millisecond))
	case 2:
		p.poll(user(800 * time.Millisecond))
	case 3:
		p.pollPost(user(1600 * time.Millisecond))
	case 4:
		p.click(user(2 * time.Second))
	case 5:
		p.poll(seenUser(n * 7919 % p.seen)) // in no order
	}
}

func (p *pollers) poll(user string) {
	body, ok := p.send(http.MethodGet, "/v1/poll?uid="+user, nil)
	if !ok || len(body) == 0 {
		return
	}
	var answer pollAnswer
	_ = json.Unmarshal(body, &answer) // a click without a token is refused, which fails the test
	p.show(user, answer.Token)
}

// pollPost polls as the SDK does: with the user in the query too, for balancers.
func (p *pollers) pollPost(user string) {
	body, _ := json.Marshal(postedPoll{User: user, Placements: []string{"default"}})
	body, ok := p.send(http.MethodPost, "/v1/poll?uid="+user, body)
	if !ok {
		return
	}
	var answer pollAnswers
	if err := json.Unmarshal(body, &answer); err == nil && len(answer.Popups) > 0 {
		p.show(user, answer.Popups[0].Token)
	}
}

// show enters in the books that a user was shown something.
func (p *pollers) show(user, token string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.served++
	if before, known := p.shown[user]; known || strings.HasPrefix(user, "seen") {
		p.again = append(p.again, shownAgain{user, before.at})
	}
	p.shown[user] = lastShown{at: time.Now(), token: token}
}

// click reports a click of a user who has been shown something.
func (p *pollers) click(user string) {
	p.mu.Lock()
	last, shown := p.shown[user]
	p.mu.Unlock()
	if !shown { // the poll failed
		return
	}
	body, _ := json.Marshal(map[string]any{"token": last.token, "action": "click"})
	if _, ok := p.send(http.MethodPost, "/v1/actions?uid="+user, body); ok {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.clicked++
		last.clicked = true
		p.shown[user] = last
	}
}

// clickers is how many users have clicked on what they were shown last: some have clicked
// more than once.
func (p *pollers) clickers() (n int) {
	for _, last := range p.shown {
		if last.clicked {
			n++
		}
	}
	return n
}

// send returns the body of the answer, and false if the request failed.
func (p *pollers) send(method, path string, body []byte) (answer []byte, ok bool) {
	from := time.Now()
	status, answer, err := p.exchange(method, path, body)
	ok = err == nil && status/100 == 2
	p.mu.Lock()
	defer p.mu.Unlock()
	p.requests++
	if !ok {
		p.failed = append(p.failed, failedRequest{from, time.Now(), status, fmt.Sprintf("%s: %d %s %v", path, status, answer, err)})
	}
	return answer, ok
}

func (p *pollers) exchange(method, path string, body []byte) (status int, answer []byte, err error) {
	scheme, sender := "http", cmp.Or(p.plain, client)
	if len(p.clients) > 0 {
		scheme, sender = "https", p.clients[int(p.turn.Add(1))%len(p.clients)]
	}
	req, err := http.NewRequest(method, scheme+"://"+p.address+path, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	resp, err := sender.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	answer, err = io.ReadAll(resp.Body)
	return resp.StatusCode, answer, err
}
