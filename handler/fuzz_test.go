package handler

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/popupd/popupd/popup"
)

// Whatever comes in, no answer is a 5xx and what is not empty is JSON.

// answered fails the test unless ctx holds an answer that may be given to anyone.
func answered(t *testing.T, ctx *fasthttp.RequestCtx) {
	t.Helper()
	status, body := ctx.Response.StatusCode(), ctx.Response.Body()
	if status < 200 || status >= 500 || status >= 300 && status < 400 {
		t.Fatalf("%d %s", status, body)
	}
	if len(body) > 0 && !json.Valid(body) || len(body) == 0 && status >= 400 {
		t.Fatalf("%d with the body %q", status, body)
	}
}

// fuzzServer returns a server that shows a popup to everyone who asks, with a
// clock that is moved by each poll.
func fuzzServer(f *testing.F) *fixture {
	return newServer(f, func(c *Config) { c.Journal = noJournal{} }, everyTime+`,"placements":["default","home"]`,
		`"priority":1,"targeting":{"any":[{"attr":"app_version","op":"semver_gte","value":"1.2.3"},{"attr":"n","op":"gt","value":5},{"attr":"platform","op":"contains","value":"o"}]}`)
}

func FuzzPoll(f *testing.F) {
	s := fuzzServer(f)
	f.Add("uid=u&placement=home&platform=ios&app_version=1.2.3&a.n=6")
	f.Add("uid=%F0%9F%98%80&placement=%22&a.%22=%5c")
	f.Fuzz(func(t *testing.T, query string) {
		s.clock.advance(time.Second)
		ctx := newContext(t, get("/v1/poll")(s, 0))
		ctx.URI().SetQueryString(query)
		s.handle(ctx)
		answered(t, ctx)
	})
}

func FuzzPostedPoll(f *testing.F) {
	s := fuzzServer(f)
	f.Add(pollBody, "application/json")
	f.Add(`{"uid":"\ud83d\ude00","placements":["home","default"],"attributes":{"n":6,"\"":true},"rid":"12345678"}`, "text/plain")
	f.Add(fmt.Sprintf(`{"uid":"u","showing":[%q,"v1.x"]}`, tokenOf(s, 0, "u")), "")
	f.Fuzz(func(t *testing.T, body, contentType string) {
		s.clock.advance(time.Second)
		ctx := newContext(t, postPoll(func(*fixture, int) string { return "" })(s, 0))
		ctx.Request.SetBodyString(body)
		ctx.Request.Header.SetContentType(contentType)
		s.handle(ctx)
		answered(t, ctx)
	})
}

func FuzzActions(f *testing.F) {
	s := fuzzServer(f)
	f.Add(click(s, 0, "u"), "application/json")
	f.Add("["+click(s, 1, "u")+","+click(s, 2, "u")+",{}]", "text/plain")
	f.Add(clickForm(s, 3, "u"), "application/x-www-form-urlencoded")
	f.Add("action=%63lick&token=%zz&", "application/x-www-form-urlencoded;charset=utf-8")
	f.Fuzz(func(t *testing.T, body, contentType string) {
		s.clock.advance(time.Second)
		ctx := newContext(t, post(func(*fixture, int) string { return "" })(s, 0))
		ctx.Request.SetBodyString(body)
		ctx.Request.Header.SetContentType(contentType)
		s.handle(ctx)
		answered(t, ctx)
	})
}

// A token with any content is taken or refused, never a fault.
func FuzzSignedToken(f *testing.F) {
	s := fuzzServer(f)
	keys := mustKeyring(f, "secret")
	f.Add([]byte("u"), uint32(1), uint32(1), []byte("a"), startMS, "click")
	f.Add([]byte("u"), uint32(9), uint32(0), []byte{}, popup.Never, "convert")
	f.Fuzz(func(t *testing.T, user []byte, id, version uint32, variant []byte, servedAtMS int64, action string) {
		if len(user) > 200 || len(variant) > 200 {
			return
		}
		k := *keys
		tok := token{user: user, popup: id, version: version, variant: variant, servedAtMS: servedAtMS}
		body := fmt.Sprintf(`{"token":"%s","action":%q}`, k.append(nil, &tok), action)
		ctx := newContext(t, post(func(*fixture, int) string { return "" })(s, 0))
		ctx.Request.SetBodyString(body)
		s.handle(ctx)
		answered(t, ctx)
	})
}

func FuzzConnection(f *testing.F) {
	s := fuzzServer(f)
	s.limits.read, s.limits.idle = 100*time.Millisecond, 100*time.Millisecond // for requests that never end
	s.start()
	for _, e := range exchanges() {
		f.Add([]byte(e.request(s, 0)))
	}
	f.Add([]byte("POST /v1/actions HTTP/1.1\r\nHost: a\r\nContent-Length: 84\r\n\r\n{")) // swallows what comes after it
	f.Add([]byte("GET http://a/v1/poll?uid=u HTTP/1.0\r\n\r\n"))
	f.Add([]byte("POST /v1/actions HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n{}\n"))
	f.Fuzz(func(t *testing.T, sent []byte) {
		c, err := s.ln.Dial()
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		go func() {
			c.Write(sent)
			io.WriteString(c, "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
		}()
		got, err := io.ReadAll(c)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.HasPrefix(got, []byte("HTTP/1.1 ")) || bytes.Contains(got, []byte("HTTP/1.1 5")) {
			t.Fatalf("%q is answered with\n%s", sent, got)
		}
	})
}

// FuzzSignature: a signature is taken if and only if it is the hex of the HMAC.
func FuzzSignature(f *testing.F) {
	keys := signers{newMAC([]byte("new")), newMAC([]byte("old"))}
	f.Add([]byte("u"), []byte(sign("new", "u")))
	f.Add([]byte("u"), []byte(sign("old", "v")))
	f.Add([]byte(""), []byte("00"))
	f.Fuzz(func(t *testing.T, uid, sig []byte) {
		for _, text := range [][]byte{sig, []byte(sign("old", string(uid))), bytes.ToUpper([]byte(sign("new", string(uid)))), []byte(sign("other", string(uid)))} {
			lower := string(bytes.ToLower(text))
			want := lower == sign("new", string(uid)) || lower == sign("old", string(uid))
			if got := keys.signed(uid, text); got != want {
				t.Fatalf("signed(%q, %q) = %v, want %v", uid, text, got, want)
			}
		}
	})
}

// FuzzContentType agrees with package mime on the types it takes.
func FuzzContentType(f *testing.F) {
	f.Add("Application/JSON; charset=utf-8")
	f.Add("text/plain;")
	f.Add("text/html")
	f.Add("application/x-www-form-urlencoded")
	f.Fuzz(func(t *testing.T, contentType string) {
		mediaType, _, err := mime.ParseMediaType(contentType)
		if err != nil {
			return
		}
		if got, want := takesType([]byte(contentType)), mediaType == "application/json" || mediaType == "text/plain"; got != want {
			t.Fatalf("takesType(%q) = %v, want %v: package mime reads %q", contentType, got, want, mediaType)
		}
		if got, want := isForm([]byte(contentType)), mediaType == "application/x-www-form-urlencoded"; got != want {
			t.Fatalf("isForm(%q) = %v, want %v: package mime reads %q", contentType, got, want, mediaType)
		}
	})
}

// FuzzOrigins: an origin that is configured is read as one that a browser can send, and
// allows itself alone, or the subdomains of its host alone.
func FuzzOrigins(f *testing.F) {
	f.Add("https://shop.example", "https://shop.example")
	f.Add("http://[::1]:8000", "http://[::1]:8000/")
	f.Add("https://a.example", "https://a.example.evil.example")
	f.Add("HTTPS://*.B\u00fccher.example:443", "https://a.xn--bcher-kva.example")
	f.Add("https://*.a.example", "https://evil.example/.a.example")
	f.Fuzz(func(t *testing.T, configured, sent string) {
		o, err := newOrigins([]string{configured})
		if err != nil || o.any {
			return
		}
		parsed, _ := ParseOrigins(configured)
		list := strings.Join(parsed, ",")
		if again, err := ParseOrigins(list); err != nil || strings.Join(again, ",") != list {
			t.Fatalf("%q is read as %q, and that as %q, %v", configured, parsed, again, err)
		}
		mayAllow := false
		for _, origin := range parsed {
			u, err := url.Parse(strings.Replace(origin, "*", "a", 1))
			if err != nil || u.Host == "" || u.Scheme+"://"+u.Host != strings.Replace(origin, "*", "a", 1) || origin != strings.ToLower(origin) {
				t.Fatalf("%q is taken for an origin: %+v, %v", origin, u, err)
			}
			scheme, domain, isWildcard := strings.Cut(origin, "*")
			subdomain, isSubdomain := strings.CutSuffix(strings.TrimPrefix(sent, scheme), domain)
			mayAllow = mayAllow || sent == origin || isWildcard && strings.HasPrefix(sent, scheme) && isSubdomain && isHost(subdomain)
			if !isWildcard && !o.allow([]byte(origin)) || isWildcard && !o.allow([]byte(u.String())) {
				t.Fatalf("%q does not allow %q", configured, origin)
			}
		}
		if o.allow([]byte(sent)) && !mayAllow {
			t.Fatalf("%q allows %q", configured, sent)
		}
	})
}
