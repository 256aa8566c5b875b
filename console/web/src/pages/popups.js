// The list of popups: find them, compare what they do, act on many at once.
import { html, nothing, render } from "lit/html.js";
import { repeat } from "lit/directives/repeat.js";
import { get } from "../api.js";
import { number, t } from "../i18n.js";
import { live } from "../live.js";
import { addressOf, isNarrowed, open, pageSize, pathOf, readAddress } from "../popuplist/address.js";
import { bulk, fitting } from "../popuplist/bulk.js";
import { duplicate } from "../popuplist/duplicate.js";
import { filters, statusTabs } from "../popuplist/filters.js";
import { card, numbers, row } from "../popuplist/row.js";
import { emptyState, notice, pageHead } from "../ui.js";

/**
 * A popup of the list, as the API answers with it.
 * @typedef {object} Popup
 * @property {string} key
 * @property {string} name
 * @property {number} version
 * @property {"draft" | "active" | "paused" | "archived"} status
 * @property {number} priority
 * @property {string[]} placements
 * @property {string[]} tags
 * @property {{start_at: string | null, end_at: string | null, days: string[], hours: [string, string][]}} schedule
 * @property {{impressions: number, users: number, views: number, clicks: number, dismisses: number, ctr: number, points: {impressions: number, clicks: number}[]}} stats
 */
/** @typedef {{items: Popup[], next_cursor: string | null, total: number, facets: import("../popuplist/filters.js").Facets}} Page */
/** @typedef {import("../popuplist/address.js").Choice} Choice */

const typing = 200; // ms for which nothing is typed before it is searched
const narrow = matchMedia("(max-width: 1000px)");

/** @param {HTMLElement} main @param {import("../console.js").Shell} shell */
export default async function popups(main, shell) {
  const opened = await open();
  let { choice, problem } = opened;
  let page = /** @type {Page} */ (opened.page);
  let under = new AbortController(); // the request that is under way
  let typed = 0; // timer
  const chosen = /** @type {Set<string>} */ (new Set());
  const choosing = shell.may("editor"), publisher = shell.may("publisher");

  /** Asks for what is chosen now. @param {boolean} [background] */
  async function load(background = false) {
    under.abort();
    const mine = under = new AbortController();
    if (!background) main.setAttribute("aria-busy", "true");
    try {
      page = (await get(pathOf(choice), { background, signal: mine.signal })).body;
      problem = "";
    } catch (error) {
      if (mine.signal.aborted) return;
      problem = error instanceof Error ? error.message : String(error);
    }
    for (const key of chosen) if (!page.items.some((p) => p.key === key)) chosen.delete(key);
    main.removeAttribute("aria-busy");
    draw();
  }

  /** The cursors of the pages before this one, as far as they are known. @returns {string[]} */
  const before = () => history.state?.before ?? [];

  /** @type {import("../popuplist/filters.js").Go} */
  function go(change, replace = false) {
    choice = { ...choice, cursor: "", ...change };
    const state = { before: change.cursor === undefined ? [] : change.cursor === page.next_cursor ? [...before(), readAddress().cursor] : before().slice(0, -1) };
    if (replace) history.replaceState(state, "", addressOf(choice));
    else history.pushState(state, "", addressOf(choice));
    clearTimeout(typed);
    typed = setTimeout(load, replace ? typing : 0);
  }

  /** Follows a link to another choice without leaving the page. @param {MouseEvent} event */
  function follow(event) {
    const link = /** @type {HTMLElement} */ (event.target).closest("a");
    if (!link || !link.href.startsWith(location.origin + "/popups?") && link.href !== location.origin + "/popups" || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    history.pushState(null, "", link.href);
    choice = readAddress();
    load();
  }

  /** @param {import("../popuplist/bulk.js").Action} action */
  async function act(action) {
    const done = await bulk(action, page.items.filter((p) => chosen.has(p.key)), publisher);
    if (done === null) return;
    for (const key of done) chosen.delete(key);
    await load();
    main.focus();
  }

  /** @type {import("../popuplist/row.js").Rows} */
  const rows = {
    choosing, copying: choosing, chosen,
    choose: (key, yes) => { yes ? chosen.add(key) : chosen.delete(key); draw(); },
    duplicate: async (popup) => {
      const key = await duplicate(popup);
      if (key !== undefined) location.assign("/popups/" + key);
    },
  };

  function draw() {
    const create = choosing ? html`<button type="button" class="primary" @click=${() => location.assign("/new")}>${t("popups.new")}</button>` : nothing;
    const none = page.total === 0 && !isNarrowed(choice) && Object.keys(page.facets.statuses).length === 0;
    render(html`<div class="popups" @click=${follow}>
      ${pageHead({ title: t("popups.title"), actions: create, tabs: none ? undefined : statusTabs(choice, page.facets) })}
      ${problem ? notice("danger", html`${problem} <button type="button" @click=${() => load()}>${t("shell.retry")}</button>`) : nothing}
      ${none ? emptyState({ title: t("popups.none"), text: t("popups.none.text") }) : html`
        ${filters(choice, page.facets, go)}
        ${choosing ? bulkBar() : nothing}
        ${page.items.length === 0 ? nothingFits() : html`${narrow.matches ? cards() : table()}${pager()}`}`}
    </div>`, main);
  }

  const nothingFits = () => emptyState({
    title: t("popups.nothing"), text: t(isNarrowed(choice) ? "popups.nothing.narrowed" : "popups.nothing.status"),
    action: isNarrowed(choice) ? html`<button type="button" @click=${() => go({ q: "", tag: "", placement: "" })}>${t("popups.clear")}</button>` : nothing,
  });

  const cards = () => html`<ul class="cards">${repeat(page.items, (p) => p.key, (p) => card(p, rows))}</ul>`;

  /** A heading that sorts: by the greatest first, then by the least. @param {string} text @param {string} by @param {boolean} [down] which it is at first */
  const sorting = (text, by, down = false) => {
    const now = choice.sort === by ? "ascending" : choice.sort === "-" + by ? "descending" : nothing;
    const next = (now === nothing ? down : now === "ascending") ? "-" + by : by;
    return html`<th scope="col" rowspan="2" class=${by === "priority" ? "number" : ""} aria-sort=${now}><a href=${addressOf({ ...choice, sort: next, cursor: "" })}>${text}</a></th>`;
  };

  const table = () => html`<div class="sheet"><div class="scroll" tabindex="0" role="region" aria-label=${t("popups.title")}><table>
    <thead><tr>
      ${choosing ? html`<th class="box" rowspan="2"><input type="checkbox" aria-label=${t("popups.choose.all")} .checked=${chosen.size === page.items.length} .indeterminate=${chosen.size > 0 && chosen.size < page.items.length} @change=${chooseAll}></th>` : nothing}
      ${sorting(t("popups.name"), "name")}
      ${sorting(t("popups.status"), "end_at")}
      ${sorting(t("popups.priority"), "priority", true)}
      <th scope="col" rowspan="2">${t("popups.where")}</th>
      <th scope="colgroup" class="group" colspan=${numbers.length + 1}>${t("popups.days")}</th>
      ${choosing ? html`<td rowspan="2"></td>` : nothing}
    </tr><tr>${numbers.map((n) => html`<th scope="col" class="number">${t("popups." + n.id)}</th>`)}<th scope="col" class="course">${t("popups.by.day")}</th></tr></thead>
    <tbody>${repeat(page.items, (p) => p.key, (p) => row(p, rows))}</tbody>
  </table></div></div>`;

  const chooseAll = (/** @type {Event} */ event) => {
    for (const p of page.items) /** @type {HTMLInputElement} */ (event.target).checked ? chosen.add(p.key) : chosen.delete(p.key);
    draw();
  };

  const bulkBar = () => {
    const popups = page.items.filter((p) => chosen.has(p.key));
    const button = (/** @type {import("../popuplist/bulk.js").Action} */ action) =>
      html`<button type="button" class=${action === "archive" ? "danger" : ""} ?disabled=${fitting(action, popups, publisher).length === 0} @click=${() => act(action)}>${t("popups." + action)}</button>`;
    return popups.length === 0 ? nothing : html`<div class="bulk" role="group" aria-label=${t("popups.chosen", { n: popups.length })}>
      <p>${t("popups.chosen", { n: popups.length })}</p>
      ${publisher ? html`${button("pause")}${button("resume")}` : nothing}${button("archive")}
      <button type="button" class="quiet" @click=${() => { chosen.clear(); draw(); }}>${t("popups.unchoose")}</button>
    </div>`;
  };

  const pager = () => {
    const from = before().length * pageSize + 1, to = from + page.items.length - 1;
    const known = !choice.cursor || before().length > 0;
    return html`<nav class="pager" aria-label=${t("popups.pages")}>
      <p>${known ? t("popups.range", { from, to, n: page.total }) : t("popups.total", { n: page.total })}</p>
      ${choice.cursor ? html`<button type="button" @click=${() => go({ cursor: before().at(-1) ?? "" })}>${t(before().length > 0 ? "popups.previous" : "popups.first")}</button>` : nothing}
      ${page.next_cursor ? html`<button type="button" @click=${() => go({ cursor: page.next_cursor ?? "" })}>${t("popups.next")}</button>` : nothing}
    </nav>`;
  };

  let renewing = false, again = false;

  /** Shows the popups as they are now, which nobody asked for. */
  async function renew() {
    again = true;
    if (renewing) return;
    for (renewing = true; again && !main.hasAttribute("aria-busy");) {
      again = false;
      await load(true);
    }
    renewing = false;
  }

  addEventListener("popstate", () => { choice = readAddress(); load(); });
  narrow.addEventListener("change", draw);
  draw();
  live({ revision: renew, counts: renew });
}
