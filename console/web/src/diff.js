// What has changed, for people: fields by their names, values in words.
import { html, nothing } from "lit/html.js";
import { conditionText } from "./conditions.js";
import { dateTime, duration, has, language, list, load, number, t, weekday } from "./i18n.js";
import { days } from "./editor/openings.js";
import { steps } from "./pointer.js";

export { fieldDiff } from "./changes.js";

await load("diff");

/** @typedef {import("./changes.js").Change} Change */

/**
 * The changes, one below the other: what was and what is. Those that something else has found
 * may lack names.
 * @param {(Omit<Change, "names"> & {names?: string[]})[]} changes
 */
export const diffView = (changes) => changes.length === 0 ? html`<p class="muted">${t("diff.none")}</p>`
  : html`<ul class="diff">${changes.map(({ pointer, names = steps(pointer), before, after }) => {
    const [was, is] = [before, after].map((value) => value === undefined ? undefined : valueText(names, value));
    return html`<li><span class="name">${fieldName(names)}</span>
      ${was === undefined ? nothing : html`<del><span class="hidden">${t(is === undefined ? "diff.removed" : "diff.was")} </span>${marked(was, is)}</del>`}
      ${is === undefined ? nothing : html`<ins><span class="hidden">${t(was === undefined ? "diff.added" : "diff.is")} </span>${marked(is, was)}</ins>`}</li>`;
  })}</ul>`;

/** What a field is called where operators edit it. @param {string[]} names of the members on the way */
export function fieldName(names) {
  const [first, second, ...rest] = names;
  if (names.length === 0) return "";
  if (has("diff." + names.join("."))) return t("diff." + names.join("."));
  if (first === "translations" && second !== undefined) return under(t("diff.translation", { language: language(second), tag: second }), ["content", ...rest]);
  if (first === "content" && second !== undefined) return under(has("diff.content." + second) ? t("diff.content." + second) : second, rest);
  const inside = [second, ...rest].filter((name) => name !== undefined);
  if (first === "variants" && second !== undefined) return under(t("diff.variant", { key: second }), rest);
  if (first === "caps" && second !== undefined) return under(t("diff.cap", { key: second }), rest);
  if (first === "targeting" || first === "rule") return has(`diff.${first}.${second}`) ? t(`diff.${first}.${second}`) : names.join(" › ");
  return under(has("diff." + first) ? t("diff." + first) : first, inside);
}

/** @param {string} outer @param {string[]} rest @returns {string} */
const under = (outer, rest) => rest.length === 0 || rest.length === 1 && rest[0] === "content" ? outer : t("diff.path", { outer, inner: fieldName(rest) });

/** A value as the field shows it. @param {string[]} names @param {any} value @returns {string} */
export function valueText(names, value) {
  const name = names.at(-1) ?? "";
  if (name === "start_at" || name === "end_at") return value === null ? t("diff.open") : dateTime(value);
  if (name === "status" && has("ui.status." + value)) return t("ui.status." + value);
  if (name.endsWith("_sec") && typeof value === "number") return value === -1 ? t("diff.never") : value === 0 && name.startsWith("after_") ? t("diff.once") : t("diff.seconds", { words: duration(value), n: value });
  if (name === "max_impressions" && value === 0) return t("diff.unlimited");
  if (name === "days" && Array.isArray(value) && value.length > 0) return list(value.map((day) => days.includes(day) ? weekday(days.indexOf(day)) : String(day)));
  if (name === "hours" && Array.isArray(value) && value.length > 0) return list(value.map((window) => [window].flat().join("–")));
  if (typeof value === "boolean") return t(value ? "diff.yes" : "diff.no");
  if (typeof value === "number") return number(value);
  if (typeof value?.attr === "string" && has("conditions.op." + value.op)) return conditionText(value);
  if (Array.isArray(value) && value.every((element) => typeof element !== "object")) return list(value.map(String)) || t("diff.nothing");
  return value === null || value === "" || typeof value === "object" && Object.keys(value).length === 0 ? t("diff.nothing") : typeof value === "string" ? value : JSON.stringify(value);
}

/** A text with what another one does not have in the same place. @param {string} text @param {string | undefined} other */
function marked(text, other) {
  if (other === undefined) return text;
  const [mine, theirs] = [text, other].map((words) => words.split(/(?<=\s)|(?=\p{Script=Han})/u)); // words; Chinese by characters
  let start = 0, end = 0;
  while (start < Math.min(mine.length, theirs.length) && mine[start] === theirs[start]) start++;
  while (end < Math.min(mine.length, theirs.length) - start && mine[mine.length - 1 - end] === theirs[theirs.length - 1 - end]) end++;
  if (start + end === 0) return text;
  return html`${mine.slice(0, start).join("")}<mark>${mine.slice(start, mine.length - end).join("")}</mark>${mine.slice(mine.length - end).join("")}`;
}
