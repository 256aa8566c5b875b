//go:build linux

package main

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"
	"golang.org/x/sys/unix"

	"github.com/popupd/popupd/internal/testbed"
)

// popups is how many a deployment has; every fifth fits its users.
const popups = 26

// deployment is popupd with stores of its own, ready to be measured.
type deployment struct {
	*testbed.Testbed
	mysql  *testbed.MySQL
	redis  *testbed.Redis
	popupd *testbed.Popupd
	server string // cores of what is measured, as for taskset -c; "" = any
}

// newDeployment starts popupd and its stores, and prepares them.
func newDeployment(ctx context.Context, pin bool, users int) (_ *deployment, err error) {
	for binary, pkg := range map[string]string{"mariadbd": "mariadb-server", "redis-server": "redis-server"} {
		if err := testbed.Need(binary, pkg); err != nil {
			return nil, err
		}
	}
	s := new(deployment)
	others := ""
	if pin && runtime.NumCPU() > 1 {
		s.server, others = "0", "1"
		if err := pinSelf(1); err != nil {
			return nil, err
		}
	}
	if s.Testbed, err = testbed.New(ctx); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			s.Close()
		}
	}()
	if s.mysql, err = s.MySQL(testbed.StoreOptions{Cores: others}); err != nil {
		return nil, err
	}
	if s.redis, err = s.Redis(testbed.StoreOptions{Cores: others}); err != nil {
		return nil, err
	}
	dsn, err := s.mysql.CreateDatabase("popupd")
	if err != nil {
		return nil, err
	}
	if s.popupd, err = s.Popupd(testbed.PopupdOptions{Cores: s.server, MySQL: dsn, Redis: s.redis.URL()}); err != nil {
		return nil, err
	}
	return s, s.prepare(ctx, users)
}

func (s *deployment) address() netip.AddrPort { return netip.MustParseAddrPort(s.popupd.Address) }

// prepare makes the popups, shows all that fit to the known users, and waits
// until that is in the database.
func (s *deployment) prepare(ctx context.Context, users int) error {
	fmt.Fprintf(os.Stderr, "prepare: %d popups, %d users who have seen all\n", popups, users)
	for n := range popups {
		version := "9.0.0"
		if n%5 == 0 {
			version = "3.0.0"
		}
		err := s.popupd.Create(ctx, fmt.Sprintf(`{"key":"p-%d","status":"active","priority":%d,"placements":["home","default"],
			"targeting":{"all":[{"attr":"platform","op":"in","value":["ios","android"]},{"attr":"app_version","op":"semver_gte","value":%q}]},
			"variants":[{"key":"a","content":{"title":"popup %d"}}]}`, n, n, version, n))
		if err != nil {
			return err
		}
	}
	shown, err := warm(ctx, s.address(), users)
	if err != nil {
		return err
	}
	if err := s.popupd.Drained(ctx); err != nil {
		return err
	}
	stored, err := s.stored()
	if err == nil && stored != (events{impressions: shown}) {
		err = fmt.Errorf("MariaDB has %+v of %d impressions", stored, shown)
	}
	return err
}

// warm polls for every known user until there is nothing left to show, and
// returns how many popups it was shown.
func warm(ctx context.Context, address netip.AddrPort, users int) (shown int64, err error) {
	client := fasthttp.HostClient{Addr: address.String(), MaxConns: 32, ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second}
	defer client.CloseIdleConnections()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var next, total atomic.Int64
	var all sync.WaitGroup
	for range 32 {
		all.Go(func() {
			var request fasthttp.Request
			var answer fasthttp.Response
			for n := next.Add(1) - 1; n < int64(users) && ctx.Err() == nil; n = next.Add(1) - 1 {
				request.SetRequestURI(fmt.Sprintf("http://%s/v1/poll?uid=user-%07d&placement=home&platform=ios&app_version=3.2.1&locale=zh-CN&country=CN", address, n))
				for status := fasthttp.StatusOK; status == fasthttp.StatusOK; {
					if err := client.Do(&request, &answer); err != nil {
						cancel(fmt.Errorf("warm: %w", err))
						return
					}
					switch status = answer.StatusCode(); status {
					case fasthttp.StatusOK:
						total.Add(1)
					case fasthttp.StatusNoContent:
					default:
						cancel(fmt.Errorf("warm: poll answers %d: %s", status, answer.Body()))
						return
					}
				}
			}
		})
	}
	all.Wait()
	return total.Load(), context.Cause(ctx)
}

// events are those in MariaDB.
type events struct{ impressions, clicks int64 }

func (s *deployment) stored() (events, error) {
	row, err := s.mysql.Query("SELECT COALESCE(SUM(action = 1), 0), COALESCE(SUM(action = 2), 0), COUNT(*) FROM popupd.event")
	if err != nil {
		return events{}, err
	}
	var e events
	var all int64
	if _, err := fmt.Sscan(row, &e.impressions, &e.clicks, &all); err != nil {
		return events{}, fmt.Errorf("count events %q: %w", row, err)
	}
	if all != e.impressions+e.clicks {
		return events{}, fmt.Errorf("%d events that are neither impressions nor clicks", all-e.impressions-e.clicks)
	}
	return e, nil
}

// samples are popupd's metrics by series, as /metrics prints them.
type samples map[string]float64

func (s *deployment) scrape(ctx context.Context) (samples, error) {
	req, err := http.NewRequestWithContext(ctx, "GET", "http://"+s.popupd.Admin+"/metrics", nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	all := samples{}
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() {
		series, value, ok := strings.Cut(lines.Text(), " ")
		if !ok || series == "#" {
			continue
		}
		if all[series], err = strconv.ParseFloat(value, 64); err != nil {
			return nil, fmt.Errorf("metric %s: %w", series, err)
		}
	}
	return all, lines.Err()
}

// pinSelf keeps all threads of this process, and those that they start, to a core.
func pinSelf(core int) error {
	var cores unix.CPUSet
	cores.Set(core)
	threads, err := filepath.Glob("/proc/self/task/*")
	if err != nil {
		return err
	}
	for _, thread := range threads {
		id, err := strconv.Atoi(filepath.Base(thread))
		if err != nil {
			return err
		}
		if err := unix.SchedSetaffinity(id, &cores); err != nil && err != unix.ESRCH {
			return fmt.Errorf("pin to core %d: %w", core, os.NewSyscallError("sched_setaffinity", err))
		}
	}
	return nil
}
