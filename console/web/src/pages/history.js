// The versions of a popup: who made them, what changed, and the way back.
import { html, nothing, render } from "lit/html.js";
import { ApiError, get, send } from "../api.js";
import { translated } from "../details.js";
import { diffView, fieldDiff, fieldName } from "../diff.js";
import { ago, dateTime, t } from "../i18n.js";
import { steps } from "../pointer.js";
import { announce, badge, confirmDialog, emptyState, notice, pageHead, popupTabs } from "../ui.js";
import { written } from "../editor/editor.js";
import { empty } from "../editor/shape.js";

/** @typedef {import("../editor/editor.js").Popup} Popup @typedef {import("../editor/editor.js").Note} Note */
/** @typedef {{version: number, actor: string, created_at: string, source: string, spec: Popup}} Revision */
/** @typedef {{popup: Popup, revisions: Revision[], rolledBack: Set<number>, next: string | null, notice: unknown}} State the versions that a way back has made */

/** Versions that are read at a time. */
const some = 50;

/** @param {HTMLElement} main @param {import("../console.js").Shell} shell */
export default async function history(main, shell) {
  const { key } = shell, path = "popups/" + encodeURIComponent(key);
  /** @type {State} */
  const state = { popup: /** @type {any} */ (null), revisions: [], rolledBack: new Set(), next: null, notice: nothing };
  const draw = () => render(view(), main);

  const read = async () => {
    const [popup, page, audit] = await Promise.all([get(path), get(`${path}/revisions?limit=${some}`), get(`audit?limit=200&object=${encodeURIComponent(key)}`)]);
    state.popup = popup.body;
    state.revisions = page.body.items;
    state.next = page.body.next_cursor;
    state.rolledBack = new Set(audit.body.items.filter((/** @type {any} */ entry) => entry.action === "rollback").map((/** @type {any} */ entry) => entry.to_version));
    document.title = `${state.popup.name || key} · popupd`;
  };

  const older = async () => {
    const { body } = await get(`${path}/revisions?limit=${some}&cursor=${encodeURIComponent(state.next ?? "")}`);
    state.revisions = [...state.revisions, ...body.items];
    state.next = body.next_cursor;
    draw();
  };

  const rollback = async (/** @type {Revision} */ to) => {
    const { popup } = state, changes = fieldDiff(written(popup), { ...to.spec, status: popup.status });
    const text = html`<div class="rollback"><p>${t(popup.status === "active" ? "history.rollback.live" : "history.rollback.other")}</p>${diffView(changes)}</div>`;
    if (!await confirmDialog({ name: t("history.rollback.ask", { version: to.version }), text, action: t("history.rollback.yes"), wide: true })) return;
    state.notice = nothing;
    let told = "";
    try {
      const { body } = await send("POST", path + "/rollback", { version: to.version }, { match: String(popup.version) });
      told = t("history.rolled", { now: body.version, version: to.version });
      if (body.warnings.length > 0) state.notice = notice("warning", html`<strong>${t("history.warnings", { n: body.warnings.length })}</strong>${listOf(body.warnings)}`);
      await read();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.status === 412) {
        state.notice = notice("danger", t("history.stale"));
        await read();
      } else state.notice = notice("danger", error.errors.length > 0 ? html`<strong>${t("history.refused", { version: to.version })}</strong>${listOf(error.errors)}` : error.detail);
    }
    draw();
    if (told !== "") announce(told);
    document.getElementById("v" + state.popup.version)?.focus();
  };

  const view = () => {
    const { popup, revisions } = state;
    return html`${pageHead({ title: html`${popup.name || popup.key} ${badge(popup.status)}`, back: { href: "/popups", text: t("shell.nav.popups") }, lead: t("history.lead"), tabs: popupTabs(popup.key, "history") })}
      ${state.notice} ${popup.status === "archived" ? notice("info", t("history.archived")) : nothing}
      <div class="card"><ol class="revisions">${revisions.map((revision, i) => {
        const before = revisions[i + 1];
        return before === undefined && revision.version > 1 ? nothing : one(revision, before); // what it changed is known with the one before
      })}</ol>
      ${state.next === null ? nothing : html`<button type="button" class="older" @click=${older}>${t("history.older")}</button>`}</div>
      <p class="older muted">${t("history.audit")} <a href="/audit?${new URLSearchParams({ object: popup.key })}">${t("shell.nav.audit")}</a></p>`;
  };

  const one = (/** @type {Revision} */ revision, /** @type {Revision | undefined} */ before) => {
    const { version, actor, created_at: at, source, spec } = revision, changes = before === undefined ? beginning(spec) : fieldDiff(before.spec, spec), isCurrent = version === state.popup.version;
    const isSame = fieldDiff(written(state.popup), { ...spec, status: state.popup.status }).length === 0, mayChange = state.popup.status !== "archived" && shell.may(state.popup.status === "draft" ? "editor" : "publisher");
    return html`<li>
      <div class="revision"><h2 id="v${version}" tabindex="-1">${t("history.version", { version })}</h2>
        <span><strong>${t("history.did." + (state.rolledBack.has(version) ? "rollback" : didOf(before?.spec, spec, changes.length)))}</strong></span>
        <span class="by"><time datetime=${at}>${t("history.by", { who: actor, time: dateTime(at), ago: ago(at) })}</time>${source ? html` · ${t("history.source", { source })}` : nothing}</span>
        ${isCurrent ? html`<span class="badge">${t("history.current")}</span>` : isSame ? html`<span class="muted">${t("history.same")}</span>` : mayChange ? html`<button type="button" @click=${() => rollback(revision)}>${t("history.rollback")}<span class="hidden">: ${t("history.version", { version })}</span></button>` : nothing}
      </div>
      ${changes.length === 0 ? nothing : html`<details ?open=${isCurrent && before !== undefined}><summary>${before === undefined ? t("history.first") : t("history.changes", { n: changes.length })}<span class="hidden"> (${t("history.version", { version })})</span></summary>${diffView(changes)}</details>`}
    </li>`;
  };

  try {
    await read();
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 404) throw error;
    render(html`${pageHead({ title: key, back: { href: "/popups", text: t("shell.nav.popups") } })}
      ${emptyState({ title: t("history.none"), text: t("history.none.text"), action: html`<a href="/popups">${t("history.none.list")}</a>` })}`, main);
    return;
  }
  draw();
}

/** What of a first version is not as in every new popup. @param {Popup} spec */
function beginning(spec) {
  const own = new Set(fieldDiff(empty, spec).map(({ pointer }) => pointer));
  return fieldDiff(undefined, spec).filter(({ pointer }) => own.has(pointer));
}

/** What was done, in a word. @param {Popup | undefined} before @param {Popup} after @param {number} changes */
function didOf(before, after, changes) {
  if (before === undefined) return "create";
  if (before.status !== after.status) return after.status === "active" ? "publish" : after.status === "paused" ? "pause" : after.status === "archived" ? "archive" : "draft";
  return changes === 0 ? "nothing" : "change";
}

/** @param {Note[]} notes */
const listOf = (notes) => html`<ul>${notes.map(({ pointer, detail }) => html`<li>${pointer === "" ? nothing : fieldName(steps(pointer)) + ": "}${translated(detail)}</li>`)}</ul>`;
