//go:build linux

package main

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"
)

// offered is what clients have seen.
type offered struct {
	events int // polls that were answered with a popup, and actions
	failed int
	p99    time.Duration // of a poll and of what the user then did, from when the poll was due
	cause  string        // of the first failure
}

// offer has the users of the first days of an era come back, as in the eras before. It goes on where the call before has
// ended.
func (m *measurement) offer(ctx context.Context, d time.Duration) offered {
	const clients = 64
	rate := float64(m.rate) * (perVisit - 1) / perVisit // of polls
	polls := int64(rate * d.Seconds())
	client := fasthttp.HostClient{Addr: m.server.Address, MaxConns: clients, ReadTimeout: 20 * time.Second, WriteTimeout: 20 * time.Second}
	defer client.CloseIdleConnections()
	var next atomic.Int64
	var all sync.WaitGroup
	results := make([]offered, clients)
	took := make([][]time.Duration, clients)
	start := time.Now()
	for i := range clients {
		all.Go(func() {
			for n := next.Add(1) - 1; n < polls && ctx.Err() == nil; n = next.Add(1) - 1 {
				due := start.Add(time.Duration(float64(n) / rate * float64(time.Second)))
				time.Sleep(time.Until(due))
				requests, err := m.visit(&client, m.visited+n)
				results[i].events += requests
				took[i] = append(took[i], time.Since(due))
				if err != nil {
					results[i].failed++
					results[i].cause = err.Error()
				}
			}
		})
	}
	all.Wait()
	m.visited += polls
	var sum offered
	for _, r := range results {
		sum.events += r.events
		sum.failed += r.failed
		if r.cause != "" {
			sum.cause = r.cause
		}
	}
	times := slices.Concat(took...)
	slices.Sort(times)
	sum.p99 = times[len(times)*99/100]
	return sum
}

// visit polls for a user, and in one of three cases reports what the user did. It returns how
// many of these were answered as they should be.
func (m *measurement) visit(client *fasthttp.HostClient, visit int64) (requests int, err error) {
	ofServer, visits := visit/servers, int64(m.visits())
	pair := ofServer * permuting % visits
	user := pair/2*servers + visit%servers
	request, response := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	defer fasthttp.ReleaseRequest(request)
	defer fasthttp.ReleaseResponse(response)
	request.SetRequestURI(fmt.Sprintf("http://%s/v1/poll?uid=u%015d&placement=place-%d", client.Addr, user, 1+user%(popups/2)+pair%2*(popups/2)))
	if err := client.Do(request, response); err != nil {
		return 0, err
	}
	if response.StatusCode() != fasthttp.StatusOK {
		return 0, fmt.Errorf("poll %d answers %d: %s", visit, response.StatusCode(), response.Body())
	}
	if ofServer%3 != 2 {
		return 1, nil
	}
	_, token, _ := bytes.Cut(response.Body(), []byte(`"token":"`))
	token, _, _ = bytes.Cut(token, []byte{'"'})
	action := "dismiss"
	if pair%3 == 0 {
		action = "click"
	}
	request.SetRequestURI("http://" + client.Addr + "/v1/actions")
	request.Header.SetMethod("POST")
	request.Header.SetContentType("text/plain")
	request.SetBodyString(fmt.Sprintf(`{"token":%q,"action":%q}`, token, action))
	if err := client.Do(request, response); err != nil {
		return 1, err
	}
	if response.StatusCode() != fasthttp.StatusAccepted {
		return 1, fmt.Errorf("action answers %d: %s", response.StatusCode(), response.Body())
	}
	return 2, nil
}
