//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"os"
	"strings"
	"sync"
	"time"
)

// What the tables hold. Users are spread over servers, and a server has the same users come back in each
// era, in the same order, which is that of no key: so the events of an era are those of the first one,
// moved in time. Of four events three are impressions, each of another pair of user and popup, and the fourth
// is an action on the third.
const (
	eras      = 10 // one after another; a stream of each server in each
	servers   = 4  // side by side
	eraDays   = 10
	popups    = 200 // a user has seen two of them: n and n+100
	perVisit  = 4   // events of three visits
	permuting = 15485863
	waitSec   = 86400     // after an impression or a dismissal
	clickSec  = 5 * 86400 // after a click
)

// popupJSON is a popup, whose placement is its own. One of two has two variants, so it is an experiment;
// hardly anybody gets the second one, since what is filled must not depend on how users are dealt to variants.
func popupJSON(n int) string {
	variants := `{"key":"a","weight":10000,"content":{"title":"Popup"}}`
	if n > popups/2 {
		variants += `,{"key":"b","weight":1,"content":{"title":"Other"}}`
	}
	return fmt.Sprintf(`{"key":"popup-%d","status":"active","placements":["place-%d"],"frequency":{"after_click_sec":%d},"variants":[%s]}`, n, n, clickSec, variants)
}

// stream is how many events a stream has, visits how many of them are impressions: as many as a server
// has pairs.
func (m *measurement) stream() int { return m.events / eras / servers }
func (m *measurement) visits() int { return m.stream() / perVisit * 3 }

// validate says what is wrong with the call.
func (m *measurement) validate() error {
	if m.events <= 0 || m.events%(eras*servers*perVisit*2) != 0 || m.visits()%permuting == 0 {
		return fmt.Errorf("-events %d: want a multiple of %d", m.events, eras*servers*perVisit*2)
	}
	for _, part := range m.parts {
		if parts[part] == nil {
			return fmt.Errorf("%q: want reconcile, disk, queries, reset or flush", part)
		}
	}
	return nil
}

// fill writes the tables.
func (m *measurement) fill(ctx context.Context) error {
	if _, err := m.mysql.CreateDatabase(database); err != nil {
		return err
	}
	if err := m.start("-retention", "0s"); err != nil { // which makes the schema
		return err
	}
	for n := 1; n <= popups; n++ {
		if err := m.server.Create(ctx, popupJSON(n)); err != nil {
			m.server.Kill()
			return err
		}
	}
	err := m.server.Stop()
	m.server = nil
	if err != nil {
		return err
	}
	if ids, err := m.mysql.Query("SELECT COUNT(*) FROM popupd.popups WHERE `key` = CONCAT('popup-', id)"); err != nil || ids != fmt.Sprint(popups) {
		return errors.Join(err, fmt.Errorf("%s popups have the id of their key", ids))
	}
	f := filling{measurement: m}
	f.init(time.Now())
	const piece = 2_500_000
	pairs := servers * m.visits()
	if err := f.run(ctx,
		step{"ingest_stream", 0, 1, 1, f.streams},
		step{"template", 0, servers, 1, f.template},
	); err != nil {
		return err
	}
	// A statement takes one core, so several run side by side.
	var lanes sync.WaitGroup
	var errs [2]error
	lanes.Go(func() { errs[0] = f.run(ctx, step{"event", 0, eras * servers, 1, f.eventRows}) })
	lanes.Go(func() {
		errs[1] = f.run(ctx,
			step{"user_popup", 0, pairs, piece, f.states},
			step{"impression", 0, pairs, piece, f.impressions},
			step{"experiment_user", 0, pairs, piece, f.experimentUsers},
			step{"experiment_count", 0, 1, 1, f.experimentCounts},
			step{"popup_stats", 0, eras, 1, f.statistics},
			step{"audit", 0, 1, 1, f.audit})
	})
	lanes.Wait()
	if err := errors.Join(errs[:]...); err != nil {
		return err
	}
	_, err = m.mysql.Query("DROP DATABASE template; ANALYZE TABLE popupd.event, popupd.impression, popupd.user_popup, popupd.experiment_user, popupd.popup_stats")
	return err
}

// filling is what fills the tables.
type filling struct {
	*measurement
	words *strings.Replacer
}

// step writes a table, a piece at a time, with the statement for what is numbered from to to.
type step struct {
	table           string
	from, to, piece int
	statement       func(from, to int) string
}

func (f *filling) run(ctx context.Context, steps ...step) error {
	for _, s := range steps {
		for from := s.from; from < s.to; from += s.piece {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			start := time.Now()
			end := min(from+s.piece, s.to)
			if _, err := f.mysql.Query(f.words.Replace(s.statement(from, end-1))); err != nil {
				return fmt.Errorf("fill %s: %w", s.table, err)
			}
			fmt.Fprintf(os.Stderr, "fill: %s: %d of %d in %.1f s\n", s.table, end, s.to, time.Since(start).Seconds())
		}
	}
	return nil
}

// init says what the words of the statements stand for. The history ends at a full hour, and an era
// has as many hours as another.
func (f *filling) init(now time.Time) {
	era := int64(eraDays) * 24 * time.Hour.Milliseconds()
	visits := int64(f.visits())
	inverse := new(big.Int).ModInverse(big.NewInt(permuting), big.NewInt(visits)).Int64()
	f.words = strings.NewReplacer(
		"{STREAM}", fmt.Sprint(f.stream()), "{SERVERS}", fmt.Sprint(servers), "{VISITS}", fmt.Sprint(visits),
		"{PERMUTE}", fmt.Sprint(permuting%visits), "{INVERT}", fmt.Sprint(inverse), "{HALF}", fmt.Sprint(popups/2),
		"{BEGIN}", fmt.Sprint(now.Truncate(time.Hour).UnixMilli()-eras*era), "{ERA}", fmt.Sprint(era), "{ERAS}", fmt.Sprint(eras),
		"{WAIT}", fmt.Sprint(waitSec*1000), "{CLICK}", fmt.Sprint(clickSec*1000), "{HOUR}", fmt.Sprint(time.Hour.Milliseconds()),
	)
}

func (f *filling) streams(int, int) string {
	return `CREATE DATABASE template;
		INSERT INTO popupd.ingest_stream (stream_no, stream_id, last_seq, removed, closed, host, updated_ms)
		SELECT seq, LOWER(LPAD(HEX(seq), 32, '0')), {STREAM}, 0, 1, 'bench', {BEGIN} + (1 + (seq - 1) DIV {SERVERS}) * {ERA}
		FROM popupd.seq_1_to_` + fmt.Sprint(eras*servers) + `;
		INSERT INTO popupd.experiment_progress (stream_no, seq) SELECT stream_no, last_seq FROM popupd.ingest_stream`
}

// template is an era of a server, with times from its beginning.
func (f *filling) template(server, _ int) string {
	return strings.ReplaceAll(`CREATE TABLE template.t{N} ENGINE=MyISAM SELECT s, CAST((s - 1) * {SERVERS} + {N} AS INT) * {ERA} DIV ({SERVERS} * {STREAM}) at,
			CAST(CONCAT('u', LPAD(user, 15, '0')) AS BINARY(16)) user_id, CAST(1 + user % {HALF} + q % 2 * {HALF} AS INT) popup_id,
			CAST(IF(s % 4 > 0, 1, IF(q % 3 = 0, 2, 3)) AS INT) action, CAST((s - IF(s % 4 > 0, 1, 2)) * {SERVERS} + {N} AS INT) * {ERA} DIV ({SERVERS} * {STREAM}) served
		FROM (SELECT s, q, q DIV 2 * {SERVERS} + {N} user
			FROM (SELECT seq s, ((seq - 1) DIV 4 * 3 + LEAST((seq - 1) % 4, 2)) * {PERMUTE} % {VISITS} q FROM popupd.seq_1_to_{STREAM}) a) b`, "{N}", fmt.Sprint(server))
}

func (f *filling) eventRows(n, _ int) string {
	return strings.NewReplacer("STREAM_NO", fmt.Sprint(n+1), "ERA_NO", fmt.Sprint(n/servers), "SERVER", fmt.Sprint(n%servers)).Replace(
		`INSERT INTO popupd.event (stream_no, seq, at_ms, user_id, popup_id, version, variant, action, served_at_ms, nth, repeated)
		SELECT STREAM_NO, s, {BEGIN} + ERA_NO * {ERA} + at, user_id, popup_id, 1, 'a', action, {BEGIN} + ERA_NO * {ERA} + served, ERA_NO + 1, 0 FROM template.tSERVER`)
}

// statistics adds up the first era; the others are the same, but have no new users.
func (f *filling) statistics(era, _ int) string {
	if era > 0 {
		return fmt.Sprintf(`INSERT INTO popupd.popup_stats (popup_id, hour, variant, impressions, users, clicks, dismisses, converts, controls, click_users)
			SELECT popup_id, hour + %d * {ERA}, variant, impressions, 0, clicks, dismisses, 0, 0, 0 FROM popupd.popup_stats WHERE hour < {BEGIN} + {ERA}`, era)
	}
	sums := `INSERT INTO popupd.popup_stats (popup_id, hour, variant, impressions, users, clicks, dismisses, converts, controls, click_users)`
	for server := range servers {
		if server > 0 {
			sums += " UNION ALL"
		}
		sums += fmt.Sprintf(" SELECT popup_id, {BEGIN} + at DIV {HOUR} * {HOUR} h, 'a', SUM(action = 1) i, SUM(action = 1) u, SUM(action = 2) c, SUM(action = 3) d, 0, 0, SUM(action = 2) cu FROM template.t%d GROUP BY popup_id, h", server)
	}
	return sums + ` ON DUPLICATE KEY UPDATE impressions = impressions + VALUES(impressions), users = users + VALUES(users), clicks = clicks + VALUES(clicks),
		dismisses = dismisses + VALUES(dismisses), click_users = click_users + VALUES(click_users)`
}

// ofPairs selects pairs in the order of their keys, with the times of their impression and action from
// the beginning of an era. acts is 1 if there is an action, which is number action.
func ofPairs(from, to int) string {
	return `SELECT CONCAT('u', LPAD(user, 15, '0')) user_id, 1 + user % {HALF} + which * {HALF} popup_id, v, v % 3 = 2 acts, IF(q % 3 = 0, 2, 3) action,
			((v DIV 3 * 4 + v % 3) * {SERVERS} + server) * {ERA} DIV ({SERVERS} * {STREAM}) shown, ((v DIV 3 * 4 + 3) * {SERVERS} + server) * {ERA} DIV ({SERVERS} * {STREAM}) acted
		FROM (SELECT user, which, q, user % {SERVERS} server, q * {INVERT} % {VISITS} v
			FROM (SELECT user, which, user DIV {SERVERS} * 2 + which q
				FROM (SELECT seq DIV 2 user, seq % 2 which FROM ` + fmt.Sprintf("popupd.seq_%d_to_%d", from, to) + `) a) b) c`
}

// lastEra is when it began.
const lastEra = "{BEGIN} + ({ERAS} - 1) * {ERA}"

func (f *filling) states(from, to int) string {
	return `INSERT INTO popupd.user_popup (user_id, popup_id, ever, impressions, last_impression_ms, last_shown_ms, acted, last_action, last_action_ms, click_until_ms, next_at_ms)
		SELECT user_id, popup_id, 129 + IF(acts AND action = 2, 4, 0), {ERAS}, ` + lastEra + ` + shown, ` + lastEra + ` + shown, IF(acts, action - 1, 0), IF(acts, action, 1),
			` + lastEra + ` + IF(acts, acted, shown), IF(acts, ` + lastEra + ` + acted + IF(action = 2, {CLICK}, {WAIT}), 0), ` + lastEra + ` + IF(acts, acted + IF(action = 2, {CLICK}, {WAIT}), shown + {WAIT})
		FROM (` + ofPairs(from, to) + `) p`
}

// impressions writes those of the last nine of ten days: they stay for eight, and until the next walk.
func (f *filling) impressions(from, to int) string {
	return `INSERT INTO popupd.impression (user_id, popup_id, served_at_ms, version, variant, acted)
		SELECT user_id, popup_id, ` + lastEra + ` + shown, 1, 'a', IF(acts, action - 1, 0) FROM (` + ofPairs(from, to) + `) p WHERE v >= {VISITS} DIV 10`
}

func (f *filling) experimentUsers(from, to int) string {
	return `INSERT INTO popupd.experiment_user (user_id, popup_id, exposed_ms, version, variant, mixed_ms, click_ms, convert_ms)
		SELECT user_id, popup_id, {BEGIN} + shown, 1, 'a', 0, IF(acts AND action = 2, {BEGIN} + acted, 0), 0 FROM (` + ofPairs(from, to) + `) p WHERE popup_id > {HALF}`
}

func (f *filling) experimentCounts(int, int) string {
	return `INSERT INTO popupd.experiment_count (popup_id, version, variant, outcome, days, users)
		SELECT popup_id, 1, 'a', 'exposed', 0, COUNT(*) FROM popupd.experiment_user GROUP BY popup_id;
		INSERT INTO popupd.experiment_count (popup_id, version, variant, outcome, days, users)
		SELECT popup_id, 1, 'a', 'clicked', 0, COUNT(*) FROM popupd.experiment_user WHERE click_ms > 0 GROUP BY popup_id`
}

func (f *filling) audit(int, int) string {
	return `INSERT INTO popupd.audit (at_ms, actor, action, object, from_version, to_version)
		SELECT {BEGIN} + seq, 'bench', 'update', CONCAT('popup-', 1 + seq % 200), 1, 1 FROM popupd.seq_1_to_` + fmt.Sprint(f.events/100)
}
