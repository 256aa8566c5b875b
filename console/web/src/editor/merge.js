// Two documents that were changed from the same one.
import { at, equal, escape, put, steps } from "../pointer.js";

/**
 * The pointers at which two documents differ: down to members of objects, and to elements of
 * lists whose elements have the same keys in the same order.
 * @param {any} a @param {any} b @returns {string[]}
 */
export function differences(a, b, pointer = "") {
  if (equal(a, b)) return [];
  const keyed = (/** @type {any} */ list) => Array.isArray(list) && list.length > 0 && list.every((e) => typeof e?.key === "string");
  const isObject = (/** @type {any} */ value) => value !== null && typeof value === "object" && !Array.isArray(value);
  if (keyed(a) && keyed(b) && equal(a.map((/** @type {any} */ e) => e.key), b.map((/** @type {any} */ e) => e.key))) {
    return a.flatMap((/** @type {any} */ e, /** @type {number} */ i) => differences(e, b[i], `${pointer}/${i}`));
  }
  if (!isObject(a) || !isObject(b)) return [pointer];
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].flatMap((name) => differences(a[name], b[name], `${pointer}/${escape(name)}`));
}

/**
 * What the server has, with these fields as they are in the form.
 * @param {Record<string, any>} now @param {Record<string, any>} mine @param {string[]} taken
 */
export const merged = (now, mine, taken) => taken.reduce((popup, pointer) => put(popup, pointer, at(mine, pointer)), now);

/**
 * The names of the members on the way to a value; elements of a list are named by their keys.
 * @param {any} document @param {string} pointer
 */
export function namesOf(document, pointer) {
  const names = [];
  for (const step of steps(pointer)) {
    const inside = document?.[step];
    names.push(Array.isArray(document) && typeof inside?.key === "string" ? inside.key : step);
    document = inside;
  }
  return names;
}
