import assert from "node:assert/strict";
import test from "node:test";

globalThis.document = /** @type {any} */ ({ body: { dataset: { lang: "en" } }, documentElement: { lang: "en" }, createTreeWalker: () => ({}) });

const { ApiError, get, send } = await import("../src/api.js");
const { upload } = await import("../src/audience/upload.js");

/** Has every request answered so. @param {() => Response} answer */
const answered = (answer) => { globalThis.fetch = /** @type {any} */ (async () => answer()); };
const problem = (status, text) => new Response(text, { status, headers: { "Content-Type": "application/problem+json" } });

/** @param {Promise<unknown>} asked @param {number} status @param {string} code */
const fails = (asked, status, code) => assert.rejects(asked, (error) => error instanceof ApiError && error.status === status && error.code === code);

test("a connection that breaks within an answer is no answer", async () => {
  const cut = () => new Response(new ReadableStream({
    start(body) { body.enqueue(new TextEncoder().encode('{"items":[')); },
    pull(body) { body.error(new TypeError("network error")); },
  }), { headers: { "Content-Type": "application/json" } });
  const offline = /shell\.offline/; // its text is not loaded here
  answered(() => { throw new TypeError("away"); });
  await assert.rejects(get("popups"), offline);
  answered(cut);
  await assert.rejects(get("popups"), offline);
});

test("an error tells what the server says of it", async () => {
  answered(() => problem(422, '{"code":"invalid_fields","errors":[{"pointer":"/name","detail":"is too long"}]}'));
  await assert.rejects(send("PUT", "popups/a", {}), { status: 422, errors: [{ pointer: "/name", detail: "is too long" }] });
  answered(() => problem(503, "")); // as to a HEAD
  await fails(send("HEAD", "/live"), 503, "");
  answered(() => new Response("<h1>Bad Gateway</h1>", { status: 502, statusText: "Bad Gateway", headers: { "Content-Type": "text/html" } }));
  await assert.rejects(get("popups"), { status: 502, detail: "Bad Gateway" });
});

test("of several cookies no log-in helps, so none is asked for", async () => {
  answered(() => problem(401, '{"code":"several_sessions","detail":"Delete them."}'));
  await assert.rejects(get("popups"), { status: 401, detail: "Delete them." });
  globalThis.XMLHttpRequest = /** @type {any} */ (class {
    upload = {};
    status = 401;
    responseText = '{"code":"several_sessions","detail":"Delete them."}';
    open() {}
    setRequestHeader() {}
    getResponseHeader() { return "application/problem+json"; }
    send() { this.onload(); }
  });
  await assert.rejects(upload("a", new Blob(), { csv: false, match: "1", progress: () => {}, signal: new AbortController().signal }), { status: 401, detail: "Delete them." });
});
