import assert from "node:assert/strict";
import test from "node:test";

/** @type {Record<string, (() => void)[]>} */
const heard = {};
globalThis.document = /** @type {any} */ ({
  body: { dataset: { lang: "en" } }, documentElement: { lang: "en" }, visibilityState: "visible", createTreeWalker: () => ({}),
  addEventListener: (name, handler) => { (heard[name] ??= []).push(handler); },
});
class Source {
  static OPEN = 1;
  static CLOSED = 2;
  static all = [];
  readyState = 1;
  handlers = {};
  constructor(url) { this.url = url; Source.all.push(this); }
  addEventListener(name, handler) { this.handlers[name] = handler; }
  close() { this.readyState = 2; }
  tell(name, data) { this.handlers[name]({ data: JSON.stringify(data) }); }
}
globalThis.EventSource = /** @type {any} */ (Source);
const open = () => Source.all.filter((source) => source.readyState !== 2);
const show = (state) => { document.visibilityState = state; for (const handler of heard.visibilitychange) handler(); };

const { live } = await import("../src/live.js");
const { problems } = await import("../src/system/problems.js");
const { bytes, rate, share, time } = await import("../src/system/amounts.js");

test("a tab has one stream, with what its listeners want", () => {
  const first = live({}), second = live({}, { system: true });
  assert.deepEqual(open().map((source) => source.url), ["/live?system=1"]);
  second();
  assert.deepEqual(open().map((source) => source.url), ["/live"]);
  first();
  assert.equal(open().length, 0);
});

test("numbers are told when they are others", () => {
  const told = [];
  const end = live({ revision: (event) => told.push(event.revision), counts: (event) => told.push("counts " + event.counted) });
  open()[0].tell("revision", { revision: 4, changed_ms_ago: 1e9 }); // long before the page was loaded
  open()[0].tell("counts", { counted: 1, changed_ms_ago: 0 }); // while it was
  assert.deepEqual(told.splice(0), ["counts 1"]);
  open()[0].tell("revision", { revision: 5, changed_ms_ago: 0 });
  open()[0].tell("revision", { revision: 5, changed_ms_ago: 0 });
  assert.deepEqual(told.splice(0), [5]);
  show("hidden");
  assert.equal(open().length, 0);
  show("visible");
  open()[0].tell("revision", { revision: 5, changed_ms_ago: 0 });
  open()[0].tell("counts", { counted: 2, changed_ms_ago: 1e9 });
  assert.deepEqual(told, ["counts 2"]); // moved while the tab was hidden
  end();
});

test("a refused stream is asked for why, and comes back", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const asked = [], connected = [];
  globalThis.fetch = /** @type {any} */ (async (path, init) => { asked.push(`${init.method} ${path} ${init.headers["Popupd-Background"]}`); throw new TypeError("away"); });
  const end = live({ connection: (is) => connected.push(is) });
  for (let attempt = 0; attempt < 2; attempt++) {
    const [source] = open();
    source.readyState = 2;
    source.handlers.error();
    source.handlers.error();
    for (let i = 0; i < 20; i++) await Promise.resolve();
    assert.equal(open().length, 0);
    t.mock.timers.tick(3000);
    for (let i = 0; i < 20; i++) await Promise.resolve();
    assert.equal(open().length, 1);
  }
  open()[0].handlers.open();
  assert.deepEqual(asked, ["HEAD /live 1", "HEAD /live 1"]);
  assert.equal(connected.at(-1), true);
  end();
});

const well = () => ({
  at_ms: 0, server: "a", revision: 7,
  journal: { bytes: 64, max_bytes: 1000, waiting_events: 3, oldest_ms: 200, per_second: 1, errors: 0 },
  redis: { embedded: false, up: true, batches: 1, used_bytes: 10, max_bytes: 100, per_second: 1 },
  database: { sqlite: false, up: true, flush: true, per_second: 1, lag_ms: 200, dead_events: 0, errors: 0, newer_schema: false },
  users: { entries: 1, bytes: 1, max_bytes: 100, refused: 0 },
  servers: [{ id: "a", name: "one", state: "ready", revision: 7, journal_bytes: 1, journal_max_bytes: 100 }, { id: "b", name: "two", state: "ready", revision: 7, journal_bytes: 1, journal_max_bytes: 100 }],
});

test("what needs somebody to act", () => {
  for (const [want, change, behind = false, critical = 0] of [
    ["", () => {}],
    ["", (s) => { s.servers = null; s.redis.used_bytes = s.redis.max_bytes = null; }],
    ["", (s) => { s.redis.max_bytes = 0; }],
    ["journal_full", (s) => { s.journal.bytes = 801; }],
    ["newer_schema", (s) => { s.database.newer_schema = true; }],
    ["database_down redis_down", (s) => { s.database.up = s.redis.up = false; s.journal.oldest_ms = 1e6; }],
    ["late", (s) => { s.journal.oldest_ms = 60001; }],
    ["journal_errors dead", (s) => { s.journal.errors = 1; s.database.dead_events = 2; }],
    ["users_refused", (s) => { s.users.refused = 1; s.users.bytes = 99; }],
    ["users_full", (s) => { s.users.bytes = 91; }],
    ["redis_full", (s) => { s.redis.used_bytes = 91; }],
    ["away", (s) => { s.servers[1].state = "away"; s.servers[1].journal_bytes = 99; }],
    ["others_full", (s) => { s.servers[1].journal_bytes = 99; }],
    ["behind", () => {}, true],
    ["critical", () => {}, false, 2],
  ]) {
    const system = well();
    change(system);
    assert.equal(problems(system, (server) => behind && server.id === "b", critical).map((problem) => problem.key).join(" "), want);
  }
  const system = well();
  for (const server of system.servers) server.state = "away";
  assert.deepEqual(problems(system, () => false, 0)[0].values, { n: 2, names: "one and two" });
});

test("amounts", () => {
  assert.deepEqual([0, 1023, 1536, 64 << 20, 2 ** 30, 2 ** 50].map(bytes), ["0 B", "1,023 B", "1.5 KiB", "64 MiB", "1 GiB", "1,024 TiB"]);
  assert.deepEqual([[0, 10], [1, 1000], [64, 1000], [10, 10], [1, 0]].map(([part, whole]) => share(part, whole)), ["0%", "1%", "6%", "100%", "0%"]);
  assert.deepEqual([0, 320, 4200, 42900, 61000, 3 * 3600000 + 5, 50 * 3600000].map(time), ["0 ms", "320 ms", "4.2 sec", "42 sec", "1 minute", "3 hours", "2 days"]);
  assert.deepEqual([0, 0.25, 9.96, 1234.5].map(rate), ["0", "0.3", "10", "1,235"]);
});
