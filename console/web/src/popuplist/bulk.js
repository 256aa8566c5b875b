// Doing one thing to many popups: a question that names them, then one request each, then what failed.
import { html, nothing } from "lit/html.js";
import { send } from "../api.js";
import { t } from "../i18n.js";
import { announce, confirmDialog, dialog } from "../ui.js";
import { nameOf } from "./row.js";

/** @typedef {import("../pages/popups.js").Popup} Popup */
/** @typedef {"pause" | "resume" | "archive"} Action */

const atOnce = 4, named = 8;

/**
 * What an action does: to popups of which statuses, and by which request. Pausing stops whatever
 * a popup has become meanwhile. Resuming and archiving are of the version that was seen.
 * @type {Record<Action, {fits: string[], request: (p: Popup) => Promise<unknown>}>}
 */
const actions = {
  pause: { fits: ["active"], request: (p) => send("POST", `popups/${p.key}/pause`) },
  resume: { fits: ["paused"], request: (p) => send("POST", `popups/${p.key}/activate`, undefined, { match: String(p.version) }) },
  archive: { fits: ["draft", "active", "paused"], request: (p) => send("DELETE", `popups/${p.key}`, undefined, { match: String(p.version) }) },
};

/**
 * The popups that an action would change. What is live, or was, is archived by publishers only.
 * @param {Action} action @param {Popup[]} popups @param {boolean} publisher whether the operator is one
 */
export const fitting = (action, popups, publisher) => popups.filter((p) => actions[action].fits.includes(p.status) && (publisher || p.status === "draft"));

/**
 * Asks, and does it. Resolves to the keys of the popups that are changed, null if the operator thought better of it.
 * @param {Action} action @param {Popup[]} chosen @param {boolean} publisher @returns {Promise<string[] | null>}
 */
export async function bulk(action, chosen, publisher) {
  const popups = fitting(action, chosen, publisher);
  const n = popups.length, others = chosen.length - n;
  const yes = await confirmDialog({
    name: t(`popups.${action}.name`, { n }), action: t(`popups.${action}.do`, { n }), danger: action === "archive",
    text: html`<p>${t(`popups.${action}.text`, { n })}</p>${names(popups)}${others > 0 ? html`<p class="muted">${t(publisher ? `popups.${action}.others` : "popups.archive.live", { n: others })}</p>` : nothing}`,
  });
  if (!yes) return null;
  /** @type {{popup: Popup, why: string}[]} */
  const failed = [];
  const waiting = [...popups];
  await Promise.all(Array.from({ length: atOnce }, async () => {
    for (let p = waiting.shift(); p; p = waiting.shift()) {
      try {
        await actions[action].request(p);
      } catch (error) {
        failed.push({ popup: p, why: error instanceof Error ? error.message : String(error) });
      }
    }
  }));
  announce(t(`popups.${action}.done`, { n: n - failed.length }));
  if (failed.length > 0) await tell(action, failed, n);
  return popups.filter((p) => !failed.some((f) => f.popup === p)).map((p) => p.key);
}

/** @param {Popup[]} popups */
const names = (popups) => html`<ul class="named">${popups.slice(0, named).map((p) => html`<li>${nameOf(p)}</li>`)}
  ${popups.length > named ? html`<li class="muted">${t("popups.more", { n: popups.length - named })}</li>` : nothing}</ul>`;

/** @param {Action} action @param {{popup: Popup, why: string}[]} failed @param {number} n of all */
const tell = (action, failed, n) => dialog({ name: t(`popups.${action}.failed`, { n: failed.length }), body: (close) => html`
  <p>${t("popups.others.done", { n: n - failed.length })}</p>
  <dl class="failures">${failed.map((f) => html`<div><dt>${nameOf(f.popup)}</dt><dd>${f.why}</dd></div>`)}</dl>
  <div class="buttons"><button type="button" class="primary" @click=${() => close()}>${t("shell.close")}</button></div>` });
