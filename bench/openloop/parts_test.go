//go:build linux

package openloop

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"
)

func TestArrivals(t *testing.T) {
	constant := newArrivals(50_000, false, 0)
	for n := range 3_000_000 { // a minute of them
		if got, want := constant.next(), time.Duration(n)*20*time.Microsecond; got != want {
			t.Fatalf("constant arrival %d at %v, want %v", n, got, want)
		}
	}
	a, b, other := newArrivals(1000, true, 1), newArrivals(1000, true, 1), newArrivals(1000, true, 2)
	const n = 100_000
	var last time.Duration
	var squares float64
	same := 0
	for range n {
		at := a.next()
		if again := b.next(); again != at {
			t.Fatalf("the same seed gives %v and %v", at, again)
		}
		if other.next() == at {
			same++
		}
		if at < last {
			t.Fatalf("%v comes after %v", at, last)
		}
		squares += math.Pow((at - last).Seconds(), 2)
		last = at
	}
	if same > n/1000 {
		t.Errorf("%d of %d arrivals are those of another seed", same, n)
	}
	if mean := last.Seconds() / n; math.Abs(mean-0.001) > 0.00002 {
		t.Errorf("mean distance %v s, want 0.001", mean)
	}
	// Of an exponential distribution the mean square is twice the squared mean.
	if got := squares / n * 1e6; math.Abs(got-2) > 0.1 {
		t.Errorf("mean square %v ms2, want 2", got)
	}
}

func TestMix(t *testing.T) {
	m, err := ParseMix("90, 8,2")
	if err != nil || m != (Mix{90, 8, 2}) || m.String() != "90,8,2" {
		t.Errorf("mix = %v, %v", m, err)
	}
	for _, text := range []string{"", "90,8", "90,8,2,1", "a,b,c", "0,0,0", "-1,2,3", "90,2,8"} {
		if m, err := ParseMix(text); err == nil {
			t.Errorf("mix %q is %v", text, m)
		}
	}
	c := Config{Mix: m, Users: 1000, Fresh: "new", Served: "/show", Seed: 7}
	s, counts, users := newScenario(&c), [numKinds]int{}, map[string]bool{}
	const n = 100_000
	for range n {
		k, request := s.next()
		counts[k]++
		_, user, _ := strings.Cut(string(request), "uid=")
		user, _, _ = strings.Cut(user, "&")
		if path := map[Kind]string{Nothing: "GET /v1/poll?", Served: "GET /show?", Action: "POST /v1/actions "}[k]; !strings.HasPrefix(string(request), path) {
			t.Fatalf("%v: %q, want %q", k, request, path)
		}
		switch k {
		case Nothing:
			if len(user) != len("user-0000000") || user > "user-0000999" {
				t.Fatalf("known user %q", user)
			}
		case Served:
			if users[user] || len(user) != len("new-000000000") {
				t.Fatalf("new user %q", user)
			}
			users[user] = true
			s.check(k, answer{status: 200, body: []byte(`{"token":"v1.` + user + `"}`)})
		case Action:
			if !strings.Contains(string(request), "Content-Length: 45\r\n\r\n"+`{"token":"v1.new-`) {
				t.Fatalf("action %q", request)
			}
		}
	}
	for k, want := range m {
		if got := 100 * float64(counts[k]) / n; math.Abs(got-float64(want)) > 0.5 {
			t.Errorf("%.2f %% of %v, want %d", got, Kind(k), want)
		}
	}
}

func TestCheck(t *testing.T) {
	c := Config{Mix: Mix{0, 1, 1}, Users: 1}
	s := newScenario(&c)
	for name, c := range map[string]struct {
		kind Kind
		a    answer
		want bool
	}{
		"nothing":          {Nothing, answer{status: 204}, true},
		"served a known":   {Nothing, answer{status: 200, body: []byte(`{"token":"a"}`)}, false},
		"served":           {Served, answer{status: 200, body: []byte(`{"popup":{},"token":"a"}`)}, true},
		"not served":       {Served, answer{status: 204}, false},
		"without a token":  {Served, answer{status: 200, body: []byte(`{"popup":{}}`)}, false},
		"token goes on":    {Served, answer{status: 200, body: []byte(`{"token":"a`)}, false},
		"recorded":         {Action, answer{status: 202, body: []byte(`{"accepted":1,"rejected":[]}`)}, true},
		"partly recorded":  {Action, answer{status: 202, body: []byte(`{"accepted":0}`)}, false},
		"recorded nothing": {Action, answer{status: 202}, false},
		"not recorded":     {Action, answer{status: 503}, false},
		"refused a token":  {Action, answer{status: 401}, false},
		"nothing, but 200": {Nothing, answer{status: 200}, false},
	} {
		if got := s.check(c.kind, c.a); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
	if s.tokens.used != 1 || string(s.tokens.pop()) != "a" {
		t.Errorf("tokens %+v, want a", s.tokens)
	}
}

func TestTokensAreAQueue(t *testing.T) {
	var q tokens
	for n := range maxTokens + 10 {
		q.push([]byte{byte(n), byte(n >> 8)})
	}
	for n := range maxTokens {
		if got := q.pop(); got[0] != byte(n) || got[1] != byte(n>>8) {
			t.Fatalf("token %d is %v", n, got)
		}
	}
	if q.used != 0 {
		t.Errorf("%d left", q.used)
	}
}

func TestQueue(t *testing.T) {
	var q queue[int]
	in, out := 0, 0
	for round := range 5000 {
		for range round % 7 {
			q.push(in)
			in++
		}
		for q.len() > 0 && (round%11 != 0 || q.len() > 3) {
			if got := q.pop(); got != out {
				t.Fatalf("pop = %d, want %d", got, out)
			}
			out++
		}
	}
	if cap(q.items) > 8192 {
		t.Errorf("a queue of a few grew to %d", cap(q.items))
	}
	q = queue[int]{items: []int{1, 2, 3, 2}, first: 1}
	q.remove(3)
	q.remove(1) // not in it any more
	if q.len() != 2 || q.pop() != 2 || q.pop() != 2 {
		t.Error("remove took the wrong item")
	}
}

func TestParse(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want string // of the body; "partial", "malformed"
		code int
	}{
		"no content":      {"HTTP/1.1 204 No Content\r\nPopup-Next-Poll: 30\r\n\r\n", "", 204},
		"body":            {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "hello", 200},
		"case and spaces": {"HTTP/1.1 200 OK\r\nCONTENT-LENGTH:   5 \r\nX: content-length: 9\r\n\r\nhello", "hello", 200},
		"empty":           {"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n", "", 202},
		"no length":       {"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello", "malformed", 0},
		"chunked":         {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "malformed", 0},
		"bad length":      {"HTTP/1.1 200 OK\r\nContent-Length: 5x\r\n\r\nhello", "malformed", 0},
		"huge length":     {"HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\n", "malformed", 0},
		"longer length":   {"HTTP/1.1 200 OK\r\nContent-Length: 9999999999\r\n\r\n", "malformed", 0},
		"no length value": {"HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n", "malformed", 0},
		"bad status":      {"HTTP/1.1 2xx OK\r\n\r\n", "malformed", 0},
		"short status":    {"HTTP/1.1 2\r\n\r\n", "malformed", 0},
		"HTTP/1.0":        {"HTTP/1.0 204 No Content\r\n\r\n", "malformed", 0},
		"something else":  {"hello", "malformed", 0},
		"body goes on":    {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell", "partial", 0},
		"head goes on":    {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n", "partial", 0},
		"nothing yet":     {"", "partial", 0},
	} {
		a, size, err := parse([]byte(c.text + "rest")[:len(c.text)])
		switch {
		case c.want == "partial" || c.want == "malformed":
			if want := map[string]error{"partial": errPartial, "malformed": errMalformed}[c.want]; !errors.Is(err, want) {
				t.Errorf("%s: error %v, want %v", name, err, want)
			}
		case err != nil || string(a.body) != c.want || a.status != c.code || size != len(c.text):
			t.Errorf("%s: %d %q, size %d, %v; want %d %q, size %d", name, a.status, a.body, size, err, c.code, c.want, len(c.text))
		default:
			for n := range c.text {
				if _, _, err := parse([]byte(c.text[:n])); err != errPartial {
					t.Errorf("%s: of %q error %v, want that it goes on", name, c.text[:n], err)
				}
			}
		}
	}
	for text, want := range map[string]bool{"Connection: close": true, "connection:Close ": true, "Connection: keep-alive": false, "X-Connection: close": false} {
		if a, _, err := parse([]byte("HTTP/1.1 204 No Content\r\n" + text + "\r\n\r\n")); err != nil || a.close != want {
			t.Errorf("%q: close = %v, %v", text, a.close, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("HTTP/1.1 204 No Content\r\nPopup-Next-Poll: 30\r\n\r\n")
	f.Add("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello")
	f.Fuzz(func(t *testing.T, text string) {
		a, size, err := parse([]byte(text))
		if err != nil {
			return
		}
		if size > len(text) || a.status < 0 || a.status > 999 || !strings.HasSuffix(text[:size], string(a.body)) {
			t.Errorf("%d %q, size %d of %d", a.status, a.body, size, len(text))
		}
		if again, n, err := parse([]byte(text[:size])); err != nil || n != size || again.status != a.status {
			t.Errorf("alone it is %v, %d, %v", again, n, err)
		}
	})
}
