// Command wrk compares popupd with a bare fasthttp handler under wrk: the
// server on one core, wrk on another, the two servers taking turns, and the
// median of the ratios of the rounds as the result.
//
// The request is a poll with nothing to show: 10,000 users who have seen all
// that fits of 26 popups. It needs wrk and taskset, talks to loopback only and
// ends what it started.
package main

import (
	"bufio"
	"cmp"
	"context"
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

//go:embed poll.lua
var script string

const (
	users  = 10000
	popups = 26
	token  = "bench-admin-token"
)

func main() {
	rounds := flag.Int("rounds", 7, "turns of each server")
	duration := flag.Duration("duration", 5*time.Second, "of a turn")
	connections := flag.Int("connections", 64, "keep-alive connections")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := compare(ctx, *rounds, *duration, *connections); err != nil {
		fmt.Fprintln(os.Stderr, "wrk:", err)
		os.Exit(1)
	}
}

// rival is a server that is being measured.
type rival struct {
	name    string
	address string
	cmd     *exec.Cmd
}

// run is what one turn measured.
type run struct {
	perSecond float64
	p50, p99  string
	cpu       float64 // microseconds of the server's CPU a request
}

func compare(ctx context.Context, rounds int, duration time.Duration, connections int) error {
	dir, err := os.MkdirTemp("", "popupd-wrk-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	lua := filepath.Join(dir, "poll.lua")
	if err := os.WriteFile(lua, []byte(script), 0o600); err != nil {
		return err
	}
	popupd, bare := filepath.Join(dir, "popupd"), filepath.Join(dir, "bare")
	if err := build(ctx, popupd, "."); err != nil {
		return err
	}
	if err := build(ctx, bare, "./bench/bare"); err != nil {
		return err
	}
	// Servers are started anew for every round: where a process lies in memory
	// makes a difference that lasts as long as it does.
	var ours, theirs []run
	for n := range rounds {
		r, headers, err := startPopupd(ctx, popupd, filepath.Join(dir, fmt.Sprint("data-", n)))
		if err != nil {
			return err
		}
		got, err := r.measure(ctx, lua, duration, connections)
		r.stop()
		if err != nil {
			return err
		}
		ours = append(ours, got)
		if r, err = startBare(ctx, bare, headers); err != nil {
			return err
		}
		got, err = r.measure(ctx, lua, duration, connections)
		r.stop()
		if err != nil {
			return err
		}
		theirs = append(theirs, got)
		fmt.Fprintf(os.Stderr, "round %d: popupd %.0f requests/s, bare %.0f, ratio %.3f\n", n+1,
			ours[n].perSecond, got.perSecond, ours[n].perSecond/got.perSecond)
	}
	var ratios []float64
	for n := range rounds {
		ratios = append(ratios, ours[n].perSecond/theirs[n].perSecond)
	}
	slices.Sort(ratios)
	fmt.Printf("| server | requests/s | p50 | p99 | CPU us/request |\n|---|---|---|---|---|\n")
	row("bare fasthttp", theirs)
	row("popupd", ours)
	fmt.Printf("\nratio of requests/s, median of %d rounds: %.2f (%.2f to %.2f)\n", rounds, ratios[len(ratios)/2], ratios[0], ratios[len(ratios)-1])
	return nil
}

// row prints the run of the median throughput.
func row(name string, runs []run) {
	sorted := slices.SortedFunc(slices.Values(runs), func(a, b run) int { return cmp.Compare(a.perSecond, b.perSecond) })
	m := sorted[len(sorted)/2]
	fmt.Printf("| %s | %.0f | %s | %s | %.1f |\n", name, m.perSecond, m.p50, m.p99, m.cpu)
}

func build(ctx context.Context, binary, pkg string) error {
	if out, err := exec.CommandContext(ctx, "go", "build", "-o", binary, pkg).CombinedOutput(); err != nil {
		return fmt.Errorf("build %s: %w\n%s", pkg, err, out)
	}
	return nil
}

// startPopupd starts popupd on core 0 with 26 popups and shows every user what
// fits. It returns the headers of a 204.
func startPopupd(ctx context.Context, binary, data string) (*rival, []string, error) {
	r := &rival{name: "popupd"}
	r.cmd = exec.CommandContext(ctx, "taskset", "-c", "0", binary, "-data", data, "-admin-token", token,
		"-listen", "127.0.0.1:0", "-admin-listen", "127.0.0.1:0", "-drain", "0s")
	stderr, err := r.cmd.StderrPipe()
	if err != nil {
		return nil, nil, err
	}
	if err := r.cmd.Start(); err != nil {
		return nil, nil, err
	}
	var admin string
	lines := bufio.NewScanner(stderr)
	listening := regexp.MustCompile(`msg=listening plane=(\w+) address=(\S+)`)
	for (r.address == "" || admin == "") && lines.Scan() {
		if m := listening.FindStringSubmatch(lines.Text()); m != nil && m[1] == "data" {
			r.address = m[2]
		} else if m != nil {
			admin = m[2]
		}
	}
	go io.Copy(io.Discard, stderr)
	if r.address == "" || admin == "" {
		r.stop()
		return nil, nil, errors.New("popupd did not start")
	}
	if err := r.prepare(ctx, admin); err != nil {
		r.stop()
		return nil, nil, err
	}
	headers, err := r.headers(ctx)
	if err != nil {
		r.stop()
		return nil, nil, err
	}
	return r, headers, nil
}

// prepare makes the popups and polls for each user until nothing is left to
// show, and waits until all that is recorded.
func (r *rival) prepare(ctx context.Context, admin string) error {
	for {
		if resp, err := http.Get("http://" + admin + "/readyz"); err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				break
			}
		}
		if err := sleep(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
	for n := range popups {
		// Of the popups, every fifth fits the users of the script.
		version := "9.0.0"
		if n%5 == 0 {
			version = "3.0.0"
		}
		body := fmt.Sprintf(`{"key":"p-%d","status":"active","priority":%d,"placements":["home","default"],
			"targeting":{"all":[{"attr":"platform","op":"in","value":["ios","android"]},{"attr":"app_version","op":"semver_gte","value":%q}]},
			"variants":[{"key":"a","content":{"title":"popup %d"}}]}`, n, n, version, n)
		req, err := http.NewRequestWithContext(ctx, "POST", "http://"+admin+"/v1/admin/popups", strings.NewReader(body))
		if err != nil {
			return err
		}
		req.Header.Set("Authorization", "Bearer "+token)
		req.Header.Set("Content-Type", "application/json")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return err
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusCreated {
			return fmt.Errorf("create popup: %s", resp.Status)
		}
	}
	for n := 1; n <= users; n++ {
		for {
			resp, err := r.poll(ctx, n)
			if err != nil {
				return err
			}
			if resp.StatusCode == http.StatusNoContent {
				break
			}
			if resp.StatusCode != http.StatusOK {
				return fmt.Errorf("poll: %s", resp.Status)
			}
		}
	}
	return sleep(ctx, 3*time.Second) // until the events of this are in the database
}

func (r *rival) poll(ctx context.Context, user int) (*http.Response, error) {
	url := fmt.Sprintf("http://%s/v1/poll?uid=user-%d&placement=home&platform=ios&app_version=3.2.1&locale=zh-CN&country=CN", r.address, user)
	req, err := http.NewRequestWithContext(ctx, "GET", url, nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return resp, err
}

// headers returns those of a 204, less what fasthttp writes by itself.
func (r *rival) headers(ctx context.Context) ([]string, error) {
	resp, err := r.poll(ctx, 1)
	if err != nil {
		return nil, err
	}
	var all []string
	for name, values := range resp.Header {
		if name != "Date" && name != "Content-Length" {
			all = append(all, name+": "+values[0])
		}
	}
	slices.Sort(all)
	return all, nil
}

func startBare(ctx context.Context, binary string, headers []string) (*rival, error) {
	r := &rival{name: "bare fasthttp"}
	r.cmd = exec.CommandContext(ctx, "taskset", append([]string{"-c", "0", binary}, headers...)...)
	stdout, err := r.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := r.cmd.Start(); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		r.stop()
		return nil, fmt.Errorf("bare did not start: %w", err)
	}
	r.address = strings.TrimSpace(line)
	return r, nil
}

func (r *rival) stop() {
	r.cmd.Process.Kill()
	r.cmd.Wait()
}

var (
	perSecond = regexp.MustCompile(`Requests/sec:\s+([\d.]+)`)
	total     = regexp.MustCompile(`(\d+) requests in`)
	quantile  = regexp.MustCompile(`(?m)^\s+(50|99)%\s+(\S+)`)
	failed    = regexp.MustCompile(`Non-2xx|Socket errors`)
)

// measure is one turn.
func (r *rival) measure(ctx context.Context, lua string, duration time.Duration, connections int) (run, error) {
	before, err := cpuTime(r.cmd.Process.Pid)
	if err != nil {
		return run{}, err
	}
	out, err := exec.CommandContext(ctx, "taskset", "-c", "1", "wrk", "-t1", "-c", strconv.Itoa(connections),
		"-d", duration.String(), "--latency", "-s", lua, "http://"+r.address).CombinedOutput()
	if err != nil {
		return run{}, fmt.Errorf("wrk: %w\n%s", err, out)
	}
	after, err := cpuTime(r.cmd.Process.Pid)
	if err != nil {
		return run{}, err
	}
	rate, all := perSecond.FindSubmatch(out), total.FindSubmatch(out)
	if rate == nil || all == nil || failed.Match(out) {
		return run{}, fmt.Errorf("wrk on %s had errors:\n%s", r.name, out)
	}
	var got run
	got.perSecond, _ = strconv.ParseFloat(string(rate[1]), 64)
	requests, _ := strconv.ParseFloat(string(all[1]), 64)
	got.cpu = float64((after - before).Microseconds()) / requests
	for _, q := range quantile.FindAllSubmatch(out, -1) {
		if string(q[1]) == "50" {
			got.p50 = string(q[2])
		} else {
			got.p99 = string(q[2])
		}
	}
	return got, nil
}

// cpuTime reads what a process has used so far, see proc_pid_stat(5). The
// clock tick of Linux is 100 Hz in user space.
func cpuTime(pid int) (time.Duration, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	var ticks int64
	for _, field := range fields[11:13] { // utime, stime
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0, err
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond, nil
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
