package handler

import (
	"bufio"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/valyala/fasthttp"
	"github.com/valyala/fasthttp/fasthttputil"

	"github.com/popupd/popupd/frequency"
	"github.com/popupd/popupd/popup"
)

// exchange is a kind of request, for what is measured: allocations and time.
type exchange struct {
	name   string
	status int
	change func(*Config)
	specs  []string
	// request returns the i-th request as bytes on the wire; nil: always the same.
	request func(f *fixture, i int) string
}

const (
	everyTime = `"frequency":{"after_impression_sec":0,"after_click_sec":0}`
	pollLine  = "GET /v1/poll?uid=u-12345678&placement=default&platform=ios&app_version=3.2.1&locale=zh-CN&country=CN&a.plan=pro%20plus"
	hostLine  = "\r\nHost: popupd.test\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\nAccept: */*\r\nOrigin: https://shop.example\r\n"
)

// everyCondition holds for the polls below, whose address is peerAddr or none of TCP.
const everyCondition = `,"schedule":{"user_time":true,"days":["thu"],"hours":[["00:00","24:00"]]},"targeting":{"all":[{"attr":"tag","op":"eq","value":"a","ignore_case":true},
	{"attr":"tag","op":"not_in","value":["c"]},{"attr":"since","op":"before","value":"2025-10-09"},{"attr":"since","op":"newer_than","value":"30d"},
	{"attr":"app_version","op":"semver_eq","value":"3.2.1"},{"attr":"path","op":"matches","value":"^/[a-zA-Z]+/[0-9]+$"},{"attr":"path","op":"contains","value":"CART","ignore_case":true}],
	"any":[{"attr":"ip","op":"in_cidr","value":"192.0.2.0/24"},{"attr":"ip","op":"not_exists"}]}`

const pollBody = `{"uid":"u-12345678","placements":["default"],"platform":"ios","app_version":"3.2.1","locale":"zh-CN","country":"CN","attributes":{"plan":"pro plus"}}`

func postPoll(body func(f *fixture, i int) string) func(*fixture, int) string {
	return func(f *fixture, i int) string { return strings.Replace(post(body)(f, i), actionsPath, pollPath, 1) }
}

func get(target string) func(*fixture, int) string {
	return func(*fixture, int) string { return "GET " + target + " HTTP/1.1" + hostLine + "\r\n" }
}

func post(body func(f *fixture, i int) string) func(*fixture, int) string {
	return func(f *fixture, i int) string {
		b := body(f, i)
		return fmt.Sprintf("POST /v1/actions?uid=u HTTP/1.1%sContent-Type: text/plain;charset=UTF-8\r\nContent-Length: %d\r\n\r\n%s", hostLine, len(b), b)
	}
}

// click returns a click on the i-th impression of a popup.
func click(f *fixture, i int, user string) string {
	return fmt.Sprintf(`{"token":"%s","action":"click"}`, tokenOf(f, i, user))
}

// clickForm is click as a form.
func clickForm(f *fixture, i int, user string) string {
	return "action=click&token=" + tokenOf(f, i, user)
}

// tokenOf returns the token of the i-th impression of a popup.
func tokenOf(f *fixture, i int, user string) string {
	t := token{user: []byte(user), popup: 1, version: 1, variant: []byte("a"), servedAtMS: startMS + int64(i)*1000}
	return string(mustKeyring(f, "secret").append(nil, &t))
}

func postForm(body func(f *fixture, i int) string) func(*fixture, int) string {
	return func(f *fixture, i int) string {
		return strings.Replace(post(body)(f, i), "text/plain;charset=UTF-8", "application/x-www-form-urlencoded", 1)
	}
}

// purchase is a popup with a goal.
const purchase = `"goal":{"event":"purchase"}`

// expose makes known that all popups were served to a user.
func expose(f *fixture, user string) {
	for id := range uint32(3) {
		f.config.Users.Restore([]byte(user), id+1, popup.State{ServedAtMS: startMS, AtMS: startMS, Last: popup.Impression})
	}
}

func postEvent(body func(f *fixture, i int) string) func(*fixture, int) string {
	return func(f *fixture, i int) string {
		return strings.Replace(post(body)(f, i), "/v1/actions", "/v1/events", 1)
	}
}

func exchanges() []exchange {
	poll := func(*fixture, int) string { return pollLine + " HTTP/1.1" + hostLine + "\r\n" }
	always := func(body string) func(*fixture, int) string {
		return post(func(*fixture, int) string { return body })
	}
	asks := func(body string) func(*fixture, int) string {
		return postPoll(func(*fixture, int) string { return body })
	}
	refuses := func(c *Config) { c.Journal = refusing{} }
	enforce := func(c *Config) {
		c.Identity, c.IdentitySecrets = IdentityEnforce, [][]byte{[]byte("id secret"), []byte("older")}
	}
	return []exchange{
		{"nothing to show", 204, nil, []string{`"targeting":{"all":[{"attr":"plan","op":"eq","value":"free"}]}`}, poll},
		{"cooling down", 204, nil, []string{""}, poll},
		{"served", 200, nil, []string{everyTime}, poll},
		{"served in the user's language", 200, nil, []string{everyTime + `,"variants":[{"translations":{"zh-Hans":{"title":"你好"}}}]`}, poll},
		{"served under caps", 200, underCaps(roomy, everyTime), nil, poll},
		{"cooling down under caps", 204, underCaps(roomy, ""), nil, poll},
		{"stopped by a cap", 204, underCaps(oneADay, everyTime), nil, poll},
		{"cooling down, held", 204, heldOnly, []string{""}, poll},
		{"served, held", 200, heldOnly, []string{everyTime}, poll},
		{"served to who had another id, both held", 200, heldOnly, []string{everyTime}, get("/v1/poll?uid=u&prior_uid=v")},
		{"clicked, held", 202, heldOnly, []string{everyTime}, post(func(f *fixture, i int) string { return click(f, i, "u") })},
		{"served, signed", 200, enforce, []string{everyTime}, get("/v1/poll?uid=u&sig=" + sign("id secret", "u"))},
		{"served, signed with the older key", 200, enforce, []string{everyTime}, get("/v1/poll?uid=u&sig=" + sign("older", "u"))},
		{"served, one origin listed", 200, func(c *Config) { c.AllowOrigins = []string{"https://shop.example"} }, []string{everyTime}, poll},
		{"served, origins listed", 200, func(c *Config) { c.AllowOrigins = []string{"https://a.example", "https://shop.example"} }, []string{everyTime}, poll},
		{"origin not allowed", 403, func(c *Config) { c.AllowOrigins = []string{"https://a.example"} }, []string{everyTime}, poll},
		{"prefetch", 204, nil, []string{everyTime}, func(*fixture, int) string { return pollLine + " HTTP/1.1" + hostLine + "Sec-Purpose: prefetch\r\n\r\n" }},
		{"served, new ids limited", 200, func(c *Config) { c.NewIDsPerClient = 1 }, []string{everyTime}, poll},
		{"new ids over the limit", 204, func(c *Config) { c.NewIDsPerClient = 0.001 }, []string{everyTime}, func(_ *fixture, i int) string {
			return fmt.Sprintf("GET /v1/poll?uid=%d HTTP/1.1%s\r\n", i, hostLine)
		}},
		{"new ids limited behind a proxy", 200, func(c *Config) {
			c.NewIDsPerClient, c.TrustedProxies = 1, []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0")}
		}, []string{everyTime}, func(*fixture, int) string {
			return pollLine + " HTTP/1.1" + hostLine + "X-Forwarded-For: 203.0.113.9, [2001:db8::1]:4711\r\n\r\n"
		}},
		{"served to who had another id", 200, nil, []string{everyTime}, get("/v1/poll?uid=u&prior_uid=v")},
		{"served, with a rid", 200, nil, []string{everyTime}, func(_ *fixture, i int) string { return get(fmt.Sprintf("/v1/poll?uid=u&rid=request-%d", i))(nil, 0) }},
		{"served again", 200, nil, []string{everyTime}, get("/v1/poll?uid=u&rid=the-same-request")},
		{"served several again", 200, nil, []string{everyTime, everyTime + `,"placements":["top"]`}, asks(`{"uid":"u","rid":"the-same-request","placements":["top","default"]}`)},
		{"invalid rid", 400, nil, nil, get("/v1/poll?uid=u&rid=short")},
		{"invalid prior uid", 400, nil, nil, get("/v1/poll?uid=u&prior_uid=u")},
		{"served to a POST", 200, nil, []string{everyTime}, asks(pollBody)},
		{"nothing to show to a POST", 200, nil, []string{`"targeting":{"all":[{"attr":"plan","op":"eq","value":"free"}]}`}, asks(pollBody)},
		{"served in several placements", 200, nil, []string{everyTime, everyTime + `,"placements":["top","side"]`, everyTime + `,"placements":["side"]`},
			asks(`{"uid":"u","placements":["side","top","default","nowhere"],"attributes":{"n":-1.5e3,"yes":true,"no":null},"trigger":"load"}`)},
		{"served to a signed POST with escapes", 200, enforce, []string{everyTime}, asks(`{"\u0075id":"\u0075","attributes":{"\n":"\\"},"sig":"` + sign("id secret", "u") + `"}`)},
		{"served, with triggers", 200, nil, []string{everyTime, `"trigger":"exit"`}, poll},
		{"nothing to show, with triggers", 204, nil, []string{`"trigger":"exit"`, `"trigger":"scroll:50"`}, poll},
		{"served to a POST, with triggers", 200, nil, []string{everyTime + `,"trigger":"exit","placements":["top"]`, `"trigger":"delay:5","placements":["side","top"]`},
			asks(`{"uid":"u","placements":["side","top"],"trigger":"exit","path":"/cart"}`)},
		{"popups withdrawn", 200, nil, []string{everyTime, `"status":"paused"`}, postPoll(func(f *fixture, i int) string {
			t := token{user: []byte("u"), popup: 2, version: 1, variant: []byte("a"), servedAtMS: startMS}
			return fmt.Sprintf(`{"uid":"u","showing":[%q,"x",%q]}`, mustKeyring(f, "secret").append(nil, &t), tokenOf(f, i, "u"))
		})},
		{"POST, journal refuses", 200, refuses, []string{everyTime}, asks(pollBody)},
		{"POST, malformed json", 400, nil, nil, asks("{")},
		{"POST, malformed", 400, nil, nil, asks(`{"uid":"u","uid":"v"}`)},
		{"POST, invalid placements", 400, nil, nil, asks(`{"uid":"u","placements":["a","a"]}`)},
		{"POST, invalid attribute", 400, nil, nil, asks(`{"uid":"u","attributes":{"tags":[["a"]]}}`)},
		{"served, with every kind of condition", 200, nil, []string{everyTime + everyCondition},
			get("/v1/poll?uid=u&tz=Asia%2FShanghai&a.tag=b&a.tag=A&a.since=2025-10-08T08:00:00Z&app_version=3.2.1&path=%2FCart%2F7")},
		{"served to a POST, with every kind of condition", 200, nil, []string{everyTime + everyCondition},
			asks(`{"uid":"u","tz":"Asia/Shanghai","attributes":{"tag":["b","A"],"since":"2025-10-08T08:00:00Z"},"app_version":"3.2.1","path":"\u002fCart/7"}`)},
		{"POST, invalid showing", 400, nil, nil, asks(`{"uid":"u","showing":7}`)},
		{"POST, wrong signature", 401, enforce, nil, asks(`{"uid":"u","sig":"00"}`)},
		{"POST, too large", 413, nil, nil, asks(strings.Repeat(" ", maxPollBody) + "{}")},
		{"actions over the limit", 429, func(c *Config) { c.ActionsPerClient = 0.001 }, []string{""}, post(func(f *fixture, i int) string { return click(f, i, "u") })},
		{"control", 204, nil, []string{everyTime + `,"variants":[{"key":"none","control":true}]`}, poll},
		{"poll, journal refuses", 204, refuses, []string{everyTime}, poll},
		{"memory is full", 204, func(c *Config) { c.Users = frequency.New(frequency.Config{MaxBytes: 1}) }, []string{""}, poll},
		{"action", 202, nil, []string{""}, post(func(f *fixture, i int) string { return click(f, i, "u") })},
		{"action repeated", 202, nil, []string{""}, post(func(f *fixture, _ int) string { return click(f, 0, "u") })},
		{"action with escapes", 202, nil, []string{""}, post(func(f *fixture, i int) string { return strings.Replace(click(f, i, "u"), "v1", `\u0076\u0031`, 1) })},
		{"action as a form", 202, nil, []string{""}, postForm(func(f *fixture, i int) string { return clickForm(f, i, "u") })},
		{"action as a form with escapes", 202, nil, []string{""}, postForm(func(f *fixture, i int) string { return strings.Replace(clickForm(f, i, "u"), "v1", "%761", 1) })},
		{"action with an age", 202, nil, []string{""}, post(func(f *fixture, i int) string { return strings.Replace(click(f, i, "u"), "{", `{"age_ms":500,`, 1) })},
		{"view", 202, nil, []string{""}, post(func(f *fixture, i int) string { return strings.Replace(click(f, i, "u"), "click", "view", 1) })},
		{"release", 202, nil, []string{""}, post(func(f *fixture, i int) string { return strings.Replace(click(f, i, "u"), "click", "release", 1) })},
		{"late release", 202, nil, []string{""}, post(func(f *fixture, i int) string { return strings.Replace(click(f, i-1000, "u"), "click", "release", 1) })},
		{"malformed age", 400, nil, []string{""}, post(func(f *fixture, i int) string { return strings.Replace(click(f, i, "u"), "{", `{"age_ms":0.5,`, 1) })},
		{"malformed form", 400, nil, nil, postForm(func(*fixture, int) string { return "token=%zz&action=click" })},
		{"action, journal refuses", 503, refuses, []string{""}, post(func(f *fixture, i int) string { return click(f, i, "u") })},
		{"array of actions", 202, nil, []string{""}, post(func(f *fixture, i int) string {
			return "[" + click(f, i, "u") + "," + click(f, i, "v") + `,{"token":"x","action":"click"},7]`
		})},
		{"event", 202, nil, []string{purchase}, postEvent(func(f *fixture, i int) string {
			expose(f, fmt.Sprint("u", i))
			return fmt.Sprintf(`{"uid":"u%d","event":"purchase"}`, i)
		})},
		{"event again", 202, nil, []string{purchase}, postEvent(func(f *fixture, _ int) string { expose(f, "u"); return `{"uid":"u","event":"purchase"}` })},
		{"event, signed", 202, enforce, []string{purchase}, postEvent(func(f *fixture, _ int) string {
			expose(f, "u")
			return `{"sig":"` + sign("id secret", "u") + `","uid":"u","event":"purchase"}`
		})},
		{"event, wrong signature", 401, enforce, []string{purchase}, postEvent(func(*fixture, int) string { return `{"uid":"u","event":"purchase","sig":"00"}` })},
		{"event that is no goal", 202, nil, []string{purchase}, postEvent(func(*fixture, int) string { return `{"uid":"u","event":"visit"}` })},
		{"event of nobody", 202, nil, []string{purchase}, postEvent(func(*fixture, int) string { return `{"uid":"nobody","event":"purchase"}` })},
		{"events with escapes", 202, nil, []string{purchase, purchase, purchase}, postEvent(func(f *fixture, _ int) string {
			expose(f, "u")
			return `[{"uid":"\u0075","event":"purchase"},{"uid":"u","event":"Purchase"},7,{"uid":"","event":"a"}]`
		})},
		{"event as a form", 202, nil, []string{purchase}, func(f *fixture, _ int) string {
			expose(f, "u")
			return strings.Replace(postForm(func(*fixture, int) string { return "uid=u&event=%70urchase" })(f, 0), "/v1/actions", "/v1/events", 1)
		}},
		{"malformed event", 400, nil, nil, postEvent(func(*fixture, int) string { return `{"uid":"u","uid":"u","event":"a"}` })},
		{"event, journal refuses", 503, refuses, []string{purchase}, postEvent(func(f *fixture, _ int) string { expose(f, "u"); return `{"uid":"u","event":"purchase"}` })},
		{"events over the limit", 429, func(c *Config) { c.ActionsPerClient = 0.001 }, nil, postEvent(func(*fixture, int) string { return `{"uid":"u","event":"a"}` })},
		{"not ready", 503, func(c *Config) { c.Ready = func() bool { return false } }, nil, poll},
		{"no uid", 400, nil, nil, get("/v1/poll")},
		{"broken query", 400, nil, nil, get("/v1/poll?uid=%zz")},
		{"too many attributes", 400, nil, nil, get("/v1/poll?uid=u" + attrs(33))},
		{"wrong signature", 401, enforce, nil, get("/v1/poll?uid=u&sig=00")},
		{"malformed json", 400, nil, nil, always("{")},
		{"malformed action", 400, nil, nil, always("{}")},
		{"unknown action", 400, nil, nil, always(`{"token":"x","action":"smile"}`)},
		{"too many actions", 400, nil, nil, always("[" + strings.Repeat("1,", 60) + "1]")},
		{"forged token", 401, nil, nil, always(`{"token":"v1.x","action":"click"}`)},
		{"expired token", 410, nil, nil, post(func(f *fixture, _ int) string { return click(f, -1_000_000, "u") })},
		{"wrong type", 415, nil, nil, func(*fixture, int) string {
			return "POST /v1/actions HTTP/1.1" + hostLine + "Content-Type: text/html\r\nContent-Length: 0\r\n\r\n"
		}},
		{"compressed", 415, nil, nil, func(*fixture, int) string {
			return "POST /v1/actions HTTP/1.1" + hostLine + "Content-Encoding: gzip\r\nContent-Length: 0\r\n\r\n"
		}},
		{"not found", 404, nil, nil, get("/nothing")},
		{"wrong method", 405, nil, nil, func(*fixture, int) string { return "DELETE /v1/poll HTTP/1.1" + hostLine + "\r\n" }},
		{"unknown method", 405, nil, nil, func(*fixture, int) string { return "BREW /v1/poll HTTP/1.1" + hostLine + "\r\n" }},
		{"head", 405, nil, nil, func(*fixture, int) string { return "HEAD /v1/poll?uid=u HTTP/1.1" + hostLine + "\r\n" }},
		{"preflight", 204, nil, nil, func(*fixture, int) string { return "OPTIONS /v1/actions HTTP/1.1" + hostLine + "\r\n" }},
		{"preflight of what a wrapper of fetch sends", 204, nil, nil, func(*fixture, int) string {
			return "OPTIONS /v1/poll HTTP/1.1" + hostLine + "Access-Control-Request-Headers: traceparent,sentry-trace,x-requested-with\r\n\r\n"
		}},
	}
}

// refusing refuses everything.
type refusing struct{}

func (refusing) Append([]popup.Event) error { return errFull }

// server returns the server that the exchange is with, and n requests. Between
// two of them a second must pass, so that no impression is that of another.
func (e *exchange) server(t testing.TB, n int) (*fixture, []string) {
	t.Helper()
	f := newServer(t, func(c *Config) {
		c.Journal = noJournal{}
		if e.change != nil {
			e.change(c)
		}
	}, e.specs...)
	requests := make([]string, n)
	for i := range requests {
		requests[i] = e.request(f, i)
	}
	return f, requests
}

// newContext returns a context with a request from bytes on the wire, as the
// handler gets it.
func newContext(t testing.TB, raw string) *fasthttp.RequestCtx {
	t.Helper()
	ctx := new(fasthttp.RequestCtx)
	ctx.Init2(peer{}, nil, false)
	if err := ctx.Request.Read(bufio.NewReader(strings.NewReader(raw))); err != nil {
		t.Fatalf("%q: %v", raw, err)
	}
	ctx.URI() // parsed before the handler is called
	return ctx
}

// peer is a connection of which only the addresses are asked.
type peer struct{ net.Conn }

func (peer) LocalAddr() net.Addr  { return peerAddr }
func (peer) RemoteAddr() net.Addr { return peerAddr }

var peerAddr net.Addr = &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 4321}

// roundTrip sends a request on a connection and returns the status of the
// answer, which is all in buf. It does not allocate.
func roundTrip(c net.Conn, request, buf []byte) (status int, err error) {
	if _, err := c.Write(request); err != nil {
		return 0, err
	}
	n, err := c.Read(buf) // the server writes an answer at once
	if err != nil {
		return 0, err
	}
	const line = len("HTTP/1.1 200")
	if n < line {
		return 0, fmt.Errorf("answer of %d bytes", n)
	}
	for _, d := range buf[line-3 : line] {
		status = 10*status + int(d-'0')
	}
	return status, nil
}

// dial returns a client's end of a connection to a server in memory.
func dial(t testing.TB, server *fasthttp.Server, wrap func(net.Listener) net.Listener) net.Conn {
	t.Helper()
	ln := fasthttputil.NewInmemoryListener()
	done := make(chan error, 1)
	go func() { done <- server.Serve(wrap(ln)) }()
	c, err := ln.Dial()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.Close()
		ln.Close()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return c
}
