// How two documents differ, field by field, and how that is shown.
import { html, nothing } from "lit/html.js";
import { t } from "./i18n.js";

/** @typedef {{pointer: string, before: any, after: any}} Change undefined: it was not there, or is there no more */

/**
 * Returns what differs between two JSON documents, as the server finds it: objects are compared
 * member by member, arrays without what is the same at both ends; of arrays whose elements have
 * a key, such as variants, by that.
 * @param {any} before @param {any} after @param {string} [at] JSON pointer of both
 * @returns {Change[]}
 */
export function fieldDiff(before, after, at = "") {
  if (isObject(before) && isObject(after)) {
    const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
    return names.flatMap((name) => fieldDiff(before[name], after[name], at + "/" + name.replaceAll("~", "~0").replaceAll("/", "~1")));
  }
  if (Array.isArray(before) && Array.isArray(after)) return arrayDiff(before, after, at);
  return same(before, after) ? [] : [{ pointer: at, before, after }];
}

/** @param {any[]} before @param {any[]} after @param {string} at @returns {Change[]} */
function arrayDiff(before, after, at) {
  let begin = 0, end = 0;
  const most = Math.min(before.length, after.length);
  while (begin < most && same(before[begin], after[begin])) begin++;
  while (end < most - begin && same(before.at(-1 - end), after.at(-1 - end))) end++;
  const was = before.slice(begin, before.length - end), is = after.slice(begin, after.length - end);
  if (was.length === is.length) return was.flatMap((value, i) => fieldDiff(value, is[i], at + "/" + (begin + i)));
  if ([...was, ...is].every((value) => isObject(value) && typeof value.key === "string")) {
    const removed = was.map((value, i) => is.some((other) => other.key === value.key) ? [] : [{ pointer: at + "/" + (begin + i), before: value, after: undefined }]);
    const rest = is.map((value, i) => fieldDiff(was.find((other) => other.key === value.key), value, at + "/" + (begin + i)));
    return [...removed, ...rest].flat();
  }
  return [
    ...was.map((value, i) => ({ pointer: at + "/" + (begin + i), before: value, after: undefined })),
    ...is.map((value, i) => ({ pointer: at + "/" + (begin + i), before: undefined, after: value })),
  ];
}

const isObject = (/** @type {any} */ value) => typeof value === "object" && value !== null && !Array.isArray(value);

/** Whether two documents say the same: the order of members means nothing. @param {any} a @param {any} b @returns {boolean} */
function same(a, b) {
  if (isObject(a) && isObject(b)) return Object.keys(a).length === Object.keys(b).length && Object.keys(a).every((name) => name in b && same(a[name], b[name]));
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((value, i) => same(value, b[i]));
  return a === b;
}

/** A table of changes. @param {Change[]} changes */
export const diffView = (changes) => changes.length === 0
  ? html`<p class="muted">${t("changelist.none")}</p>`
  : html`<div class="scroll"><table class="changelist stack">
      <thead><tr><th scope="col">${t("changelist.field")}</th><th scope="col">${t("changelist.before")}</th><th scope="col">${t("changelist.after")}</th></tr></thead>
      <tbody>${changes.map(({ pointer, before, after }) => html`<tr><th scope="row"><code>${pointer.slice(1).split("/").join(" › ") || t("changelist.all")}</code></th>
        <td data-label=${t("changelist.before")}>${before === undefined ? nothing : html`<del>${textOf(before)}</del>`}</td>
        <td data-label=${t("changelist.after")}>${after === undefined ? nothing : html`<ins>${textOf(after)}</ins>`}</td></tr>`)}</tbody></table></div>`;

const textOf = (/** @type {any} */ value) => typeof value === "string" && value !== "" ? value : JSON.stringify(value, null, 1);
