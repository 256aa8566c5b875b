import assert from "node:assert/strict";
import test from "node:test";
import { differences, merged, namesOf } from "../src/editor/merge.js";
import { complete, empty } from "../src/editor/shape.js";
import { at, equal, put } from "../src/pointer.js";

test("documents are never changed in place", () => {
  const before = { a: { b: [1, 2, 3] }, "x/y~": 1, c: null }, copy = structuredClone(before);
  for (const [pointer, value, want] of [
    ["/a/b/1", 9, { a: { b: [1, 9, 3] }, "x/y~": 1, c: null }],
    ["/a/b/1", undefined, { a: { b: [1, 3] }, "x/y~": 1, c: null }],
    ["/a/b/-", 4, { a: { b: [1, 2, 3, 4] }, "x/y~": 1, c: null }],
    ["/a/b", undefined, { a: {}, "x/y~": 1, c: null }],
    ["/x~1y~0", 2, { a: { b: [1, 2, 3] }, "x/y~": 2, c: null }],
    ["/c/d/e", 5, { a: { b: [1, 2, 3] }, "x/y~": 1, c: { d: { e: 5 } } }],
    ["/n/m", undefined, { a: { b: [1, 2, 3] }, "x/y~": 1, c: null, n: {} }],
    ["/__proto__/polluted", 1, JSON.parse(`{"a": {"b": [1, 2, 3]}, "x/y~": 1, "c": null, "__proto__": {"polluted": 1}}`)],
    ["", 7, 7],
  ]) {
    const got = put(before, pointer, value);
    assert.deepEqual(got, want, pointer);
    assert.deepEqual(before, copy, pointer);
  }
  assert.equal({}.polluted, undefined);
  assert.deepEqual(Object.keys(put({ a: 1, b: 2 }, "/a", 3)), ["a", "b"]);
});

test("values by pointer", () => {
  const document = { a: [{ "b/c": 1 }], n: null, s: "text" };
  for (const [pointer, want] of [["", document], ["/a/0/b~1c", 1], ["/a/1", undefined], ["/n/x", undefined], ["/s/length", undefined], ["/toString", undefined], ["/a/length", 1]]) assert.deepEqual(at(document, pointer), want, pointer);
});

test("the order of members says nothing, that of elements does", () => {
  assert.ok(equal({ a: 1, b: { c: [1, null] } }, { b: { c: [1, null] }, a: 1 }));
  for (const [a, b] of [[[1, 2], [2, 1]], [{}, []], [{ a: undefined }, { b: undefined }], [null, {}], ["1", 1], [{ a: 1 }, { a: 1, b: 2 }]]) assert.ok(!equal(a, b), JSON.stringify([a, b]));
});

test("two changes of one popup", () => {
  const base = { name: "", frequency: { click: 1, dismiss: 2 }, placements: ["default"], variants: [{ key: "a", content: { title: "x" } }, { key: "b", content: {} }] };
  const mine = put(put(base, "/name", "mine"), "/variants/0/content/title", "mine");
  const theirs = put(put(put(base, "/name", "theirs"), "/frequency/click", 5), "/variants/1/content/body", "theirs");
  assert.deepEqual(differences(theirs, mine), ["/name", "/frequency/click", "/variants/0/content/title", "/variants/1/content/body"]);
  assert.deepEqual(merged(theirs, mine, ["/variants/0/content/title"]), put(theirs, "/variants/0/content/title", "mine"));
  assert.deepEqual(merged(theirs, mine, differences(theirs, mine)), mine);
  assert.deepEqual(merged(theirs, mine, []), theirs);
  assert.deepEqual(differences(base, base), []);
});

test("lists without keys, or with others, are one field", () => {
  assert.deepEqual(differences({ placements: ["a"] }, { placements: ["b", "c"] }), ["/placements"]);
  assert.deepEqual(differences({ variants: [{ key: "a" }, { key: "b" }] }, { variants: [{ key: "b" }, { key: "a" }] }), ["/variants"]);
  assert.deepEqual(differences({ variants: [{ key: "a" }] }, { variants: [] }), ["/variants"]);
  assert.deepEqual(differences({ a: { "x/y": 1 } }, { a: {} }), ["/a/x~1y"]);
});

test("what is absent gets its default", () => {
  assert.deepEqual(complete({ key: "k" }), { popup: { ...empty, key: "k" }, errors: [] });
  const { popup, errors } = complete({ variants: [{ key: "b", weight: 3 }], more: 1, schedule: { days: ["mon"], start_at: "2026-01-01T00:00:00Z" } });
  assert.deepEqual(errors, []);
  assert.deepEqual(popup.variants, [{ key: "b", weight: 3, control: false, content: {}, translations: {} }]);
  assert.deepEqual(popup.schedule, { ...empty.schedule, days: ["mon"], start_at: "2026-01-01T00:00:00Z" });
  assert.equal(popup.more, 1);
});

test("what the form can't show is told by pointer", () => {
  for (const [document, pointer, kind] of [
    [[], "", "object"], [null, "", "object"], ["x", "", "object"], [{ name: 1 }, "/name", "string"], [{ priority: "1" }, "/priority", "number"], [{ placements: "x" }, "/placements", "array"],
    [{ placements: [1] }, "/placements/0", "string"], [{ schedule: { hours: [["09:00", 5]] } }, "/schedule/hours/0/1", "string"], [{ schedule: { end_at: 5 } }, "/schedule/end_at", "null"],
    [{ variants: [{ content: null }] }, "/variants/0/content", "object"], [{ variants: [{ translations: { "a/b": [] } }] }, "/variants/0/translations/a~1b", "object"],
    [{ targeting: { any: [{ attr: 5 }] } }, "/targeting/any/0/attr", "string"], [{ frequency: { ignore_min_gap: 0 } }, "/frequency/ignore_min_gap", "boolean"],
  ]) assert.deepEqual(complete(document).errors, [{ pointer, detail: kind }], JSON.stringify(document));
});

test("elements are named by their keys", () => {
  const popup = { variants: [{ key: "a", content: { "x/y": { key: 5 } } }], placements: ["p"] };
  assert.deepEqual(namesOf(popup, "/variants/0/content/title"), ["variants", "a", "content", "title"]);
  assert.deepEqual(namesOf(popup, "/variants/0/content/x~1y"), ["variants", "a", "content", "x/y"]);
  assert.deepEqual(namesOf(popup, "/placements/0"), ["placements", "0"]);
  assert.deepEqual(namesOf(popup, "/variants/3/key"), ["variants", "3", "key"]);
  assert.deepEqual(namesOf(popup, ""), []);
});
