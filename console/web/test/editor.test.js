import assert from "node:assert/strict";
import test from "node:test";

/** What the browser keeps; quota stops that. */
let kept = new Map(), quota = false;
Object.defineProperty(globalThis, "localStorage", { configurable: true, get: () => new Proxy({}, {
  ownKeys: () => [...kept.keys()], getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true }),
  get: (_, name) => ({
    getItem: (key) => kept.get(key) ?? null, removeItem: (key) => { kept.delete(key); },
    setItem: (key, text) => { if (quota) throw new Error("quota"); kept.set(key, text); },
  })[name],
}) });
/** Names of the locks that open tabs hold. */
let held = [];
Object.defineProperty(globalThis, "navigator", { configurable: true, value: { locks: { request: () => {}, query: async () => ({ held: held.map((name) => ({ name })) }) } } });
globalThis.addEventListener = () => {};
globalThis.history = { pushState: () => {} };

const { Editor } = await import("../src/editor/editor.js");
const { empty } = await import("../src/editor/shape.js");

const shell = (role = "admin") => ({ may: (needed) => ["viewer", "editor", "publisher", "admin"].indexOf(role) >= ["viewer", "editor", "publisher", "admin"].indexOf(needed) });
const stored = (more = {}) => ({ id: 7, version: 3, updated_at: "2026-01-01T00:00:00Z", source: "", ...empty, key: "sale", ...more });
const open = (saved = stored(), role = "admin") => new Editor(shell(role), saved, () => {});

test("what is typed, and what is wrong with it", () => {
  const editor = open();
  assert.equal(editor.isDirty, false);
  editor.errors = ["", "/frequency", "/frequency/after_click_sec", "/frequency/confirm_sec", "/name"].map((pointer) => ({ pointer, detail: "no " + pointer }));
  assert.equal(editor.error("/name"), "no /name");
  assert.equal(editor.errorsBelow("/frequency").length, 3);
  editor.set("/frequency/after_click_sec", 5);
  assert.deepEqual(editor.errors.map((note) => note.pointer), ["", "/frequency/confirm_sec", "/name"]);
  assert.equal(editor.isDirty, true);
  editor.set("/frequency/after_click_sec", empty.frequency.after_click_sec);
  assert.equal(editor.isDirty, false);
  assert.equal(editor.saved.frequency, empty.frequency);
});

test("texts that mean the same stay as they are typed", () => {
  const editor = open(), split = (typed) => typed.split(",").filter(Boolean), join = (list) => list.join(", ");
  editor.type("/placements", "home,", split("home,"));
  assert.equal(editor.typed("/placements", split, join), "home,");
  editor.set("/placements", ["a", "b"]);
  assert.equal(editor.typed("/placements", split, join), "a, b");
});

test("who may change what", () => {
  for (const [role, status, readonly] of [["viewer", "draft", true], ["editor", "draft", false], ["editor", "active", true], ["editor", "paused", true], ["publisher", "active", false], ["admin", "archived", true]]) {
    assert.equal(open(stored({ status }), role).readonly, readonly, role + " " + status);
  }
});

test("a pause takes nobody's changes", () => {
  const paused = stored({ version: 9, status: "paused", name: "theirs", warnings: [] });
  const clean = open(stored({ status: "active" }));
  clean.accept(paused);
  assert.deepEqual([clean.popup.name, clean.version, clean.status, clean.isDirty], ["theirs", 9, "paused", false]);
  const dirty = open(stored({ status: "active" }));
  dirty.set("/priority", 5);
  dirty.accept(paused);
  assert.deepEqual([dirty.popup.name, dirty.popup.priority, dirty.version, dirty.status], ["", 5, 3, "paused"]); // based on what it was: saving tells
  const alone = open(stored({ status: "active" }));
  alone.set("/priority", 5);
  alone.accept({ ...paused, name: "", version: 4 });
  assert.deepEqual([alone.popup.priority, alone.version, alone.status, alone.isDirty], [5, 4, "paused", true]);
});

test("what is unsaved is kept until it is saved", async () => {
  kept = new Map();
  const editor = open();
  editor.set("/name", "typed");
  editor.unsaved.write();
  assert.equal(kept.size, 1);
  const [[name, text]] = kept;
  assert.match(name, /^popupd\.unsaved:sale:\d+$/);
  assert.equal(JSON.parse(text).popup.name, "typed");
  editor.acceptSaved(stored({ version: 4, name: "typed" }));
  assert.equal(kept.size, 0);
  editor.set("/name", "again");
  editor.set("/name", "typed");
  editor.unsaved.write();
  assert.equal(kept.size, 0);
});

test("what is typed while it is saved stays", () => {
  const editor = open();
  editor.set("/name", "sent");
  const sent = editor.popup;
  editor.set("/priority", 5);
  editor.acceptSaved(stored({ version: 4, name: "sent", tags: ["by the server"], status: "active" }), sent);
  assert.deepEqual([editor.popup.name, editor.popup.priority, editor.popup.tags, editor.popup.status, editor.version, editor.isDirty], ["sent", 5, ["by the server"], "active", 4, true]);
  editor.acceptSaved(stored({ version: 5, name: "sent", priority: 5 }));
  assert.equal(editor.isDirty, false);
});

test("a new page takes over what no open tab holds", async () => {
  const entry = (name, at) => JSON.stringify({ popup: { ...empty, key: "sale", name }, base: stored(), at: Date.now() - at });
  kept = new Map([["popupd.unsaved:sale:1", entry("old", 9000)], ["popupd.unsaved:sale:2", entry("new", 1000)], ["popupd.unsaved:sale:3", entry("open", 0)], ["popupd.unsaved:other:4", entry("other", 0)],
    ["popupd.unsaved:sale:5", entry("forgotten", 40 * 86_400_000)], ["popupd.unsaved:sale:6", "{"], ["popupd.unsaved:sale:7", `{"at":${Date.now()},"popup":{"variants":5}}`], ["theme", "dark"]]);
  held = ["popupd.unsaved:3"];
  const editor = open();
  const left = await editor.unsaved.find();
  assert.equal(left.entry.popup.name, "new");
  editor.unsaved.adopt(left);
  const names = [...kept.keys()];
  assert.deepEqual(names.filter((name) => /:[1-7]$/.test(name)), ["popupd.unsaved:sale:1", "popupd.unsaved:sale:3", "popupd.unsaved:other:4"]);
  assert.equal(kept.get("theme"), "dark");
  assert.equal(names.length, 5);
  held = [];
  assert.equal(await open(stored({ key: "none" })).unsaved.find(), null);
  editor.unsaved.drop({ name: "popupd.unsaved:sale:1" });
  assert.equal(kept.has("popupd.unsaved:sale:1"), false);
});

test("a browser that keeps nothing is told of", () => {
  let told = 0;
  const editor = new Editor(shell(), stored(), () => { told++; });
  editor.set("/name", "typed");
  quota = true;
  editor.unsaved.write();
  assert.deepEqual([editor.unsaved.works, told], [false, 2]);
  quota = false;
  editor.unsaved.write();
  assert.deepEqual([editor.unsaved.works, told], [true, 3]);
});

test("a copy is new", () => {
  const editor = open(stored({ status: "archived" }));
  editor.copy();
  assert.deepEqual([editor.saved, editor.popup.key, editor.status, editor.version, editor.readonly, editor.unsaved.key], [null, "", "draft", 0, false, ""]);
});
