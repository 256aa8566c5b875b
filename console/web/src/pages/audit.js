// The audit trail: who changed what, and when.
import { html, nothing, render } from "lit/html.js";
import { ApiError, get } from "../api.js";
import { fieldDiff, diffView } from "../diff.js";
import { ago, dateTime, has, load, t } from "../i18n.js";
import { inWords } from "../problem.js";
import { emptyState, field, notice, pageHead } from "../ui.js";

/** @typedef {{id: number, at: string, actor: string, action: string, object: string, from_version: number, to_version: number}} Entry */

const kinds = ["popup", "audience", "config", "token", "session", "user", "server"];
const actions = [
  "create", "update", "activate", "pause", "archive", "rollback", "create_audience", "update_audience", "delete_audience",
  "create_token", "delete_token", "log_in", "log_out", "log_out_everywhere", "log_in_refused", "reset", "erased", "log_level",
];
// A view has 50 entries. With filters it looks through up to so many pages of 500 for them, so
// that no view takes long, and the operator says whether to look further back.
const most = 4;

/** @param {HTMLElement} main @param {import("../console.js").Shell} shell */
export default async function audit(main, shell) {
  const query = new URLSearchParams(location.search);
  const filter = Object.fromEntries(["actor", "action", "kind", "object", "from", "to"].map((name) => [name, query.get(name) ?? ""]));
  const filtered = Object.values(filter).some((value) => value !== "");
  /** @type {Map<number, {changes?: any[], problem?: string}>} */
  const open = new Map();
  const loaded = load("problem");
  const found = await read(filter, filtered, query.get("cursor")).catch((error) => {
    if (!(error instanceof ApiError && error.status === 400 && query.has("cursor"))) throw error;
    query.delete("cursor"); // of an address that was cut
    return read(filter, filtered, null);
  });
  await loaded;

  const draw = () => render(html`
    ${pageHead({ title: t("shell.nav.audit"), lead: t("audit.lead") })}
    <form class="lookup trail" role="search">
      ${field({ label: t("audit.who"), name: "actor", value: filter.actor })}
      ${field({ label: t("audit.what"), name: "action", value: filter.action, options: [{ value: "", text: t("audit.any") }, ...actions.map((value) => ({ value, text: nameOf(value) }))] })}
      ${field({ label: t("audit.kind"), name: "kind", value: filter.kind, options: [{ value: "", text: t("audit.any") }, ...kinds.map((value) => ({ value, text: t("audit.kind." + value) }))] })}
      ${field({ label: t("audit.object"), name: "object", value: filter.object })}
      ${field({ label: t("audit.from"), name: "from", type: "date", value: filter.from })}
      ${field({ label: t("audit.to"), name: "to", type: "date", value: filter.to })}
      <div class="go"><button>${t("audit.filter")}</button>${filtered ? html`<a href="/audit">${t("audit.all")}</a>` : nothing}</div>
    </form>
    ${found.entries.length > 0
      ? html`<div class="card flush"><table class="audit stack">
          <caption class="hidden">${t("shell.nav.audit")}</caption>
          <thead><tr><th scope="col">${t("audit.when")}</th><th scope="col">${t("audit.who")}</th><th scope="col">${t("audit.what")}</th><th scope="col">${t("audit.object")}</th><th scope="col">${t("audit.version")}</th></tr></thead>
          <tbody>${found.entries.map(rows)}</tbody></table></div>`
      : emptyState({ title: t(filtered ? "audit.none" : "audit.empty"), text: found.next && found.back ? t("audit.none.back", { when: dateTime(found.back) }) : t(filtered ? "audit.none.text" : "audit.empty.text") })}
    <nav class="pages" aria-label=${t("audit.pages")}>
      ${query.has("cursor") ? html`<a href=${address(query, null)}>${t("audit.newest")}</a>` : nothing}
      <span class="muted">${found.back && filtered ? t(found.next ? "audit.looked" : "audit.looked.all", { when: dateTime(found.back) }) : nothing}</span>
      ${found.next ? html`<a rel="next" href=${address(query, found.next)}>${t(filtered ? "audit.further" : "audit.older")}</a>` : nothing}
    </nav>`, main);

  const rows = (/** @type {Entry} */ entry) => {
    const shown = open.get(entry.id);
    const comparable = entry.from_version > 0 && entry.to_version > 0 && kindOf(entry.object) === "popup";
    return html`<tr>
      <td data-label=${t("audit.when")}><time datetime=${entry.at} title=${ago(entry.at)}>${dateTime(entry.at)}</time></td>
      <td data-label=${t("audit.who")}><a class="plain" href="/audit?${new URLSearchParams({ actor: entry.actor })}">${entry.actor}</a></td>
      <td data-label=${t("audit.what")}>${nameOf(entry.action)}</td>
      <td data-label=${t("audit.object")}>${objectOf(entry.object)}</td>
      <td data-label=${t("audit.version")}>${versions(entry)}
        ${comparable ? html`<button type="button" class="quiet" aria-expanded=${shown ? "true" : "false"} aria-label=${t("audit.changes.of", { key: entry.object, n: entry.to_version })} @click=${() => toggle(entry)}>${t("audit.changes")}</button>` : nothing}</td>
    </tr>
    ${shown ? html`<tr class="changes"><td colspan="5">${shown.problem ? notice("danger", shown.problem) : shown.changes ? diffView(shown.changes) : t("audit.reading")}</td></tr>` : nothing}`;
  };

  const toggle = async (/** @type {Entry} */ entry) => {
    if (open.delete(entry.id)) return draw();
    open.set(entry.id, {});
    draw();
    try {
      const [before, after] = await Promise.all([specOf(entry.object, entry.from_version), specOf(entry.object, entry.to_version)]);
      open.set(entry.id, before && after ? { changes: fieldDiff(before, after) } : { problem: t("audit.lost") });
    } catch (error) {
      open.set(entry.id, { problem: inWords(error) });
    }
    draw();
  };
  draw();
}

/**
 * Reads entries that fit, and where to look on.
 * @param {Record<string, string>} filter @param {boolean} filtered @param {string | null} cursor
 */
async function read(filter, filtered, cursor) {
  const from = filter.from === "" ? -Infinity : new Date(filter.from + "T00:00:00").getTime();
  const to = filter.to === "" ? Infinity : new Date(filter.to + "T23:59:59.999").getTime();
  const text = filter.object.toLowerCase();
  const fits = (/** @type {Entry} */ e) => (filter.actor === "" || e.actor === filter.actor) && (filter.action === "" || e.action === filter.action) &&
    (filter.kind === "" || kindOf(e.object) === filter.kind) && e.object.toLowerCase().includes(text) && Date.parse(e.at) >= from && Date.parse(e.at) <= to;
  /** @type {Entry[]} */
  const entries = [];
  let next = cursor, back = "";
  for (let pages = 0; pages < (filtered ? most : 1) && entries.length < 50; pages++) {
    const { body } = await get("audit?" + new URLSearchParams({ limit: filtered ? "500" : "50", ...next ? { cursor: next } : {} }));
    entries.push(...body.items.filter(fits));
    back = body.items.at(-1)?.at ?? back;
    next = body.next_cursor;
    if (next === null) break;
    if (Date.parse(back) < from) {
      next = null;
      break;
    }
  }
  return { entries, next, back };
}

/** @type {Map<string, Promise<any[]>>} revisions of a popup, by its key */
const revisions = new Map();

/** The spec of a popup at a version; undefined if there is none. @param {string} key @param {number} version */
async function specOf(key, version) {
  if (!revisions.has(key)) revisions.set(key, readRevisions(key));
  const list = await /** @type {Promise<any[]>} */ (revisions.get(key)).catch((error) => { revisions.delete(key); throw error; });
  return list.find((revision) => revision.version === version)?.spec;
}

async function readRevisions(/** @type {string} */ key) {
  const all = [];
  for (let cursor = ""; ;) {
    const { body } = await get(`popups/${encodeURIComponent(key)}/revisions?limit=500` + (cursor && "&cursor=" + cursor));
    all.push(...body.items);
    if (body.next_cursor === null) return all;
    cursor = body.next_cursor;
  }
}

/** The address of this view from a cursor on. @param {URLSearchParams} query @param {string | null} cursor */
function address(query, cursor) {
  const next = new URLSearchParams([...query].filter(([name, value]) => name !== "cursor" && value !== ""));
  if (cursor) next.set("cursor", cursor);
  return next.size ? "/audit?" + next : "/audit";
}

const nameOf = (/** @type {string} */ action) => has("audit.action." + action) ? t("audit.action." + action) : action;

/** What kind of object a name in the trail is of. @param {string} object */
function kindOf(object) {
  const [prefix] = object.split(":");
  return prefix === object ? "popup" : { erasure: "user", sessions: "session" }[prefix] ?? prefix;
}

/** An object, with a link to where it is. @param {string} object */
function objectOf(object) {
  const [, name] = object.split(/:(.*)/s);
  const kind = html`<span class="kind">${has("audit.kind." + kindOf(object)) ? t("audit.kind." + kindOf(object)) : ""}</span>`;
  switch (name === undefined ? "popup" : object.slice(0, object.indexOf(":"))) {
    case "popup": return html`${kind} <a href="/popups/${object}/history">${object}</a>`;
    case "audience": return html`${kind} <a href="/audiences/${name}">${name}</a>`;
    case "config": return html`<a href="/settings">${t("audit.kind.config")}</a>`;
    case "token": {
      const [token, role] = name.split(" ");
      return html`${kind} ${token} ${has("shell.role." + role) ? html`<span class="kind">(${t("shell.role." + role)})</span>` : nothing}`;
    }
    case "user": return html`${kind} <a href="/users?${new URLSearchParams({ uid: name })}">${name}</a>`;
    case "erasure": return html`${kind} ${t("audit.erasure", { id: name })}`;
  }
  return html`${kind} ${name}`;
}

/** "3 → 4" @param {Entry} entry */
function versions({ from_version: from, to_version: to }) {
  if (to === 0) return from === 0 ? nothing : html`<span class="number">${from}</span>`;
  if (from === 0) return html`<span class="number">${to}</span>`;
  return html`<span class="number" role="img" aria-label=${t("audit.versions", { from, to })}>${from} → ${to}</span>`;
}
