package bench

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync"
	"testing"
	"time"
)

// client is a listener and its one connection at a time, in memory. A connection
// makes a request when the server wants to read one, and looks at the answer
// when it is written: no goroutine waits for another, so what is measured is the
// server. The next request must not be made before the last was answered.
type client struct {
	token []byte // of the latest popup that was shown

	conns   chan net.Conn
	closing sync.Once
	buf     []byte // the request
	body    []byte
}

func newClient() client { return client{conns: make(chan net.Conn)} }

func (c *client) Accept() (net.Conn, error) {
	if conn := <-c.conns; conn != nil {
		return conn, nil
	}
	return nil, net.ErrClosed
}

func (c *client) Close() error   { c.closing.Do(func() { close(c.conns) }); return nil }
func (c *client) Addr() net.Addr { return address }

var address net.Addr = &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 4321}

// serve sends n requests over a connection of their own. next makes the i-th and
// says which status is to answer it.
func (c *client) serve(b *testing.B, n int, next func(i int) (request []byte, status int)) {
	b.Helper()
	conn := &conn{client: c, n: n, next: next, closed: make(chan struct{})}
	c.conns <- conn
	<-conn.closed
	if conn.err == nil && conn.i != n {
		conn.err = fmt.Errorf("%d of %d requests were read", conn.i, n)
	}
	if conn.err != nil {
		b.Fatal(conn.err)
	}
}

// conn is the server's end of a connection.
type conn struct {
	client *client
	next   func(i int) ([]byte, int)
	i, n   int
	want   int // status
	closed chan struct{}
	once   sync.Once
	err    error
}

func (c *conn) Read(p []byte) (int, error) {
	if c.i == c.n || c.err != nil {
		return 0, io.EOF
	}
	var request []byte
	request, c.want = c.next(c.i)
	c.i++
	return copy(p, request), nil
}

// Write gets one whole answer, since the server has no request before it.
func (c *conn) Write(p []byte) (int, error) {
	const line = len("HTTP/1.1 200")
	status, err := 0, error(nil)
	if len(p) >= line {
		status, err = strconv.Atoi(string(p[line-3 : line]))
	}
	if status != c.want || err != nil {
		c.err = fmt.Errorf("request %d was answered %q, want %d", c.i-1, p, c.want)
	}
	if status == shown {
		c.keepToken(p)
	}
	return len(p), nil
}

func (c *conn) keepToken(answer []byte) {
	const before = `"token":"`
	_, rest, found := bytes.Cut(answer, []byte(before))
	end := bytes.IndexByte(rest, '"')
	if !found || end < 0 {
		c.err = fmt.Errorf("no token in %q", answer)
		return
	}
	c.client.token = append(c.client.token[:0], rest[:end]...)
}

func (c *conn) Close() error                     { c.once.Do(func() { close(c.closed) }); return nil }
func (c *conn) LocalAddr() net.Addr              { return address }
func (c *conn) RemoteAddr() net.Addr             { return address }
func (c *conn) SetDeadline(time.Time) error      { return nil }
func (c *conn) SetReadDeadline(time.Time) error  { return nil }
func (c *conn) SetWriteDeadline(time.Time) error { return nil }

// headers are those of a browser, without what differs.
const headers = "\r\nHost: popups.shop.example\r\nConnection: keep-alive\r\nUser-Agent: Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0 Mobile Safari/537.36" +
	"\r\nAccept: */*\r\nOrigin: https://shop.example\r\nReferer: https://shop.example/\r\nAccept-Encoding: gzip, deflate, br\r\nAccept-Language: zh-CN,zh;q=0.9\r\n"

// poll makes a poll. The request is valid until the next one is made.
func (c *client) poll(user int, platform string) []byte {
	b := append(c.buf[:0], "GET /v1/poll?uid="...)
	b = appendUser(b, user)
	b = append(b, "&placement=home&platform="...)
	b = append(b, platform...)
	b = append(b, "&app_version=3.2.1&locale=zh-CN&country=CN&a.segment=shopper&a.orders=3 HTTP/1.1"...)
	b = append(b, headers...)
	c.buf = append(b, "\r\n"...)
	return c.buf
}

// click makes a report of a click.
func (c *client) click(token []byte) []byte {
	body := append(c.body[:0], `{"token":"`...)
	body = append(body, token...)
	c.body = append(body, `","action":"click"}`...)
	b := append(c.buf[:0], "POST /v1/actions HTTP/1.1"...)
	b = append(b, headers...)
	b = append(b, "Content-Type: text/plain;charset=UTF-8\r\nContent-Length: "...)
	b = strconv.AppendInt(b, int64(len(c.body)), 10)
	b = append(b, "\r\n\r\n"...)
	c.buf = append(b, c.body...)
	return c.buf
}

func appendUser(dst []byte, user int) []byte {
	return strconv.AppendInt(append(dst, "user-"...), 10_000_000+int64(user), 10)
}
