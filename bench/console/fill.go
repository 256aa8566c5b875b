//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"
)

// template is the popup whose others are copies, but for what says SEQ: their number, NAME:
// one for people, TEAM and PLACE.
const template = `{"key":"campaign-SEQ","name":"NAME","status":"active","priority":5,"placements":["home","place-PLACE"],
	"schedule":{"start_at":"2026-01-01T00:00:00Z","timezone":"Asia/Shanghai","days":["mon","tue","wed","thu","fri"],"hours":[["09:00","18:00"]]},
	"targeting":{"all":[{"attr":"platform","op":"in","value":["ios","android"]},{"attr":"app_version","op":"semver_gte","value":"3.2.0"},{"attr":"orders","op":"gte","value":3}],
		"none":[{"attr":"country","op":"in","value":["US","CA"]}]},
	"goal":{"event":"purchase"},"tags":["team-TEAM","retail"],
	"variants":[
		{"key":"a","content":{"kind":"modal","title":"Up to 40 % off, campaign SEQ","body":"Everything in the spring collection, today and tomorrow only.","image":"https://img.example.com/spring/SEQ.jpg","link":"https://shop.example.com/sale","cta":"To the sale","dismiss":"Not now"},
			"translations":{"zh-Hans":{"title":"低至六折","body":"春季系列全场，仅限今明两天。","cta":"去看看"},"de":{"title":"Bis zu 40 % reduziert","body":"Die ganze Frühlingskollektion, nur heute und morgen.","cta":"Zum Sale"}}},
		{"key":"b","content":{"kind":"banner","title":"Two days left","body":"40 % off everything you like.","link":"https://shop.example.com/sale"}}]}`

// fill writes the popups, what was counted of them and their audit trail, unless an earlier
// call has.
func (m *measurement) fill(ctx context.Context) error {
	if databases, err := m.mysql.Query("SHOW DATABASES LIKE '" + database + "'"); err != nil || databases != "" {
		return err
	}
	if _, err := m.mysql.CreateDatabase(database); err != nil {
		return err
	}
	if err := m.start(); err != nil { // which makes the schema
		return err
	}
	defer m.server.Kill()
	if err := m.server.Create(ctx, strings.NewReplacer("SEQ", "0", "NAME", "NAME", "TEAM", "0", "PLACE", "0").Replace(template)); err != nil {
		return err
	}
	if err := m.fillPopups(); err != nil {
		return err
	}
	const rowsAtOnce = 2_000_000
	some := max(1, rowsAtOnce/m.rowsOfOne())
	for at := 1; at <= m.popups && ctx.Err() == nil; at += some {
		fmt.Fprintf(os.Stderr, "fill: %d of %d popups\n", at-1, m.popups)
		if err := m.fillStats(at, min(at+some-1, m.popups)); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// rowsOfOne is how many rows of popup_stats a popup has.
func (m *measurement) rowsOfOne() int { return 2 * 24 * m.days }

// fillPopups copies the first popup. Names and priorities are in no order.
func (m *measurement) fillPopups() error {
	_, err := m.mysql.Query(strings.NewReplacer("LAST", fmt.Sprint(m.popups)).Replace(
		`INSERT INTO popupd.popups (id, ` + "`key`" + `, status, priority, start_at, end_at, max_impressions, goal_window_sec, spec, version, updated_at)
		SELECT seq + 1000, CONCAT('campaign-', seq), 'active', 5, start_at, end_at, max_impressions, goal_window_sec, REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(spec,
			'campaign-0', CONCAT('campaign-', seq)), 'campaign 0', CONCAT('campaign ', seq)), '"name":"NAME"', CONCAT('"name":"', ELT(1 + seq % 4, 'Spring sale', 'App update', 'Newsletter', 'Survey'), ' ', seq * 7919 % LAST, '"')),
			'team-0', CONCAT('team-', seq % 40)), 'place-0', CONCAT('place-', seq % 50)), '"priority":5', CONCAT('"priority":', seq * 31 % 100)),
			1, updated_at - (seq * 104729 % LAST) * 60000
		FROM popupd.popups, popupd.seq_1_to_LAST WHERE ` + "`key`" + ` = 'campaign-0';
		DELETE FROM popupd.popups WHERE ` + "`key`" + ` = 'campaign-0';
		INSERT INTO popupd.audit (at_ms, actor, action, object, from_version, to_version)
		SELECT seq * 1000, 'bench', 'update', CONCAT('campaign-', 1 + seq % LAST), 1, 1 FROM popupd.seq_1_to_1000000`))
	return err
}

// fillStats writes the statistics of some popups. The events are spread evenly: row r counts
// those up to (r+1)/ROWS of all less those up to r/ROWS.
func (m *measurement) fillStats(from, to int) error {
	first, _ := m.span()
	_, err := m.mysql.Query(strings.NewReplacer("FROM_POPUP", fmt.Sprint(from), "TO_POPUP", fmt.Sprint(to), "EVENTS", fmt.Sprint(m.events),
		"ROWS", fmt.Sprint(m.popups*m.rowsOfOne()), "ONE", fmt.Sprint(m.rowsOfOne()), "LAST_HOUR", fmt.Sprint(24*m.days-1),
		"BEGIN", fmt.Sprint(first.UnixMilli()), "HOUR_MS", fmt.Sprint(time.Hour.Milliseconds())).Replace(
		`INSERT INTO popupd.popup_stats (popup_id, hour, variant, impressions, users, views, clicks, dismisses, converts, controls)
		SELECT popup_id, hour, variant, n - n DIV 4 * 2, n DIV 2, n DIV 4, n DIV 4, 0, 0, 0 FROM (
			SELECT popup_id, hour, variant, (r + 1) * EVENTS DIV ROWS - r * EVENTS DIV ROWS n FROM (
				SELECT p.seq + 1000 popup_id, BEGIN + h.seq * HOUR_MS hour, v.variant, (p.seq - 1) * ONE + 2 * h.seq + v.r r
				FROM popupd.seq_FROM_POPUP_to_TO_POPUP p STRAIGHT_JOIN popupd.seq_0_to_LAST_HOUR h STRAIGHT_JOIN (SELECT 0 r, 'a' variant UNION SELECT 1, 'b') v
			) numbered) counted`))
	return err
}

// span returns when the first hour of the statistics begins, and when the last one ends.
func (m *measurement) span() (first, end time.Time) {
	end = time.Now().UTC().Truncate(time.Hour).Add(time.Hour)
	return end.Add(-time.Duration(m.days) * 24 * time.Hour), end
}
