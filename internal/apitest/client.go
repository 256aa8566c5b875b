package apitest

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// Client sends requests to one listener and holds every answer against the
// document. It follows no redirects.
type Client struct {
	*http.Client
	URL   string // such as "http://127.0.0.1:8081"
	Token string // of the control plane, sent with every request unless empty

	t testing.TB
}

// NewClient returns a client of h, which it serves on the loopback until the test ends.
func NewClient(t testing.TB, h http.Handler, token string) *Client {
	t.Helper()
	checker, err := New()
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return &Client{t: t, URL: server.URL, Token: token, Client: &http.Client{
		Transport:     checker.Transport(t, server.Client().Transport),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Answer is what came back.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// JSON decodes a body that is an object.
func (a Answer) JSON(t testing.TB) map[string]any {
	t.Helper()
	var v map[string]any
	a.Decode(t, &v)
	return v
}

// Decode decodes the body into v.
func (a Answer) Decode(t testing.TB, v any) {
	t.Helper()
	if err := json.Unmarshal(a.Body, v); err != nil {
		t.Fatalf("%v\n%s", err, a.Body)
	}
}

// Code is the code of a problem, or empty.
func (a Answer) Code() string {
	var p struct {
		Code string `json:"code"`
	}
	_ = json.Unmarshal(a.Body, &p) // not a problem: no code
	return p.Code
}

// Send sends a request. Headers are pairs, of which an empty value removes one;
// a body is JSON unless they say otherwise.
func (c *Client) Send(method, path, body string, headers ...string) Answer {
	c.t.Helper()
	r, err := http.NewRequest(method, c.URL+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	if c.Token != "" {
		r.Header.Set("Authorization", "Bearer "+c.Token)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		if headers[i+1] == "" {
			r.Header.Del(headers[i])
			continue
		}
		r.Header.Set(headers[i], headers[i+1])
	}
	res, err := c.Do(r)
	if err != nil {
		c.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return Answer{res.StatusCode, res.Header, b}
}

// Want sends a request and fails the test unless it is answered with this
// status and, for a problem, this code.
func (c *Client) Want(status int, code, method, path, body string, headers ...string) Answer {
	c.t.Helper()
	a := c.Send(method, path, body, headers...)
	if a.Status != status || a.Code() != code {
		c.t.Fatalf("%s %s: %d %q, want %d %q\n%s", method, path, a.Status, a.Code(), status, code, a.Body)
	}
	return a
}
