import assert from "node:assert/strict";
import test from "node:test";
import { formOf, settingsOf } from "../src/settings/form.js";
import { secondsOf, spanOf } from "../src/span.js";

test("a span is shown in the unit that divides it", () => {
  for (const [sec, amount, unit] of [[0, "0", "hour"], [1, "1", "second"], [90, "90", "second"], [120, "2", "minute"], [5400, "90", "minute"], [7200, "2", "hour"], [86400, "1", "day"], [90000, "25", "hour"]]) {
    assert.deepEqual(spanOf(Number(sec)), { amount, unit });
    assert.equal(secondsOf(spanOf(Number(sec))), sec);
  }
  for (const amount of ["", " ", "x"]) assert.ok(Number.isNaN(secondsOf({ amount, unit: "day" })));
  assert.equal(secondsOf({ amount: "1.5", unit: "hour" }), 5400);
});

const settings = { min_gap_sec: 3600, caps: [{ key: "daily", max: 3, per_sec: 86400, tags: ["sale"] }], holdout: { percent: 0.5, salt: "2026" } };

test("what was entered is what is saved", () => {
  const read = settingsOf(formOf(settings));
  assert.deepEqual(read.settings, settings);
  assert.equal(read.errors.size, 0);
});

test("what is wrong is told where it is", () => {
  const cap = formOf(settings).caps[0];
  for (const [change, want] of [
    [{ gap: { amount: "", unit: "hour" } }, { "/min_gap_sec": "gap" }],
    [{ gap: { amount: "0.5", unit: "second" } }, { "/min_gap_sec": "gap" }],
    [{ gap: { amount: "3651", unit: "day" } }, { "/min_gap_sec": "gap" }],
    [{ gap: { amount: "3650", unit: "day" } }, {}],
    [{ percent: "0.001" }, { "/holdout/percent": "percent" }],
    [{ percent: "-1" }, { "/holdout/percent": "percent" }],
    [{ percent: "" }, { "/holdout/percent": "percent" }],
    [{ percent: "99.99" }, {}],
    [{ salt: "é".repeat(33) }, { "/holdout/salt": "salt" }],
    [{ caps: [cap, cap] }, { "/caps/1/key": "twice" }],
    [{ caps: [{ ...cap, key: "-x" }] }, { "/caps/0/key": "key" }],
    [{ caps: [{ ...cap, max: "21" }] }, { "/caps/0/max": "max" }],
    [{ caps: [{ ...cap, max: "1.5" }] }, { "/caps/0/max": "max" }],
    [{ caps: [{ ...cap, per: { amount: "31", unit: "day" } }] }, { "/caps/0/per_sec": "per" }],
    [{ caps: [{ ...cap, tags: Array(33).fill("x") }] }, { "/caps/0/tags": "tags" }],
  ]) assert.deepEqual(Object.fromEntries(settingsOf({ ...formOf(settings), ...change }).errors), want, JSON.stringify(change));
});
