// The program calls every operation of popupd with openapi-fetch and the types
// that openapi-typescript makes of openapi.yaml.
import assert from "node:assert/strict";
import { parseArgs } from "node:util";
import createClient from "openapi-fetch";
import type { components, paths } from "./popupd.js";

const { values } = parseArgs({
  options: {
    data: { type: "string", default: "http://127.0.0.1:8080" },
    admin: { type: "string", default: "http://127.0.0.1:8081" },
    token: { type: "string", default: "" },
  },
});
// The attributes of a poll are parameters of their own, not parameters of "attributes".
const data = createClient<paths>({ baseUrl: values.data, querySerializer: { object: { style: "form", explode: true } } });
const admin = createClient<paths>({ baseUrl: values.admin, headers: { Authorization: `Bearer ${values.token}` } });
const key = "typescript";
const user = "user of typescript";
const path = { key };

/** Returns the body of an answer that has the wanted status. */
function want<T>(status: number, got: { response: Response; data?: T; error?: unknown }): T {
  assert.equal(got.response.status, status, `${got.response.url}: ${JSON.stringify(got.error)}`);
  return got.data as T;
}

// Limit what each user is shown of all popups together.
const settings = await admin.GET("/v1/admin/settings");
want(200, settings);
const limit = { params: { header: { "If-Match": settings.response.headers.get("ETag") ?? "" } }, body: { caps: [{ key: "daily", max: 20, per_sec: 86400 }] } };
assert.equal(want(200, await admin.PUT("/v1/admin/settings", limit)).caps.length, 1);
want(412, await admin.PUT("/v1/admin/settings", limit));

const vip = { path: { key: "vip" } };
const ids = { params: vip, body: "u-1\nu-2\nu-1\n", bodySerializer: (body: unknown) => String(body), headers: { "Content-Type": "text/plain" } };
assert.equal(want(201, await admin.PUT("/v1/admin/audiences/{key}", ids)).members, 2);
want(428, await admin.PUT("/v1/admin/audiences/{key}", ids));
assert.equal(want(200, await admin.GET("/v1/admin/audiences")).items.length, 1);
const list = await admin.GET("/v1/admin/audiences/{key}", { params: vip });
assert.equal(want(200, list).kind, "list");
want(204, await admin.DELETE("/v1/admin/audiences/{key}", { params: { ...vip, header: { "If-Match": list.response.headers.get("ETag") ?? "" } } }));

const files = { source: "repo", popups: [{ key: "imported", source: "repo:imported.yaml@1", priority: 7 }] };
const planned = await admin.PUT("/v1/admin/import", { params: { query: { dry_run: "1" } }, body: files });
assert.equal(want(200, planned).objects[0]?.action, "create");
const asPlanned = { params: { header: { "If-Match": planned.response.headers.get("ETag") ?? "" } }, body: files };
assert.equal(want(200, await admin.PUT("/v1/admin/import", asPlanned)).summary.create, 1);
want(412, await admin.PUT("/v1/admin/import", asPlanned));
assert.equal(want(200, await admin.GET("/v1/admin/export")).popups[0]?.source, "repo:imported.yaml@1");

// Make a popup for users with the plan pro.
const popup: components["schemas"]["NewPopup"] = {
  key,
  status: "active",
  placements: [key],
  targeting: { all: [{ attr: "plan", op: "in", value: ["pro", 7, true] }] },
  variants: [{ key: "a", content: { title: "Hello", more: { list: [1, 2] } } }, { key: "b", weight: 1 }],
};
const created = want(201, await admin.POST("/v1/admin/popups", { params: { header: { "X-Popupd-Actor": key } }, body: popup }));
const afterClick: number = created.frequency.after_click_sec;
assert.equal(afterClick, 2592000);
const again = await admin.POST("/v1/admin/popups", { body: popup });
want(409, again);
assert.equal(again.error?.code, "key_exists");
want(422, await admin.POST("/v1/admin/popups", { body: { key: "Not a key" } }));

// Show it, and report what the user did.
const query = { uid: user, placement: key, attributes: { "a.plan": "pro" } };
const served = want(200, await data.GET("/v1/poll", { params: { query } }));
assert(served);
const title: unknown = served.popup.content.title;
assert.equal(title, "Hello");
want(204, await data.GET("/v1/poll", { params: { query } }));

// Look at a draft before it is saved.
const draft = { variants: [{ key: "b", content: { title: "Soon" }, translations: { de: { title: "Bald" } } }] };
const preview = want(200, await admin.POST("/v1/admin/popups/{key}/preview", { params: { path }, body: { variant: "b", popup: draft } }));
const previewed = want(200, await data.GET("/v1/poll", { params: { query: { uid: user, locale: "de-AT", preview: preview.token } } }));
assert(previewed);
assert.deepEqual([previewed.popup.content.title, previewed.popup.locale, previewed.preview, previewed.token], ["Bald", "de", true, ""]);

// In several placements.
const several = want(200, await data.POST("/v1/poll", {
  body: { uid: `another ${user}`, placements: ["nowhere", key], tz: "Asia/Shanghai", attributes: { plan: "pro", logins: 3, beta: true, tags: ["a", 3, null], referrer: null }, showing: [served.token] },
}));
assert.deepEqual(several.popups.map((p) => p.popup.placement), [key]);
assert.deepEqual(several.withdraw, []);
const one = want(202, await data.POST("/v1/actions", { body: { token: served.token, action: "click" } }));
assert.deepEqual(one, { accepted: 1, rejected: [] });
const many = want(202, await data.POST("/v1/actions", {
  params: { query: { uid: user } },
  body: [{ token: served.token, action: "convert" }, { token: "v1.forged", action: "click" }],
}));
assert.equal(many.rejected[0]?.code, "invalid_token");
const text = JSON.stringify({ token: served.token, action: "dismiss" });
want(202, await data.POST("/v1/actions", { headers: { "Content-Type": "text/plain" }, body: text, bodySerializer: (body) => body }));
const form = { "Content-Type": "application/x-www-form-urlencoded" };
want(202, await data.POST("/v1/actions", { headers: form, body: { token: served.token, action: "view", age_ms: 5 } }));
want(401, await data.POST("/v1/actions", { body: { token: "v1.forged", action: "click" } }));
want(204, await data.OPTIONS("/v1/poll"));
want(204, await data.OPTIONS("/v1/actions"));
const event = { uid: user, event: "purchase" };
assert.equal(want(202, await data.POST("/v1/events", { body: event })).accepted, 1);
assert.equal(want(202, await admin.POST("/v1/events", { body: [event, event] })).accepted, 2);
want(204, await data.OPTIONS("/v1/events"));

// Ask why the popup that was clicked is not returned.
const explanation = want(200, await admin.POST("/v1/admin/explain", { body: { uid: user, placement: key, popup: key } }));
const asked = explanation.candidates[0];
assert(asked?.blocked_by && !asked.eligible && asked.gates.length > 12 && asked.state);

// Try a popup on the polls of before.
const proposal = { popups: [{ key: `${key}-proposed`, placements: [key], priority: 9 }] };
const simulation = want(200, await admin.POST("/v1/admin/simulate", { body: proposal }));
assert(simulation.polls > 0 && simulation.popups[0]?.reach?.users && simulation.popups[0].fit?.users);

// Forget users, before the popup is archived, which frees what is remembered of
// it. Fetch takes ".." out of a path, so such ids go into the query.
const state = want(200, await admin.GET("/v1/admin/users/{uid}", { params: { path: { uid: user } } }));
assert.deepEqual(state.states.map((s) => s.acted), [["click", "dismiss", "convert", "view"]]);
const reset = want(202, await admin.DELETE("/v1/admin/users/{uid}", { params: { path: { uid: user } } }));
assert(want(200, await admin.GET("/v1/admin/erasures/{id}", { params: { path: { id: reset.id } } })).kept.length > 0);
assert.equal(want(200, await admin.GET("/v1/admin/users", { params: { query: { uid: ".." } } })).uid, "..");
want(202, await admin.DELETE("/v1/admin/users", { params: { query: { uid: ".." } } }));

// Go through its versions, up to its end.
const read = await admin.GET("/v1/admin/popups/{key}", { params: { path } });
const current = want(200, read);
const etag = read.response.headers.get("ETag") ?? "";
const replace = { params: { path, header: { "If-Match": etag } }, body: { ...current, name: "renamed" } };
assert.equal(want(200, await admin.PUT("/v1/admin/popups/{key}", replace)).name, "renamed");
want(412, await admin.PUT("/v1/admin/popups/{key}", replace));
want(200, await admin.POST("/v1/admin/popups/{key}/pause", { params: { path } }));
want(200, await admin.POST("/v1/admin/popups/{key}/activate", { params: { path } }));
want(200, await admin.POST("/v1/admin/popups/{key}/rollback", { params: { path }, body: { version: 1 } }));
want(200, await admin.DELETE("/v1/admin/popups/{key}", { params: { path, header: { "If-Match": "*" } } }));

// Look at what was changed and shown.
const archived = want(200, await admin.GET("/v1/admin/popups", { params: { query: { status: ["archived"], q: key, sort: "-updated_at", stats: "1", limit: 100 } } }));
assert(archived.items.some((item) => item.key === key && item.stats?.points.length === 7));
const page = want(200, await admin.GET("/v1/admin/popups/{key}/revisions", { params: { path, query: { limit: 2 } } }));
const cursor = page.next_cursor ?? undefined;
const rest = want(200, await admin.GET("/v1/admin/popups/{key}/revisions", { params: { path, query: { cursor } } }));
assert.equal(page.items.length + rest.items.length, 6);
const stats = want(200, await admin.GET("/v1/admin/popups/{key}/stats", { params: { path, query: { interval: "day" } } }));
assert.ok([7, 8].includes(stats.series.length)); // the last 168 hours begin within a day, but for one hour a day
const experiment = want(200, await admin.GET("/v1/admin/popups/{key}/experiment", { params: { path, query: { goal: "convert" } } }));
assert.equal(experiment.status, "too_few");
want(200, await admin.GET("/v1/admin/audit"));
for (const format of ["ndjson", "csv"] as const) {
  assert.match(want(200, await admin.GET("/v1/admin/events", { params: { query: { format } }, parseAs: "text" })), /cursor/);
}

// Make a token that may read, use it and end it.
const named = want(201, await admin.POST("/v1/admin/tokens", { body: { name: key, role: "viewer" } }));
want(409, await admin.POST("/v1/admin/tokens", { body: { name: key, role: "viewer" } }));
const viewer = createClient<paths>({ baseUrl: values.admin, headers: { Authorization: `Bearer ${named.token}` } });
want(200, await viewer.GET("/v1/admin/settings"));
const refused = await viewer.POST("/v1/admin/reload");
want(403, refused);
assert.deepEqual([refused.error?.code, refused.error?.role], ["role_required", "publisher"]);
assert.deepEqual(want(200, await admin.GET("/v1/admin/tokens")).items.map((token) => token.id), [named.id]);
want(204, await admin.DELETE("/v1/admin/tokens", { params: { query: { name: key } } }));
want(401, await viewer.GET("/v1/admin/settings"));

// Ask what monitoring asks.
assert.equal(want(200, await admin.GET("/livez")).status, "ok");
assert.equal(want(200, await admin.GET("/readyz")).status, "ready");
assert(want(200, await admin.POST("/v1/admin/reload")).revision > 0);
want(200, await admin.PUT("/v1/admin/log-level", { body: { level: "warn" } }));
assert.equal(want(200, await admin.GET("/v1/admin/log-level")).level, "warn");
assert.match(want(200, await admin.GET("/metrics", { parseAs: "text" })), /popupd_build_info/);
want(200, await admin.GET("/openapi.yaml", { parseAs: "text" }));
want(200, await admin.GET("/debug/pprof", { parseAs: "text" }));
want(200, await admin.GET("/debug/pprof/{profile}", { params: { path: { profile: "heap" }, query: { debug: 1 } }, parseAs: "text" }));
