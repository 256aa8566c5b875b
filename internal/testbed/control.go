package testbed

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// newClient returns a client whose connections begin in a network namespace, ""
// is this one.
func newClient(netns string) *http.Client {
	transport := &http.Transport{DisableKeepAlives: true}
	if netns != "" {
		transport.DialContext = func(ctx context.Context, network, address string) (conn net.Conn, err error) {
			err = InNetns(netns, func() error {
				// A numeric address is dialled by this goroutine, hence by this thread.
				conn, err = new(net.Dialer).DialContext(ctx, network, address)
				return err
			})
			return conn, err
		}
	}
	return &http.Client{Transport: transport}
}

// WaitReady waits until popupd says that it is ready to serve.
func (p *Popupd) WaitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var last error // it may not listen yet
	err := p.poll(ctx, 10*time.Millisecond, func(ctx context.Context) (bool, error) {
		status, body, err := p.call(ctx, "GET", "/readyz", "")
		if last = err; err == nil && status != http.StatusOK {
			last = fmt.Errorf("/readyz answers %d: %s", status, body)
		}
		return last == nil, nil
	})
	if err != nil {
		return fmt.Errorf("popupd is not ready: %w (%v)\n%s", err, last, p.Log())
	}
	return nil
}

// poll asks until the answer is yes, an error comes or popupd has ended.
func (p *Popupd) poll(ctx context.Context, every time.Duration, ask func(context.Context) (bool, error)) error {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		yes, err := ask(ctx)
		if yes || err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-p.Exited():
			return fmt.Errorf("popupd ended: %s", p.State())
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// call asks the control plane.
func (p *Popupd) call(ctx context.Context, method, path, body string) (int, []byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, "http://"+p.Admin+path, strings.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("Authorization", "Bearer "+p.Token)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := p.client.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	return resp.StatusCode, answer, err
}

// Create makes a popup out of its JSON.
func (p *Popupd) Create(ctx context.Context, popupJSON string) error {
	status, answer, err := p.call(ctx, "POST", "/v1/admin/popups", popupJSON)
	if err == nil && status != http.StatusCreated {
		err = fmt.Errorf("status %d: %s", status, answer)
	}
	if err != nil {
		return fmt.Errorf("create popup: %w", err)
	}
	return nil
}

// Profile returns popupd's CPU profile of a time from now on, in whole seconds.
func (p *Popupd) Profile(ctx context.Context, d time.Duration) ([]byte, error) {
	status, profile, err := p.call(ctx, "GET", fmt.Sprintf("/debug/pprof/profile?seconds=%.0f", d.Seconds()), "")
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("status %d: %s", status, profile)
	}
	if err != nil {
		return nil, fmt.Errorf("CPU profile: %w", err)
	}
	return profile, nil
}

// Metric returns the sum of the samples of a metric, whose name may end in labels.
// That it does not exist is an error.
func (p *Popupd) Metric(ctx context.Context, name string) (float64, error) {
	status, answer, err := p.call(ctx, "GET", "/metrics", "")
	if err != nil {
		return 0, err
	}
	if status != http.StatusOK {
		return 0, fmt.Errorf("/metrics answers %d: %s", status, answer)
	}
	return sumSamples(answer, name)
}

// sumSamples adds up the samples of a metric in the text format of Prometheus.
func sumSamples(text []byte, name string) (sum float64, err error) {
	found := false
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		rest, ours := strings.CutPrefix(lines.Text(), name)
		if !ours || rest == "" || rest[0] != ' ' && rest[0] != '{' {
			continue
		}
		v, err := strconv.ParseFloat(rest[strings.LastIndexByte(rest, ' ')+1:], 64)
		if err != nil {
			return 0, fmt.Errorf("metric %s: %w", name, err)
		}
		sum += v
		found = true
	}
	if !found {
		return 0, fmt.Errorf("there is no metric %s", name)
	}
	return sum, nil
}

// Drained waits until every event in the journal is in the database.
func (p *Popupd) Drained(ctx context.Context) error {
	// Metrics cost popupd a third of a millisecond, which may be measured.
	err := p.poll(ctx, 100*time.Millisecond, func(ctx context.Context) (bool, error) {
		depth, err := p.Metric(ctx, "popupd_queue_depth_events")
		return depth == 0, err
	})
	if err != nil {
		return fmt.Errorf("wait until all events are in the database: %w", err)
	}
	return nil
}
