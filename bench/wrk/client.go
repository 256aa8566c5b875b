//go:build linux

package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
)

// The users of a scenario, of names equally long. request.lua knows the same.
const (
	seenUser = "seen-%09d" // has seen all that fits: 10,000 of them
	newUser  = "user-%09d" // sees one
	actUser  = "acts-%09d" // has seen one, and will act
	seen     = 10000
)

// pollOf returns a poll as text.
func pollOf(path, uid string) string {
	return "GET " + path + "?uid=" + uid + "&placement=home&platform=ios&app_version=3.2.1&locale=zh-CN&country=CN HTTP/1.1\r\nHost: popupd\r\n\r\n"
}

// actionOf returns the report of an action as text.
func actionOf(body string) string {
	return fmt.Sprintf("POST /v1/actions HTTP/1.1\r\nHost: popupd\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
}

// ask sends n requests over one connection without waiting for the answers, and
// hands those over as they come.
func ask(ctx context.Context, address string, n int, request func(i int) string, got func(i int, a *http.Response, body []byte) error) error {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	go func() {
		w := bufio.NewWriterSize(conn, 64<<10)
		for i := range n {
			w.WriteString(request(i))
		}
		w.Flush() // an error is also one of reading
	}()
	r := bufio.NewReaderSize(conn, 64<<10)
	for i := range n {
		a, err := http.ReadResponse(r, nil)
		if err != nil {
			return fmt.Errorf("answer %d of %d: %w", i+1, n, err)
		}
		body, err := io.ReadAll(a.Body)
		if err != nil {
			return fmt.Errorf("answer %d of %d: %w", i+1, n, err)
		}
		if err := got(i, a, body); err != nil {
			return err
		}
	}
	return nil
}
