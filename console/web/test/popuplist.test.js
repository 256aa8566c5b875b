import assert from "node:assert/strict";
import test from "node:test";

globalThis.document = /** @type {any} */ ({ body: { dataset: { lang: "en" } }, documentElement: { lang: "en" }, createTreeWalker: () => ({}) });
globalThis.location = /** @type {any} */ ({ search: "" });
globalThis.history = /** @type {any} */ ({ replaceState: (_state, _title, address) => { location.search = address.replace("/popups", ""); } });

const { open } = await import("../src/popuplist/address.js");

/** Has the server refuse some requests, and returns the paths that were asked for. @param {(path: string) => number} status */
function server(status) {
  const asked = /** @type {string[]} */ ([]);
  globalThis.fetch = /** @type {any} */ (async (path) => {
    asked.push(path);
    const refused = status(path) !== 200;
    return new Response(refused ? '{"code":"invalid_parameter","detail":"It is wrong."}' : '{"items":[]}', { status: status(path), headers: { "Content-Type": "application/json" } });
  });
  return asked;
}

test("an address that the server can't read shows the first page, and what is wrong", async () => {
  location.search = "?q=sale&cursor=cut";
  const asked = server((path) => path.includes("cursor") ? 400 : 200);
  const { choice, page, problem } = await open();
  assert.deepEqual([asked.length, choice.cursor, choice.q, page, problem, location.search], [2, "", "sale", { items: [] }, "It is wrong.", "?q=sale"]);

  location.search = "?q=toolong&cursor=cut";
  server((path) => path.includes("cursor") || path.includes("toolong") ? 400 : 200);
  assert.deepEqual([(await open()).choice.q, location.search], ["", ""]);
});

test("an address that it can read is not changed", async () => {
  location.search = "?q=sale&cursor=good";
  const asked = server(() => 200);
  const { choice, problem } = await open();
  assert.deepEqual([asked.length, choice.cursor, choice.q, problem, location.search], [1, "good", "sale", "", "?q=sale&cursor=good"]);
});

test("what no other address helps against is told as it is", async () => {
  for (const status of [400, 403, 503]) {
    const asked = server(() => status);
    await assert.rejects(open(), { status, detail: "It is wrong." });
    assert.ok(asked.length <= 3);
  }
});
