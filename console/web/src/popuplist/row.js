// One popup of the list: a row where there is room, a card where there is not.
import { html, nothing } from "lit/html.js";
import { compact, dateTime, lang, list, number, percent, t } from "../i18n.js";
import { badge } from "../ui.js";
import { spark } from "./spark.js";

/** @typedef {import("../pages/popups.js").Popup} Popup */

/**
 * What a row needs of the page.
 * @typedef {object} Rows
 * @property {boolean} choosing whether popups may be chosen
 * @property {boolean} copying whether they may be duplicated
 * @property {Set<string>} chosen keys
 * @property {(key: string, yes: boolean) => void} choose
 * @property {(popup: Popup) => void} duplicate
 */

const shownTags = 2;

export const nameOf = (/** @type {Popup} */ p) => p.name || p.key;

/** The numbers of a popup, in the order of the columns. @type {{id: string, text: (s: Popup["stats"]) => string, title: (s: Popup["stats"]) => string}[]} */
export const numbers = [
  ...(/** @type {const} */ (["impressions", "users", "views", "clicks"])).map((id) => ({ id, text: (/** @type {Popup["stats"]} */ s) => compact(s[id]), title: (/** @type {Popup["stats"]} */ s) => number(s[id]) })),
  { id: "ctr", text: (s) => s.impressions > 0 ? percent(s.ctr) : "–", title: (s) => t("popups.ctr.of", { clicks: s.clicks, impressions: s.impressions }) },
  { id: "dismisses", text: (s) => compact(s.dismisses), title: (s) => number(s.dismisses) },
];

const weekday = new Intl.DateTimeFormat(lang, { weekday: "short", timeZone: "UTC" });
const days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const dayName = (/** @type {string} */ day) => weekday.format(new Date(Date.UTC(2024, 0, 1 + days.indexOf(day)))); // a Monday

const date = new Intl.DateTimeFormat(lang, { dateStyle: "medium" });

/**
 * When a popup is shown, in some words. What keeps an active one from being shown is odd.
 * @param {Popup} p @returns {{text: string, full?: string, odd?: boolean}[]}
 */
function scheduleOf(p) {
  const { start_at: start, end_at: end, days: on, hours } = p.schedule;
  const at = (/** @type {string} */ key, /** @type {string} */ when, odd = false) =>
    ({ text: t("popups." + key, { at: date.format(new Date(when)) }), full: t("popups." + key, { at: dateTime(when) }), odd: odd && p.status === "active" });
  if (end && Date.parse(end) <= Date.now()) return [at("ended", end, true)];
  const lines = [];
  if (start && Date.parse(start) > Date.now()) lines.push(at("starts", start, true));
  if (end) lines.push(at("until", end));
  if (on.length > 0 && on.length < 7) lines.push({ text: on.map(dayName).join(" ") });
  if (hours.length > 0) lines.push({ text: hours.map(([from, to]) => from + "–" + to).join(", ") });
  return lines;
}

const course = (/** @type {Popup} */ p) => {
  const points = p.stats.points.map((point) => point.impressions);
  return spark(points, t("popups.course", { points: list(points.map(number)) }));
};
const box = (/** @type {Popup} */ p, /** @type {Rows} */ r) => r.choosing
  ? html`<input type="checkbox" aria-label=${t("popups.choose", { name: nameOf(p) })} .checked=${r.chosen.has(p.key)} @change=${(/** @type {Event} */ e) => r.choose(p.key, /** @type {HTMLInputElement} */ (e.target).checked)}>` : nothing;
const copy = (/** @type {Popup} */ p, /** @type {Rows} */ r) => r.copying
  ? html`<button type="button" class="quiet copy" aria-label=${t("popups.duplicate.of", { name: nameOf(p) })} title=${t("popups.duplicate")} @click=${() => r.duplicate(p)}><svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true"><path d="M5.5 5.5v-3h8v8h-3m-8-5h8v8h-8z" fill="none" stroke="currentColor" stroke-width="1.3" stroke-linejoin="round"></path></svg></button>` : nothing;
const title = (/** @type {Popup} */ p) => html`<a class="name" href="/popups/${p.key}">${nameOf(p)}</a>${p.name ? html`<span class="key mono">${p.key}</span>` : nothing}`;
const tags = (/** @type {Popup} */ p) => p.tags.length > 0 ? html`<span class="tags" title=${p.tags.length > shownTags ? p.tags.join(", ") : nothing}>
  ${p.tags.slice(0, shownTags).map((tag) => html`<span class="tag">${tag}</span>`)}${p.tags.length > shownTags ? html`<span class="muted">${t("popups.tags.more", { n: p.tags.length - shownTags })}</span>` : nothing}</span>` : nothing;
const schedule = (/** @type {Popup} */ p) => scheduleOf(p).map((line) => html`<span class="schedule ${line.odd ? "odd" : ""}" title=${line.full ?? nothing}>${line.text}</span>`);

/** @param {Popup} p @param {Rows} r */
export const row = (p, r) => html`<tr class=${r.chosen.has(p.key) ? "chosen" : nothing}>
  ${r.choosing ? html`<td class="box">${box(p, r)}</td>` : nothing}
  <th scope="row" class="what">${title(p)}</th>
  <td class="status">${badge(p.status)}${schedule(p)}</td>
  <td class="number">${number(p.priority)}</td>
  <td class="where"><span>${p.placements.join(", ")}</span>${tags(p)}</td>
  ${numbers.map((n) => html`<td class="number" title=${n.title(p.stats)}>${n.text(p.stats)}</td>`)}
  <td class="course">${course(p)}</td>
  ${r.copying ? html`<td class="do">${copy(p, r)}</td>` : nothing}
</tr>`;

/** @param {Popup} p @param {Rows} r */
export const card = (p, r) => html`<li class="card ${r.chosen.has(p.key) ? "chosen" : ""}">
  <div class="top">${box(p, r)}<div class="what">${title(p)}</div>${copy(p, r)}</div>
  <div class="status">${badge(p.status)}${schedule(p)}</div>
  <p class="where">${p.placements.join(", ")} · ${t("popups.priority.is", { priority: p.priority })} ${tags(p)}</p>
  <div class="figures"><dl>${numbers.map((n) => html`<div><dt>${t("popups." + n.id)}</dt><dd>${n.text(p.stats)}</dd></div>`)}</dl>${course(p)}</div>
</li>`;
