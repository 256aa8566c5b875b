package testbed

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Options of a popupd.
type Options struct {
	Binary       string // "" is built from this tree
	Cores, Netns string // as of a Program
	Host         string // address to listen on, 127.0.0.1 by default
	MySQL, Redis string // DSN and URL; "" is embedded
	Data         string // directory; "" is a fresh one
	Flags, Env   []string
}

// Popupd is a running popupd.
type Popupd struct {
	*Process
	Address string // host:port of the data plane
	Admin   string // and of the control plane
	Token   string // bearer token of the control plane
	client  *http.Client
}

var listening = regexp.MustCompile(`msg=listening plane=(\w+) address=(\S+)`)

// Popupd starts a popupd on free ports and waits until it is ready.
func (r *Testbed) Popupd(o Options) (*Popupd, error) {
	if o.Binary == "" {
		var err error
		if o.Binary, err = r.Build(".", "."); err != nil {
			return nil, err
		}
	}
	if o.Host == "" {
		o.Host = "127.0.0.1"
	}
	if o.Data == "" {
		r.mu.Lock()
		o.Data = r.newDirLocked("data")
		r.mu.Unlock()
	}
	p := &Popupd{Token: rand.Text(), client: newClient(o.Netns)}
	args := append([]string{
		o.Binary, "-listen", o.Host + ":0", "-admin-listen", o.Host + ":0", "-admin-token", p.Token,
		"-mysql", o.MySQL, "-redis", o.Redis, "-data", o.Data, "-drain", "0s",
	}, o.Flags...)
	process, err := r.Start(Program{
		Name: "popupd", Args: args, Env: o.Env, Cores: o.Cores, Netns: o.Netns,
		Ready: func(line string) bool {
			if m := listening.FindStringSubmatch(line); m != nil && m[1] == "data" {
				p.Address = m[2]
			} else if m != nil {
				p.Admin = m[2]
			}
			return p.Address != "" && p.Admin != ""
		},
	})
	if err != nil {
		return nil, err
	}
	p.Process = process
	ctx, cancel := context.WithTimeout(r.ctx, patience)
	defer cancel()
	if err := p.poll(ctx, 10*time.Millisecond, p.ready); err != nil {
		p.Stop()
		return nil, fmt.Errorf("popupd is not ready: %w\n%s", err, p.Log())
	}
	return p, nil
}

func (p *Popupd) ready(ctx context.Context) (bool, error) {
	status, _, err := p.call(ctx, "GET", "/readyz", "")
	return status == http.StatusOK, err
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
			return fmt.Errorf("popupd ended: %s", p.cmd.ProcessState)
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

// Metric returns the sum of the samples of the metric popupd_NAME. That it does
// not exist is an error.
func (p *Popupd) Metric(ctx context.Context, name string) (float64, error) {
	status, answer, err := p.call(ctx, "GET", "/metrics", "")
	if err != nil {
		return 0, err
	}
	if status != http.StatusOK {
		return 0, fmt.Errorf("/metrics answers %d", status)
	}
	return sumSamples(answer, "popupd_"+name)
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
		depth, err := p.Metric(ctx, "queue_depth_events")
		return depth == 0, err
	})
	if err != nil {
		return fmt.Errorf("wait until all events are in the database: %w", err)
	}
	return nil
}
