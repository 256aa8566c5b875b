package handler

import (
	"bufio"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// Requests that two readers of HTTP may not agree about: whoever is in front of
// popupd sees one request where popupd sees two, or the other way round, and the
// second is answered to somebody else (RFC 9112 section 11.2; J. Kettle, HTTP
// Desync Attacks, 2019). Each is refused with 400 and the end of the connection,
// and nothing behind it is answered.

const (
	smuggled = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
	postLine = "POST /v1/actions HTTP/1.1\r\nHost: a\r\n"
)

var ambiguousRequests = []struct{ name, sent string }{
	{"CL.TE", postLine + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + smuggled},
	{"TE.CL", postLine + "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n" + smuggled},
	{"CL.TE, the length of all", postLine + "Content-Length: 43\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + smuggled},
	{"CL and TE identity", postLine + "Content-Length: 2\r\nTransfer-Encoding: identity\r\n\r\n{}" + smuggled},
	{"TE identity", postLine + "Transfer-Encoding: identity\r\n\r\n" + smuggled},
	{"TE twice", postLine + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + smuggled},
	{"TE chunked and identity", postLine + "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n" + smuggled},
	{"TE list", postLine + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n" + smuggled},
	{"TE chunked twice in a list", postLine + "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n" + smuggled},
	{"TE xchunked", postLine + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + smuggled},
	{"TE quoted", postLine + "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n" + smuggled},
	{"TE with a parameter", postLine + "Transfer-Encoding: chunked;q=1\r\n\r\n0\r\n\r\n" + smuggled},
	{"TE with a vertical tab", postLine + "Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n" + smuggled},
	{"TE with NUL", postLine + "Transfer-Encoding: chunked\x00\r\n\r\n0\r\n\r\n" + smuggled},
	{"TE empty", postLine + "Transfer-Encoding:\r\n\r\n" + smuggled},
	{"TE folded", postLine + "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n" + smuggled},
	{"space before the colon of TE", postLine + "Transfer-Encoding : chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n" + smuggled},
	{"tab before the colon of TE", postLine + "Transfer-Encoding\t: chunked\r\n\r\n0\r\n\r\n" + smuggled},
	{"space before TE", postLine + " Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + smuggled},
	{"TE behind a bare LF in a value", postLine + "X: y\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + smuggled},
	{"TE behind a bare CR in a value", postLine + "X: y\rTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + smuggled},
	{"TE in a trailing header name", postLine + "Transfer_Encoding: chunked\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + smuggled},
	{"TE on HTTP/1.0", "POST /v1/actions HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + smuggled},
	{"TE on GET with CL", "GET /v1/poll?uid=u HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n" + smuggled},

	{"CL twice", postLine + "Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}" + smuggled},
	{"CL twice, not the same", postLine + "Content-Length: 2\r\nContent-Length: 37\r\n\r\n{}" + smuggled},
	{"CL list", postLine + "Content-Length: 2, 2\r\n\r\n{}" + smuggled},
	{"CL with plus", postLine + "Content-Length: +2\r\n\r\n{}" + smuggled},
	{"CL negative", postLine + "Content-Length: -2\r\n\r\n{}" + smuggled},
	{"CL hexadecimal", postLine + "Content-Length: 0x2\r\n\r\n{}" + smuggled},
	{"CL with a fraction", postLine + "Content-Length: 2.0\r\n\r\n{}" + smuggled},
	{"CL with underscores", postLine + "Content-Length: 0_2\r\n\r\n{}" + smuggled},
	{"CL with a letter", postLine + "Content-Length: 2a\r\n\r\n{}" + smuggled},
	{"CL with a space inside", postLine + "Content-Length: 2 7\r\n\r\n{}" + smuggled},
	{"CL empty", postLine + "Content-Length:\r\n\r\n" + smuggled},
	{"CL that overflows to 2", postLine + "Content-Length: 18446744073709551618\r\n\r\n{}" + smuggled},
	{"CL folded", postLine + "Content-Length: 2\r\n 7\r\n\r\n{}" + smuggled},
	{"space before the colon of CL", postLine + "Content-Length : 37\r\n\r\n" + smuggled},
	{"CL in Unicode digits", postLine + "Content-Length: \u0662\r\n\r\n{}" + smuggled},
	{"CL with a vertical tab", postLine + "Content-Length: 2\x0b\r\n\r\n{}" + smuggled},
	{"CL on GET", "GET /v1/poll?uid=u HTTP/1.1\r\nHost: a\r\nContent-Length: 0_0\r\n\r\n" + smuggled},

	{"chunk size with a sign", postLine + "Transfer-Encoding: chunked\r\n\r\n+2\r\n{}\r\n0\r\n\r\n" + smuggled},
	{"chunk size with 0x", postLine + "Transfer-Encoding: chunked\r\n\r\n0x2\r\n{}\r\n0\r\n\r\n" + smuggled},
	{"chunk size negative", postLine + "Transfer-Encoding: chunked\r\n\r\n-1\r\n{}\r\n0\r\n\r\n" + smuggled},
	{"chunk size that overflows", postLine + "Transfer-Encoding: chunked\r\n\r\n10000000000000002\r\n{}\r\n0\r\n\r\n" + smuggled},
	{"chunk size empty", postLine + "Transfer-Encoding: chunked\r\n\r\n\r\n{}\r\n0\r\n\r\n" + smuggled},
	{"chunk size with a space before", postLine + "Transfer-Encoding: chunked\r\n\r\n 2\r\n{}\r\n0\r\n\r\n" + smuggled},
	{"chunk size ended by LF", postLine + "Transfer-Encoding: chunked\r\n\r\n2\n{}\r\n0\r\n\r\n" + smuggled},
	{"chunk extension ended by LF", postLine + "Transfer-Encoding: chunked\r\n\r\n2;x\n{}\r\n0\r\n\r\n" + smuggled},
	{"chunk ended by LF", postLine + "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\n0\r\n\r\n" + smuggled},
	{"chunk longer than its size", postLine + "Transfer-Encoding: chunked\r\n\r\n1\r\n{}\r\n0\r\n\r\n" + smuggled},
	{"last chunk of two zeros and LF", postLine + "Transfer-Encoding: chunked\r\n\r\n00\n\r\n" + smuggled},
	{"CL in the trailer", postLine + "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nContent-Length: 37\r\n\r\n" + smuggled},
	{"TE in the trailer", postLine + "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n" + smuggled},

	{"lines ended by LF", "GET /v1/poll?uid=u HTTP/1.1\nHost: a\n\n" + smuggled},
	{"one line ended by LF", "GET /v1/poll?uid=u HTTP/1.1\r\nHost: a\nX: y\r\n\r\n" + smuggled},
	{"headers ended by LF", "GET /v1/poll?uid=u HTTP/1.1\r\nHost: a\r\n\n" + smuggled},
	{"request line ended by CR", "GET /v1/poll?uid=u HTTP/1.1\rHost: a\r\n\r\n" + smuggled},
	{"CR CR LF", "GET /v1/poll?uid=u HTTP/1.1\r\nHost: a\r\r\n\r\n" + smuggled},
	{"CR in a value", "GET /v1/poll?uid=u HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n" + smuggled},
	{"NUL in a value", "GET /v1/poll?uid=u HTTP/1.1\r\nHost: a\r\nX: a\x00b\r\n\r\n" + smuggled},
	{"NUL in a name", "GET /v1/poll?uid=u HTTP/1.1\r\nHost: a\r\nX\x00: b\r\n\r\n" + smuggled},
	{"NUL in the path", "GET /v1/poll\x00?uid=u HTTP/1.1\r\nHost: a\r\n\r\n" + smuggled},
	{"folded", "GET /v1/poll?uid=u HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n" + smuggled},
	{"folded with a tab", "GET /v1/poll?uid=u HTTP/1.1\r\nHost: a\r\nX: a\r\n\tb\r\n\r\n" + smuggled},
	{"folded first line", "GET /v1/poll?uid=u HTTP/1.1\r\n Host: a\r\nX: b\r\n\r\n" + smuggled},
	{"space before a colon", "GET /v1/poll?uid=u HTTP/1.1\r\nHost: a\r\nX : b\r\n\r\n" + smuggled},
	{"no colon", "GET /v1/poll?uid=u HTTP/1.1\r\nHost: a\r\nX\r\n\r\n" + smuggled},
	{"no name", "GET /v1/poll?uid=u HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n" + smuggled},
	{"Host twice", "GET /v1/poll?uid=u HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n" + smuggled},
	{"no Host", "GET /v1/poll?uid=u HTTP/1.1\r\n\r\n" + smuggled},
	{"Host with a space", "GET /v1/poll?uid=u HTTP/1.1\r\nHost: a b\r\n\r\n" + smuggled},
	{"Host with a path", "GET /v1/poll?uid=u HTTP/1.1\r\nHost: a/b\r\n\r\n" + smuggled},
	{"two spaces in the request line", "GET  /v1/poll?uid=u HTTP/1.1\r\nHost: a\r\n\r\n" + smuggled},
	{"two spaces before the version", "GET /v1/poll?uid=u  HTTP/1.1\r\nHost: a\r\n\r\n" + smuggled},
	{"tab in the request line", "GET\t/v1/poll?uid=u HTTP/1.1\r\nHost: a\r\n\r\n" + smuggled},
	{"space in the target", "GET /v1/poll?uid=u x HTTP/1.1\r\nHost: a\r\n\r\n" + smuggled},
	{"space before the method", " GET /v1/poll?uid=u HTTP/1.1\r\nHost: a\r\n\r\n" + smuggled},
	{"HTTP/0.9", "GET /v1/poll?uid=u\r\n\r\n" + smuggled},
	{"HTTP/1.1 with a space behind", "GET /v1/poll?uid=u HTTP/1.1 \r\nHost: a\r\n\r\n" + smuggled},
	{"http/1.1", "GET /v1/poll?uid=u http/1.1\r\nHost: a\r\n\r\n" + smuggled},
	{"HTTP/01.1", "GET /v1/poll?uid=u HTTP/01.1\r\nHost: a\r\n\r\n" + smuggled},
	{"preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + smuggled},
	{"no target", "GET HTTP/1.1\r\nHost: a\r\n\r\n" + smuggled},
	{"target without a slash", "GET v1/poll?uid=u HTTP/1.1\r\nHost: a\r\n\r\n" + smuggled},
	{"a method with a colon", "GET: /v1/poll?uid=u HTTP/1.1\r\nHost: a\r\n\r\n" + smuggled},
	{"garbage", "\x00\x01\x02\x03\r\n\r\n" + smuggled},
}

// What looks odd, but ends where everybody thinks that it ends.
var unambiguousRequests = []struct {
	name, sent string
	want       []int // the connection is closed after the last one
}{
	{"body of a GET", "GET /v1/poll?uid=u HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 35\r\n\r\n" + smuggled, []int{204}},
	{"chunked body of a GET", "GET /v1/poll?uid=u HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n23\r\n" + smuggled + "\r\n0\r\n\r\n", []int{204}},
	{"body of a GET that stays", "GET /v1/poll?uid=u HTTP/1.1\r\nHost: a\r\nContent-Length: 35\r\n\r\n" + smuggled + last, []int{204, 404}},
	{"body of HEAD", "HEAD /v1/poll?uid=u HTTP/1.1\r\nHost: a\r\nContent-Length: 35\r\n\r\n" + smuggled + last, []int{405, 404}},
	{"body of OPTIONS", "OPTIONS /v1/poll HTTP/1.1\r\nHost: a\r\nContent-Length: 35\r\n\r\n" + smuggled + last, []int{204, 404}},
	{"body of an unknown path", "POST /v2 HTTP/1.1\r\nHost: a\r\nContent-Length: 35\r\n\r\n" + smuggled + last, []int{404, 404}},
	{"body of a refused type", postLine + "Content-Type: text/html\r\nContent-Length: 35\r\n\r\n" + smuggled + last, []int{415, 404}},
	{"chunks with extensions and a trailer", postLine + "Transfer-Encoding: chunked\r\n\r\n2;x=y\r\n{}\r\n0\r\nX: y\r\n\r\n" + last, []int{400, 404}},
	{"chunk size in capitals and zeros", postLine + "Transfer-Encoding: Chunked\r\n\r\n00000002\r\n{}\r\n0\r\n\r\n" + last, []int{400, 404}},
	{"spaces around a length", postLine + "Content-Length: \t 2 \t\r\n\r\n{}" + last, []int{400, 404}},
	{"zeros before a length", postLine + "Content-Length: 0002\r\n\r\n{}" + last, []int{400, 404}},
	{"absolute form and another host, of which neither matters here", "GET http://b/v1/poll?uid=u HTTP/1.1\r\nHost: a\r\n\r\n" + last, []int{204, 404}},
	{"space in a name", "GET /v1/poll?uid=u HTTP/1.1\r\nHost: a\r\nX Y: b\r\n\r\n" + last, []int{204, 404}},
	{"request line ended by LF", "GET /v1/poll?uid=u HTTP/1.1\nHost: a\r\n\r\n" + last, []int{204, 404}},
	{"an empty line before", "\r\n" + last, []int{404}},
	{"HTTP/1.0", "GET /v1/poll?uid=u HTTP/1.0\r\n\r\n" + smuggled, []int{204}},
	{"HTTP/1.0 that stays", "GET /v1/poll?uid=u HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" + last, []int{204, 404}},
	{"HTTP/1.2", "GET /v1/poll?uid=u HTTP/1.2\r\nHost: a\r\n\r\n" + smuggled, []int{204}},
	{"HTTP/2.0", "GET /v1/poll?uid=u HTTP/2.0\r\nHost: a\r\n\r\n" + smuggled, []int{204}},
	{"upgrade to h2c", "GET /v1/poll?uid=u HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n" + last, []int{204, 404}},
	{"pipelined", "GET /v1/poll?uid=u HTTP/1.1\r\nHost: a\r\n\r\n" + smuggled + last, []int{204, 404, 404}},
	{"pipelined, the first is refused", "GET /v1/poll HTTP/1.1\r\nHost: a\r\n\r\n" + last, []int{400, 404}},
	{"garbage behind a request", "GET /v1/poll?uid=u HTTP/1.1\r\nHost: a\r\n\r\n\x00\x01\r\n\r\n" + smuggled, []int{204, 400}},
	{"garbage behind a body", postLine + "Content-Length: 2\r\n\r\n{}}}}}\r\n\r\n" + smuggled, []int{400, 400}},
}

const last = "GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"

// answersTo sends bytes and returns the statuses of what comes back until the
// connection is closed. Anything else than whole answers fails the test.
func (f *fixture) answersTo(name, sent string) (statuses []int, closes bool) {
	f.Helper()
	in := bufio.NewReader(strings.NewReader(f.raw(sent)))
	method, _, _ := strings.Cut(sent, " ")
	for {
		if _, err := in.Peek(1); err == io.EOF {
			return statuses, closes
		}
		res, err := http.ReadResponse(in, &http.Request{Method: method})
		if err != nil {
			f.Fatalf("%s: after %v: %v", name, statuses, err)
		}
		method = "GET"
		if _, err := io.Copy(io.Discard, res.Body); err != nil {
			f.Fatalf("%s: after %v: %v", name, statuses, err)
		}
		statuses, closes = append(statuses, res.StatusCode), res.Close
	}
}

func TestUnambiguousRequests(t *testing.T) {
	f := smugglingServer(t)
	for _, c := range unambiguousRequests {
		if got, _ := f.answersTo(c.name, c.sent); !slices.Equal(got, c.want) {
			t.Errorf("%s: answered with %v, want %v", c.name, got, c.want)
		}
	}
}

// smugglingServer does not wait long for what does not come.
func smugglingServer(t *testing.T) *fixture {
	f := newServer(t, nil)
	f.Server.limits = limits{read: 200 * time.Millisecond, write: 5 * time.Second, idle: 200 * time.Millisecond, early: time.Hour}
	return f.start()
}

func TestAmbiguousRequests(t *testing.T) {
	f := smugglingServer(t)
	for _, c := range ambiguousRequests {
		if got, closes := f.answersTo(c.name, c.sent); !slices.Equal(got, []int{http.StatusBadRequest}) || !closes {
			t.Errorf("%s: answered with %v, close: %v; want one 400 and close", c.name, got, closes)
		}
	}
}

func BenchmarkHotReadLines(b *testing.B) {
	ctx := newContext(b, pollLine+" HTTP/1.1"+hostLine+"Accept-Encoding: gzip, deflate, br\r\nAccept-Language: en-US,en;q=0.5\r\nReferer: https://shop.example/\r\nConnection: keep-alive\r\n\r\n")
	b.ReportAllocs()
	for b.Loop() {
		if ambiguous, prefetch := readLines(&ctx.Request.Header); ambiguous || prefetch {
			b.Fatal(ambiguous, prefetch)
		}
	}
}
