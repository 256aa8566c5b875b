import assert from "node:assert/strict";
import test from "node:test";
import { presetOf, presets } from "../src/editor/presets.js";
import { groups, kindOf, numberIn, operatorsFor, withAttribute, withOperator, wrong } from "../src/operators.js";

test("another operator keeps what it can", () => {
  const pro = { attr: "plan", op: "eq", value: "pro", ignore_case: true };
  assert.deepEqual(withOperator(pro, "in"), { attr: "plan", op: "in", value: ["pro"], ignore_case: true });
  assert.deepEqual(withOperator({ attr: "plan", op: "in", value: ["pro", "team"] }, "neq"), { attr: "plan", op: "neq", value: "pro" });
  assert.deepEqual(withOperator(pro, "exists"), { attr: "plan", op: "exists" });
  assert.deepEqual(withOperator({ attr: "plan", op: "exists" }, "in"), { attr: "plan", op: "in", value: [] });
  assert.deepEqual(withOperator(pro, "gt"), { attr: "plan", op: "gt", value: "" });
  assert.deepEqual(withOperator({ attr: "age", op: "eq", value: "18" }, "gte"), { attr: "age", op: "gte", value: 18 });
  assert.deepEqual(withOperator({ attr: "age", op: "gte", value: 18 }, "lt"), { attr: "age", op: "lt", value: 18 });
  assert.deepEqual(withOperator({ attr: "age", op: "gte", value: 18 }, "contains"), { attr: "age", op: "contains", value: "18" });
  assert.deepEqual(withOperator(pro, "older_than"), { attr: "plan", op: "older_than", value: "7d" });
  assert.deepEqual(withOperator({ attr: "ip", op: "eq", value: "10.0.0.1" }, "in_cidr"), { attr: "ip", op: "in_cidr", value: ["10.0.0.1"] });
});

test("audiences have operators of their own", () => {
  assert.deepEqual(withAttribute({ attr: "plan", op: "neq", value: "pro" }, "audience"), { attr: "audience", op: "not_in", value: [] });
  assert.deepEqual(withAttribute({ attr: "audience", op: "in", value: ["vip"] }, "plan"), { attr: "plan", op: "in", value: [] });
  assert.deepEqual(withAttribute({ attr: "plan", op: "eq", value: "pro" }, "tier"), { attr: "tier", op: "eq", value: "pro" });
  assert.deepEqual(operatorsFor({ attr: "audience", op: "in" }), [["audience", ["in", "not_in"]]]);
  assert.deepEqual(operatorsFor({ attr: "country", op: "gt" }).map(([name]) => name), ["text", "presence", "number"]);
  assert.deepEqual(operatorsFor({ attr: "toString", op: "eq" }).map(([name]) => name), Object.keys(groups));
});

test("what is wrong with a value", () => {
  for (const [op, value, want] of [
    ["exists", undefined, ""], ["eq", "", "empty"], ["eq", "x".repeat(257), "long"], ["eq", "字".repeat(86), "long"], ["eq", true, ""], ["in", [], "none"], ["in", ["a", 7], ""], ["in", Array(257).fill("a"), "many"],
    ["contains", 5, "text"], ["gt", 5, ""], ["gt", "5", "number"], ["semver_gte", "3.2", ""], ["semver_gte", "v3.2.1-beta.2+77", ""], ["semver_gte", "3.2.1 (45)", "version"],
    ["before", "2026-07-01", ""], ["before", "2026-07-01T09:00:00+02:00", ""], ["before", "1.7.2026", "time"], ["older_than", "36h", ""], ["older_than", "36", "age"],
    ["matches", "^/product/[0-9]+$", ""], ["matches", "(?=a)", "around"], ["matches", "(?i)a", ""], ["matches", "(a)\\1", "back"], ["matches", "a\\\\1", ""], ["matches", "\\(?=", ""],
    ["in_cidr", ["10.0.0.0/8", "2001:db8::/32", "203.0.113.7"], ""], ["in_cidr", "10.0.0.0/8", ""], ["in_cidr", ["10.0.0.0/33"], "network"], ["in_cidr", ["10.0.0"], "network"],
  ]) assert.equal(wrong({ attr: "a", op: /** @type {string} */ (op), value }), want, `${op} ${String(value).slice(0, 30)}`);
});

test("every operator has a kind of value and a group", () => {
  const all = Object.values(groups).flat();
  assert.equal(all.length, 24);
  assert.equal(new Set(all).size, 24);
  assert.ok(all.every((op) => kindOf(op) !== undefined));
});

test("a number while it is typed", () => {
  for (const [text, want] of [["5", 5], ["-1.5", -1.5], ["5.", "5."], ["5.0", "5.0"], ["-", "-"], ["", ""], ["1e400", "1e400"], ["007", "007"]]) assert.equal(numberIn(/** @type {string} */ (text)), want, String(text));
});

test("presets of frequency", () => {
  for (const name of Object.keys(presets)) assert.deepEqual(presetOf(presets[name](6)).name, name);
  assert.deepEqual(presetOf(presets.hourly(6)), { name: "hourly", hours: 6 });
  assert.equal(presetOf({ ...presets.once(0), max_impressions: 3 }).name, "custom");
  assert.equal(presetOf({ ...presets.hourly(6), after_click_sec: 1 }).name, "custom");
});
