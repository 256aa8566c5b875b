import assert from "node:assert/strict";
import test from "node:test";
import { clockNotes, crossesMidnight, openSpans } from "../src/editor/openings.js";
import { clockChanges, instantOf, isZone, offsetAt, readWall, wallAt, writeTime, writeWall } from "../src/zones.js";

const at = (/** @type {string} */ text) => Date.parse(text);
const schedule = (more = {}) => ({ start_at: null, end_at: null, timezone: "Europe/Berlin", user_time: false, days: [], hours: [], ...more });
const spans = (s, from, to, most = 10) => openSpans(s, s.timezone, at(from), at(to), most).map((span) => [writeTime(span.from), span.to === Infinity ? "" : writeTime(span.to)]);

test("wall times and instants", () => {
  for (const [zone, wall, instant, odd] of [
    ["UTC", "2026-03-14T09:00", "2026-03-14T09:00:00Z", ""],
    ["Europe/Berlin", "2026-03-14T09:00", "2026-03-14T08:00:00Z", ""],
    ["Europe/Berlin", "2026-07-14T09:00:30", "2026-07-14T07:00:30Z", ""],
    ["Asia/Shanghai", "2026-03-14T00:00", "2026-03-13T16:00:00Z", ""],
    ["Asia/Kathmandu", "2026-03-14T05:45", "2026-03-14T00:00:00Z", ""],
    ["Europe/Berlin", "2026-03-29T02:30", "2026-03-29T01:30:00Z", "gap"], // 03:30
    ["Europe/Berlin", "2026-10-25T02:30", "2026-10-25T00:30:00Z", "twice"],
    ["America/New_York", "2026-03-08T02:00", "2026-03-08T07:00:00Z", "gap"],
    ["Australia/Lord_Howe", "2026-10-04T02:15", "2026-10-03T15:45:00Z", "gap"], // by 30 minutes
    ["Pacific/Apia", "2011-12-30T12:00", "2011-12-30T22:00:00Z", "gap"], // a day that there was not
  ]) {
    const got = instantOf(zone, readWall(wall));
    assert.deepEqual([writeTime(got.at), got.odd], [instant, odd], zone + " " + wall);
    if (odd !== "gap") assert.equal(writeWall(wallAt(zone, got.at)), wall);
  }
  assert.ok(Number.isNaN(readWall("")) && Number.isNaN(readWall("2026-03-14")));
  assert.equal(offsetAt("Asia/Shanghai", at("2026-01-01T00:00:00.999Z")), 8 * 3_600_000);
});

test("names of zones", () => {
  for (const [name, want] of [["UTC", true], ["Europe/Berlin", true], ["Etc/GMT+5", true], ["America/Argentina/Buenos_Aires", true], ["europe/berlin", false], ["Mars/Olympus", false], ["+08:00", false], ["", false]]) assert.equal(isZone(/** @type {string} */ (name)), want, String(name));
});

test("changes of the clocks", () => {
  const changes = clockChanges("Europe/Berlin", at("2026-01-01T00:00:00Z"), at("2027-01-01T00:00:00Z"));
  assert.deepEqual(changes.map((c) => [writeTime(c.at), c.before / 3_600_000, c.after / 3_600_000]), [["2026-03-29T01:00:00Z", 1, 2], ["2026-10-25T01:00:00Z", 2, 1]]);
  assert.deepEqual(clockChanges("Asia/Shanghai", at("2026-01-01T00:00:00Z"), at("2027-01-01T00:00:00Z")), []);
  assert.equal(clockChanges("Europe/Berlin", at("2026-01-01T00:00:00Z"), at("2026-03-29T01:00:00Z")).length, 0);
});

test("when a schedule is open", () => {
  // Thursday, 1 January 2026.
  assert.deepEqual(spans(schedule({ hours: [["09:00", "18:00"]] }), "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z", 2), [["2026-01-01T08:00:00Z", "2026-01-01T17:00:00Z"], ["2026-01-02T08:00:00Z", "2026-01-02T17:00:00Z"]]);
  assert.deepEqual(spans(schedule({ days: ["mon"], hours: [["22:00", "02:00"]] }), "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z", 1), [["2026-01-05T21:00:00Z", "2026-01-06T01:00:00Z"]]);
  assert.deepEqual(spans(schedule({ days: ["mon"], hours: [["22:00", "02:00"]] }), "2026-01-06T00:00:00Z", "2026-01-08T00:00:00Z"), [["2026-01-06T00:00:00Z", "2026-01-06T01:00:00Z"]]); // has begun the day before
  assert.deepEqual(spans(schedule({ hours: [["09:00", "12:00"], ["12:00", "24:00"]] }), "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"), [["2026-01-01T08:00:00Z", "2026-01-01T23:00:00Z"]]);
  assert.deepEqual(spans(schedule({ days: ["sat", "sun"] }), "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z", 1), [["2026-01-02T23:00:00Z", "2026-01-04T23:00:00Z"]]);
  assert.deepEqual(spans(schedule({ start_at: "2026-01-01T12:00:00Z", end_at: "2026-01-02T09:00:00Z", hours: [["09:00", "18:00"]] }), "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"), [["2026-01-01T12:00:00Z", "2026-01-01T17:00:00Z"], ["2026-01-02T08:00:00Z", "2026-01-02T09:00:00Z"]]);
  assert.deepEqual(spans(schedule(), "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"), [["2026-01-01T00:00:00Z", ""]]);
  assert.deepEqual(spans(schedule({ end_at: "2025-01-01T00:00:00Z" }), "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"), []);
  assert.deepEqual(spans(schedule({ days: ["mon"], end_at: "2026-01-03T00:00:00Z" }), "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"), []);
});

test("the clocks go forward, and back", () => {
  const night = schedule({ hours: [["02:00", "02:30"], ["01:00", "04:00"]] });
  assert.deepEqual(spans(schedule({ hours: [["02:00", "02:30"]] }), "2026-03-28T00:00:00Z", "2026-03-31T00:00:00Z"), [["2026-03-28T01:00:00Z", "2026-03-28T01:30:00Z"], ["2026-03-30T00:00:00Z", "2026-03-30T00:30:00Z"]]); // none on the 29th
  assert.deepEqual(spans(schedule({ hours: [["02:00", "02:30"]] }), "2026-10-25T00:00:00Z", "2026-10-25T12:00:00Z"), [["2026-10-25T00:00:00Z", "2026-10-25T00:30:00Z"], ["2026-10-25T01:00:00Z", "2026-10-25T01:30:00Z"]]); // twice
  assert.deepEqual(clockNotes(night, "Europe/Berlin", at("2026-01-01T00:00:00Z"), at("2027-01-01T00:00:00Z")).map((n) => [writeWall(n.wallFrom), writeWall(n.wallTo), n.kind, n.window[0], n.minutes]), [
    ["2026-03-29T02:00", "2026-03-29T03:00", "lost", "02:00", 30], ["2026-03-29T02:00", "2026-03-29T03:00", "shorter", "01:00", 60],
    ["2026-10-25T03:00", "2026-10-25T02:00", "longer", "02:00", 30], ["2026-10-25T03:00", "2026-10-25T02:00", "longer", "01:00", 60],
  ]);
  assert.deepEqual(clockNotes(schedule({ hours: [["02:00", "03:00"]], days: ["mon"] }), "Europe/Berlin", at("2026-01-01T00:00:00Z"), at("2027-01-01T00:00:00Z")), []); // they change on Sundays
  assert.equal(clockNotes(schedule({ hours: [["23:00", "05:00"]], days: ["sat"] }), "Europe/Berlin", at("2026-01-01T00:00:00Z"), at("2026-04-01T00:00:00Z"))[0].kind, "shorter");
  assert.deepEqual(clockNotes({ ...night, end_at: "2026-03-01T00:00:00Z" }, "Europe/Berlin", at("2026-01-01T00:00:00Z"), at("2027-01-01T00:00:00Z")), []);
});

test("windows over midnight", () => {
  for (const [window, want] of [[["22:00", "02:00"], true], [["09:00", "18:00"], false], [["09:00", "24:00"], false], [["09:00", "00:00"], false]]) assert.equal(crossesMidnight(/** @type {[string, string]} */ (window)), want, String(window));
});
