//go:build linux

package main

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/popupd/popupd/internal/testbed"
)

// ours is a popupd that is being measured, with the database of its own.
type ours struct {
	*testbed.Popupd
	database string
}

// counts are what has happened so far.
type counts struct{ impressions, clicks int64 }

func (a counts) minus(b counts) counts {
	return counts{a.impressions - b.impressions, a.clicks - b.clicks}
}

// startPopupd starts a popupd on a database of its own and prepares it for a
// scenario.
func (b *bench) startPopupd(ctx context.Context, s scenario, m mode) (*target, error) {
	b.started++
	o := testbed.PopupdOptions{Cores: serverCore}
	database := fmt.Sprintf("popupd_%d", b.started)
	if b.mysql != nil {
		dsn, err := b.mysql.CreateDatabase(database)
		if err != nil {
			return nil, err
		}
		o.MySQL = dsn
		if b.started > 1 { // that of the trial before: the data stays small
			if _, err := b.mysql.Query(fmt.Sprintf("DROP DATABASE IF EXISTS popupd_%d", b.started-1)); err != nil {
				return nil, err
			}
		}
	}
	if b.redis != nil {
		if _, err := b.redis.Command("FLUSHALL"); err != nil {
			return nil, err
		}
		o.Redis = b.redis.URL()
	}
	p, err := b.Popupd(o)
	if err != nil {
		return nil, err
	}
	c := &target{
		Process: p.Process, address: p.Address, served: pollPath, actions: filepath.Join(b.Dir(), "actions"), users: 1,
		popupd: &ours{p, database},
	}
	if err := c.prepare(ctx, s, s.actionsFor(m, b.connections, b.duration)); err != nil {
		p.Kill()
		return nil, fmt.Errorf("prepare popupd: %w", err)
	}
	return c, nil
}

const popups = 26 // of which every fifth fits

// prepare makes the popups, shows all that fit to those who must have seen them,
// one to each who will act, and waits until that is in the database.
func (c *target) prepare(ctx context.Context, s scenario, actions int) error {
	fitting := 0
	for n := range popups {
		version := "9.0.0"
		if n%5 == 0 {
			version = "3.0.0"
			fitting++
		}
		err := c.popupd.Create(ctx, fmt.Sprintf(`{"key":"p-%d","status":"active","priority":%d,"placements":["home","default"],
			"targeting":{"all":[{"attr":"platform","op":"in","value":["ios","android"]},{"attr":"app_version","op":"semver_gte","value":%q}]},
			"variants":[{"key":"a","content":{"title":"popup %d"}}]}`, n, n, version, n))
		if err != nil {
			return err
		}
	}
	if s.nothing > 0 {
		for n := range fitting + 1 {
			want := http.StatusOK
			if n == fitting {
				want = http.StatusNoContent
			}
			if err := c.pollAll(ctx, seenUser, seen, want, nil); err != nil {
				return err
			}
		}
	}
	if actions > 0 {
		if err := c.collect(ctx, actions); err != nil {
			return err
		}
	}
	return c.popupd.Drained(ctx)
}

// pollAll polls once for each of n users.
func (c *target) pollAll(ctx context.Context, user string, n, want int, got func(body []byte) error) error {
	return ask(ctx, c.address, n, func(i int) string { return pollOf(pollPath, fmt.Sprintf(user, i+1)) }, func(i int, a *http.Response, body []byte) error {
		if a.StatusCode != want {
			return fmt.Errorf("poll of "+user+": %s, want %d", i+1, a.Status, want)
		}
		if got == nil {
			return nil
		}
		return got(body)
	})
}

// collect polls for users who then act, and writes what they will report.
func (c *target) collect(ctx context.Context, n int) error {
	f, err := os.Create(c.actions)
	if err != nil {
		return err
	}
	defer f.Close()
	w := bufio.NewWriter(f)
	err = c.pollAll(ctx, actUser, n, http.StatusOK, func(body []byte) error {
		action, err := actionFor(body)
		if err == nil {
			_, err = w.WriteString(action + "\n")
		}
		return err
	})
	if err != nil {
		return err
	}
	return w.Flush()
}

// answered returns how many impressions and clicks popupd says it has answered
// 200 and 202.
func (o *ours) answered(ctx context.Context) (counts, error) {
	shown, err := o.Metric(ctx, `popupd_decisions_total{outcome="served"}`)
	if err != nil {
		return counts{}, err
	}
	clicks, err := o.Metric(ctx, `popupd_actions_total{action="click",result="counted"}`)
	return counts{int64(shown), int64(clicks)}, err
}

// stored returns how many impressions and clicks are in MariaDB.
func (b *bench) stored(database string) (counts, error) {
	row, err := b.mysql.Query("SELECT COALESCE(SUM(action = 1), 0), COALESCE(SUM(action = 2), 0) FROM " + database + ".event")
	if err != nil {
		return counts{}, err
	}
	var n [2]int64
	for i, column := range strings.Fields(row) {
		if n[i], err = strconv.ParseInt(column, 10, 64); err != nil {
			return counts{}, err
		}
	}
	return counts{n[0], n[1]}, nil
}
