import assert from "node:assert/strict";
import test from "node:test";
import { fieldDiff } from "../src/changes.js";

const told = (before, after) => fieldDiff(before, after).map((c) => [c.pointer, c.names.join("."), c.before, c.after]);

test("objects are compared member by member", () => {
  assert.deepEqual(told({ name: "a", frequency: { after_click_sec: 1, max_impressions: 0 } }, { name: "a", frequency: { after_click_sec: -1, max_impressions: 0 } }), [["/frequency/after_click_sec", "frequency.after_click_sec", 1, -1]]);
  assert.deepEqual(told({ content: { image: { src: "a", alt: "b" } } }, { content: { image: { src: "c", alt: "b" } } }), [["/content/image/src", "content.image.src", "a", "c"]]);
  assert.deepEqual(told({ content: { image: "a" } }, { content: { image: { src: "a" } } }), [["/content/image", "content.image", "a", { src: "a" }]]);
  assert.deepEqual(told({ "a/b": 1 }, { "a/b": 2 }), [["/a~1b", "a/b", 1, 2]]);
  assert.deepEqual(told({ a: { b: 1 }, c: 2 }, { c: 2, a: { b: 1 } }), []);
});

test("what is new or gone is told by its fields", () => {
  assert.deepEqual(told(null, { key: "a", content: { title: "x" }, tags: [], translations: {} }), [["/key", "key", undefined, "a"], ["/content/title", "content.title", undefined, "x"], ["/tags", "tags", undefined, []], ["/translations", "translations", undefined, {}]]);
  assert.deepEqual(told({ translations: {} }, { translations: { de: { title: "x" } } }), [["/translations/de/title", "translations.de.title", undefined, "x"]]);
  assert.deepEqual(told({ translations: { de: { title: "x" } } }, { translations: {} }), [["/translations/de/title", "translations.de.title", "x", undefined]]);
});

test("lists with keys are compared by key", () => {
  const a = { key: "a", weight: 1 }, b = { key: "b", weight: 1 };
  assert.deepEqual(told({ variants: [a, b] }, { variants: [b, { ...a, weight: 2 }] }), [["/variants/1/weight", "variants.a.weight", 1, 2], ["/variants", "variants.order", ["a", "b"], ["b", "a"]]]);
  assert.deepEqual(told({ variants: [a] }, { variants: [b, a] }), [["/variants/0/key", "variants.b.key", undefined, "b"], ["/variants/0/weight", "variants.b.weight", undefined, 1]]);
  assert.deepEqual(told({ variants: [a, b] }, { variants: [a] }), [["/variants/1/key", "variants.b.key", "b", undefined], ["/variants/1/weight", "variants.b.weight", 1, undefined]]);
});

test("a condition is one field", () => {
  const [ios, web, pro] = [{ attr: "platform", op: "eq", value: "ios" }, { attr: "platform", op: "eq", value: "web" }, { attr: "plan", op: "in", value: ["pro"] }];
  assert.deepEqual(told({ all: [ios, pro] }, { all: [web, pro] }), [["/all/0", "all", ios, web]]);
  assert.deepEqual(told({ all: [pro] }, { all: [ios, pro] }), [["/all/0", "all", undefined, ios]]);
  assert.deepEqual(told({ all: [ios, pro] }, { all: [] }), [["/all/0", "all", ios, undefined], ["/all/1", "all", pro, undefined]]);
  assert.deepEqual(told({ all: [] }, { all: [] }), []);
  assert.deepEqual(told({ all: [] }, { all: [ios] }), [["/all/0", "all", undefined, ios]]);
  assert.deepEqual(told({ all: [] }, {}), [["/all", "all", [], undefined]]);
  assert.deepEqual(told({ all: [ios, web, ios] }, { all: [ios, ios] }), [["/all/1", "all", web, undefined]]);
  assert.deepEqual(told({ all: [ios, ios] }, { all: [ios] }), [["/all/1", "all", ios, undefined]]);
});

test("lists of plain values are one field, and times are moments", () => {
  assert.deepEqual(told({ tags: ["a"] }, { tags: ["a", "b"] }), [["/tags", "tags", ["a"], ["a", "b"]]]);
  assert.deepEqual(told({ hours: [["09:00", "18:00"]] }, { hours: [] }), [["/hours", "hours", [["09:00", "18:00"]], []]]);
  assert.deepEqual(told({ start_at: "2026-03-14T09:00:00+01:00", end_at: null }, { start_at: "2026-03-14T08:00:00Z", end_at: null }), []);
  assert.deepEqual(told({ start_at: null }, { start_at: "2026-03-14T08:00:00Z" }), [["/start_at", "start_at", null, "2026-03-14T08:00:00Z"]]);
});
