// What is remembered of a user.
import { html, nothing } from "lit/html.js";
import { ago, dateTime, has, list, number, t } from "../i18n.js";
import { notice } from "../ui.js";

/**
 * @typedef {{popup_id: number, popup: string, impressions: number, last_impression_at: string | null, acted: string[], last_action: string, last_action_at: string | null, next_at: string | null}} State
 * @typedef {{served_at: string, popup_id: number, popup: string, variant: string, control: boolean, acted: string[]}} Recent
 */

const never = Date.parse("9999-01-01T00:00:00Z");

/** A popup by its name; one that is archived has its number alone. @param {{popup: string, popup_id: number}} of @param {Map<string, string>} names */
const popupLink = (of, names) => of.popup ? html`<a href="/popups/${of.popup}/report">${names.get(of.popup) ?? of.popup}</a>` : html`<span class="muted">${t("users.archived", { id: String(of.popup_id) })}</span>`;

/** @param {string[]} actions */
const did = (actions) => actions.length ? list(actions.map((a) => has("users.did." + a) ? t("users.did." + a) : a)) : "–";

/** @param {{states: State[]}} user @param {Map<string, string>} names */
export function statesSection({ states }, names) {
  if (states.length === 0) return html`<section class="card" aria-labelledby="states"><h2 id="states">${t("users.states")}</h2><p class="muted">${t("users.states.none")}</p></section>`;
  const latest = [...states].sort((x, y) => Date.parse(y.last_action_at ?? "") - Date.parse(x.last_action_at ?? ""));
  return html`<section class="card flush" aria-labelledby="states"><h2 id="states">${t("users.states")}</h2>
    <div class="scroll" tabindex="0" role="group" aria-labelledby="states"><table>
      <thead><tr><th scope="col">${t("users.col.popup")}</th><th scope="col" class="number">${t("users.col.seen")}</th><th scope="col">${t("users.col.last")}</th><th scope="col">${t("users.col.did")}</th><th scope="col">${t("users.col.next")}</th></tr></thead>
      <tbody>${latest.map((s) => html`<tr><th scope="row">${popupLink(s, names)}</th><td class="number">${number(s.impressions)}</td>
        <td>${s.last_impression_at ? html`${dateTime(s.last_impression_at)} <span class="muted">${ago(s.last_impression_at)}</span>` : "–"}</td><td>${did(s.acted)}</td><td>${nextOf(s.next_at)}</td></tr>`)}</tbody>
    </table></div></section>`;
}

/** @param {string | null} at */
function nextOf(at) {
  if (at === null || Date.parse(at) <= Date.now()) return t("users.next.now");
  return Date.parse(at) >= never ? t("users.next.never") : html`${dateTime(at)} <span class="muted">${ago(at)}</span>`;
}

/** @param {{recent: Recent[] | null}} user @param {Map<string, string>} names */
export function recentSection({ recent }, names) {
  if (recent === null) return notice("warning", t("users.recent.unknown"));
  if (recent.length === 0) return nothing;
  return html`<section class="card flush" aria-labelledby="recent"><h2 id="recent">${t("users.recent")}</h2>
    <div class="scroll" tabindex="0" role="group" aria-labelledby="recent"><table>
      <thead><tr><th scope="col">${t("users.col.at")}</th><th scope="col">${t("users.col.popup")}</th><th scope="col">${t("users.col.variant")}</th><th scope="col">${t("users.col.did")}</th></tr></thead>
      <tbody>${recent.map((r) => html`<tr><td>${dateTime(r.served_at)} <span class="muted">${ago(r.served_at)}</span></td><th scope="row">${popupLink(r, names)}</th><td>${r.variant} ${r.control ? html`<span class="badge">${t("users.control")}</span>` : nothing}</td><td>${did(r.acted)}</td></tr>`)}</tbody>
    </table></div></section>`;
}
