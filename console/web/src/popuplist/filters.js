// What narrows and sorts the list.
import { html } from "lit/html.js";
import { number, t } from "../i18n.js";
import { field } from "../ui.js";
import { addressOf, sorts } from "./address.js";

/** @typedef {import("./address.js").Choice} Choice */
/** @typedef {{value: string, popups: number}} Facet */
/** @typedef {{statuses: Record<string, number>, tags: Facet[], placements: Facet[]}} Facets */
/** @typedef {(change: Partial<Choice>, replace?: boolean) => void} Go changes the choice, as a step that "back" undoes, or in place */

/** The tabs of the page, a status each. @param {Choice} choice @param {Facets} facets */
export const statusTabs = (choice, { statuses }) => ["", "active", "paused", "draft", "archived"].map((status) => {
  const n = status ? statuses[status] ?? 0 : (statuses.draft ?? 0) + (statuses.active ?? 0) + (statuses.paused ?? 0);
  return { href: addressOf({ ...choice, status, cursor: "" }), text: t(status ? "ui.status." + status : "popups.live") + " " + number(n), current: choice.status === status };
});

/** @param {Choice} choice @param {Facets} facets @param {Go} go */
export const filters = (choice, facets, go) => html`<form class="filters" role="search" @submit=${(/** @type {Event} */ e) => e.preventDefault()}>
  ${field({ label: t("popups.search"), bare: true, name: "q", type: "search", value: choice.q, placeholder: t("popups.search.hint"), input: (q) => go({ q }, true) })}
  ${field({ label: t("popups.tag"), bare: true, name: "tag", value: choice.tag, options: options(t("popups.tag.any"), facets.tags, choice.tag), input: (tag) => go({ tag }) })}
  ${field({ label: t("popups.placement"), bare: true, name: "placement", value: choice.placement, options: options(t("popups.placement.any"), facets.placements, choice.placement), input: (placement) => go({ placement }) })}
  ${field({ label: t("popups.sort"), bare: true, name: "sort", value: choice.sort, options: [...new Set([...sorts, choice.sort])].map((sort) => ({ value: sort, text: t("popups.sort." + sort) })), input: (sort) => go({ sort }) })}
</form>`;

/** The choices of a facet, the present one among them although nothing has it. @param {string} any @param {Facet[]} facets @param {string} present */
function options(any, facets, present) {
  const known = facets.some((f) => f.value === present) || !present ? facets : [{ value: present, popups: 0 }, ...facets];
  return [{ value: "", text: any }, ...known.map((f) => ({ value: f.value, text: `${f.value} (${number(f.popups)})` }))];
}
