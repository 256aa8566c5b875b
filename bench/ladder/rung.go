//go:build linux

package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/popupd/popupd/internal/testbed"
)

// rungs are the names of what is measured, from the lowest on; the last is
// popupd.
var rungs = []string{
	"1 all in MySQL",
	"2 writes via a Redis list",
	"3 popups in memory too",
	"4 popupd",
}

const users = 10000 // who have seen all that fits them; mix.lua polls for as many

// bench is what all trials share.
type bench struct {
	bed    *testbed.Testbed
	popups []string // JSON
	file   string   // of the same, for the rival
	script string   // for wrk
}

func newBench(r *testbed.Testbed) (*bench, error) {
	b := &bench{bed: r, popups: popups(), file: filepath.Join(r.Dir(), "popups.json"), script: filepath.Join(r.Dir(), "mix.lua")}
	if err := os.WriteFile(b.file, []byte("["+strings.Join(b.popups, ",")+"]"), 0o600); err != nil {
		return nil, err
	}
	return b, os.WriteFile(b.script, []byte(mix), 0o600)
}

// popups returns 26, of which every fifth fits the users of the load, by the
// version of their app.
func popups() []string {
	var all []string
	for n := range 26 {
		version := "9.0.0"
		if n%5 == 0 {
			version = "3.0.0"
		}
		all = append(all, fmt.Sprintf(`{"key":"p-%d","status":"active","priority":%d,"placements":["home","default"],`+
			`"targeting":{"all":[{"attr":"platform","op":"in","value":["ios","android"]},{"attr":"app_version","op":"semver_gte","value":%q}]},`+
			`"variants":[{"key":"a","content":{"body":"Good to see you.","link":"https://example.com/%d","title":"popup %d"}}]}`, n, n, version, n, n))
	}
	return all
}

// server is one rung that runs, with stores of its own.
type server struct {
	*testbed.Process
	address string
	mysql   *testbed.MySQL
	redis   *testbed.Redis
	popupd  *testbed.Popupd // nil on the rungs below
}

// start starts the stores and the server of a rung, counted from 1, with its
// popups and the users who have seen them.
func (b *bench) start(ctx context.Context, rung int) (s *server, err error) {
	s = new(server)
	defer func() {
		if err != nil {
			s.stop()
			err = fmt.Errorf("rung %s: %w", rungs[rung-1], err)
		}
	}()
	if s.mysql, err = b.bed.MySQL(testbed.StoreOptions{Args: []string{"--max-connections=800", "--innodb-buffer-pool-size=512M"}}); err != nil {
		return s, err
	}
	if _, err := s.mysql.CreateDatabase("popupd"); err != nil {
		return s, err
	}
	if s.redis, err = b.bed.Redis(testbed.StoreOptions{}); err != nil {
		return s, err
	}
	if rung == len(rungs) {
		err = b.startPopupd(ctx, s)
	} else {
		err = b.startRival(s, rung)
	}
	return s, err
}

var address = regexp.MustCompile(`^127\.0\.0\.1:\d+$`)

func (b *bench) startRival(s *server, rung int) error {
	binary, err := b.bed.Build("bench/rivals", "./ladder")
	if err != nil {
		return err
	}
	s.Process, err = b.bed.Start(testbed.Program{
		Name: "rival",
		Args: []string{binary, "-rung", strconv.Itoa(rung), "-mysql", s.mysql.DSN("popupd"), "-redis", s.redis.URL(), "-popups", b.file},
		Ready: func(line string) bool {
			if address.MatchString(line) {
				s.address = line
			}
			return s.address != ""
		},
	})
	if err != nil {
		return err
	}
	_, err = s.mysql.Query("INSERT INTO popupd.user_popup (user_id, popup_id, next_at_ms) SELECT user, popup, now_ms + 86400000 FROM " + seen)
	return err
}

// startPopupd starts it twice: it reads what users have seen when it starts, and
// before that it must have made its tables.
func (b *bench) startPopupd(ctx context.Context, s *server) error {
	options := testbed.PopupdOptions{MySQL: s.mysql.DSN("popupd"), Redis: s.redis.URL()}
	first, err := b.bed.Popupd(options)
	if err != nil {
		return err
	}
	defer first.Kill()
	for _, p := range b.popups {
		if err := first.Create(ctx, p); err != nil {
			return err
		}
	}
	first.Kill()
	_, err = s.mysql.Query("INSERT INTO popupd.user_popup (user_id, popup_id, impressions, last_impression_ms, acted," +
		" last_action, last_action_ms, click_until_ms, next_at_ms) SELECT user, popup, 1, now_ms, 0, 1, now_ms, 0, now_ms + 86400000 FROM " + seen)
	if err != nil {
		return err
	}
	if s.popupd, err = b.bed.Popupd(options); err != nil {
		return err
	}
	s.Process, s.address = s.popupd.Process, s.popupd.Address
	return nil
}

// seen is who has seen what: each user the popups that fit, which have the ids
// 1, 6, 11 and so on. Sequences are an engine of MariaDB.
var seen = fmt.Sprintf(`(SELECT CONCAT('user-', u.seq) user, p.seq popup, UNIX_TIMESTAMP() * 1000 now_ms
	FROM popupd.seq_1_to_%d u JOIN popupd.seq_1_to_26_step_5 p ORDER BY 1, 2) seen`, users)

func (s *server) stop() {
	if s.Process != nil {
		s.Process.Close()
	}
	if s.mysql != nil {
		s.mysql.Close()
	}
	if s.redis != nil {
		s.redis.Close()
	}
}

// drainLimit is how long the database may be behind.
const drainLimit = time.Minute

// drained waits until everything shown is in the database.
func (s *server) drained(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, drainLimit)
	defer cancel()
	if s.popupd != nil {
		return s.popupd.Drained(ctx)
	}
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		left, err := s.pending(ctx)
		if left == 0 || err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("%d impressions are not in the database yet: %w\n%s", left, ctx.Err(), s.Log())
		}
	}
}

// pending asks the rival what is not in the database yet.
func (s *server) pending(ctx context.Context) (int, error) {
	req, err := http.NewRequestWithContext(ctx, "GET", "http://"+s.address+"/pending", nil)
	if err != nil {
		return 0, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, fmt.Errorf("%w\n%s", err, s.Log())
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(string(body))
}
