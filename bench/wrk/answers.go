//go:build linux

package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/popupd/popupd/internal/testbed"
)

// Paths of polls. A rival knows by the path what to answer, so that it need not
// look at the query; popupd has one for both. They are equally long.
const (
	pollPath    = "/v1/poll"
	servedPath  = "/v1/show" // of the rivals
	actionsPath = "/v1/actions"
)

// answer is what popupd answers and the rivals repeat, in the form in which they
// take it.
type answer struct {
	Path    string      `json:"path"`
	Status  int         `json:"status"`
	Headers [][2]string `json:"headers"` // less those that every server sets by itself
	Body    string      `json:"body"`
}

// sample is one answer of popupd of each kind.
type sample struct {
	nothing, served, recorded answer
	action                    string // body of an action that was accepted
}

// takeSample asks a prepared popupd, whose users are known as in prepare.
func takeSample(ctx context.Context, p *testbed.Popupd) (sample, error) {
	var s sample
	ask1 := func(path, request string, want int) (answer, error) {
		var a answer
		err := ask(ctx, p.Address, 1, func(int) string { return request }, func(_ int, got *http.Response, body []byte) error {
			if got.StatusCode != want {
				return fmt.Errorf("popupd answers %s, not %d", got.Status, want)
			}
			a = answer{Path: path, Status: want, Headers: fields(got.Header), Body: string(body)}
			return nil
		})
		return a, err
	}
	var err error
	if s.nothing, err = ask1(pollPath, pollOf(pollPath, fmt.Sprintf(seenUser, 1)), http.StatusNoContent); err != nil {
		return s, err
	}
	if s.served, err = ask1(servedPath, pollOf(pollPath, fmt.Sprintf(newUser, 0)), http.StatusOK); err != nil {
		return s, err
	}
	if s.action, err = actionFor([]byte(s.served.Body)); err != nil {
		return s, err
	}
	s.recorded, err = ask1(actionsPath, actionOf(s.action), http.StatusAccepted)
	return s, err
}

// actionFor returns the body of a click on what a poll returned.
func actionFor(body []byte) (string, error) {
	var shown struct {
		Token string `json:"token"`
	}
	if err := json.Unmarshal(body, &shown); err != nil {
		return "", err
	}
	if shown.Token == "" {
		return "", errors.New("a popup without a token")
	}
	return fmt.Sprintf(`{"token":%q,"action":"click"}`, shown.Token), nil
}

// fields returns the header of an answer, sorted, less what servers set by
// themselves.
func fields(h http.Header) [][2]string {
	var all [][2]string
	for name, values := range h {
		if name != "Date" && name != "Content-Length" {
			all = append(all, [2]string{name, values[0]})
		}
	}
	slices.SortFunc(all, func(a, b [2]string) int { return cmp.Compare(a[0], b[0]) })
	return all
}

// of returns the answers that a scenario asks for.
func (s *sample) of(sc scenario) []answer {
	var all []answer
	if sc.nothing > 0 {
		all = append(all, s.nothing)
	}
	if sc.served > 0 {
		all = append(all, s.served)
	}
	if sc.actions > 0 {
		all = append(all, s.recorded)
	}
	return all
}

// request returns a request that a rival answers with a.
func (s *sample) request(a answer) string {
	if a.Path == actionsPath {
		return actionOf(s.action)
	}
	return pollOf(a.Path, fmt.Sprintf(newUser, 0))
}

// check asks a rival for each answer and returns an error unless it is popupd's.
// extra are the header fields that it sends besides.
func (s *sample) check(ctx context.Context, address string, answers []answer) (extra []string, err error) {
	for _, want := range answers {
		err := ask(ctx, address, 1, func(int) string { return s.request(want) }, func(_ int, got *http.Response, body []byte) error {
			if got.StatusCode != want.Status || string(body) != want.Body {
				return fmt.Errorf("%s: got %s and %q, want %d and %q", want.Path, got.Status, body, want.Status, want.Body)
			}
			for _, f := range want.Headers {
				if got := got.Header.Get(f[0]); got != f[1] {
					return fmt.Errorf("%s: got %s %q, want %q", want.Path, f[0], got, f[1])
				}
				got.Header.Del(f[0])
			}
			for _, f := range fields(got.Header) {
				extra = append(extra, strings.Join(f[:], ": "))
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	slices.Sort(extra)
	return slices.Compact(extra), nil
}
