// How a document differs from another one, field by field, as people tell it.
import { equal, escape } from "./pointer.js";

/**
 * @typedef {object} Change
 * @property {string} pointer into the document of after; of what was removed, into that of before
 * @property {string[]} names of the members on the way; elements with a key are named by it
 * @property {any} before undefined: it was not there
 * @property {any} after undefined: it is there no more
 */

/**
 * The fields in which two documents differ. Objects are compared member by member, lists of
 * objects with keys by key. A condition, and a list of plain values, is one field.
 * @param {any} before undefined or null: there was none @param {any} after @returns {Change[]}
 */
export function fieldDiff(before, after) {
  /** @type {Change[]} */
  const changes = [];
  compare(changes, "", [], before ?? undefined, after ?? undefined);
  return changes;
}

/** @param {Change[]} changes @param {string} pointer @param {string[]} names @param {any} before @param {any} after */
function compare(changes, pointer, names, before, after) {
  if (same(names, before, after)) return;
  const both = [before, after].filter((value) => value !== undefined), isEmpty = both.every((value) => value !== null && typeof value === "object" && Object.keys(value).length === 0);
  if (isEmpty) {
    changes.push({ pointer, names, before, after });
  } else if (both.every(isPlain)) {
    for (const name of new Set([...Object.keys(after ?? {}), ...Object.keys(before ?? {})])) compare(changes, pointer + "/" + escape(name), [...names, name], before?.[name], after?.[name]);
  } else if (both.every(isKeyed)) {
    compareKeyed(changes, pointer, names, before ?? [], after ?? []);
  } else if (both.every(isConditions)) {
    compareConditions(changes, pointer, names, before ?? [], after ?? []);
  } else {
    changes.push({ pointer, names, before, after });
  }
}

/** Whether two values say the same. Times do that in any spelling. @param {string[]} names @param {any} a @param {any} b */
const same = (names, a, b) => equal(a, b) || Boolean(names.at(-1)?.endsWith("_at")) && typeof a === "string" && Date.parse(a) === Date.parse(b);

/** Whether it is an object that is compared by its members. @param {any} value */
const isPlain = (value) => value !== null && typeof value === "object" && !Array.isArray(value) && !isCondition(value);

/** @param {any} value */
const isCondition = (value) => typeof value?.attr === "string" && typeof value.op === "string";

/** @param {any} value */
const isConditions = (value) => Array.isArray(value) && value.every(isCondition);

/** Whether it is a list of objects, each with a key of its own. @param {any} value */
const isKeyed = (value) => Array.isArray(value) && value.every((element) => typeof element?.key === "string") && new Set(value.map((element) => element.key)).size === value.length;

/** @param {Change[]} changes @param {string} pointer @param {string[]} names @param {any[]} before @param {any[]} after */
function compareKeyed(changes, pointer, names, before, after) {
  const was = new Map(before.map((element, i) => [element.key, i])), is = new Map(after.map((element, i) => [element.key, i]));
  for (const [key, i] of is) compare(changes, `${pointer}/${i}`, [...names, key], before[was.get(key) ?? -1], after[i]);
  for (const [key, i] of was) if (!is.has(key)) compare(changes, `${pointer}/${i}`, [...names, key], before[i], undefined);
  const order = before.map((element) => element.key).filter((key) => is.has(key)), now = after.map((element) => element.key).filter((key) => was.has(key));
  if (!equal(order, now)) changes.push({ pointer, names: [...names, "order"], before: order, after: now });
}

/**
 * What two lists have at their ends is the same; as many between are taken for changed ones,
 * others for removed and added.
 * @param {Change[]} changes @param {string} pointer @param {string[]} names @param {any[]} before @param {any[]} after
 */
function compareConditions(changes, pointer, names, before, after) {
  let first = 0, end = 0;
  while (first < Math.min(before.length, after.length) && equal(before[first], after[first])) first++;
  while (end < Math.min(before.length, after.length) - first && equal(before.at(-1 - end), after.at(-1 - end))) end++;
  const was = before.slice(first, before.length - end), is = after.slice(first, after.length - end);
  const add = (/** @type {number} */ i, /** @type {any} */ from, /** @type {any} */ to) => changes.push({ pointer: `${pointer}/${first + i}`, names, before: from, after: to });
  if (was.length === is.length) was.forEach((condition, i) => { if (!equal(condition, is[i])) add(i, condition, is[i]); });
  else {
    was.forEach((condition, i) => { if (!is.some((other) => equal(condition, other))) add(i, condition, undefined); });
    is.forEach((condition, i) => { if (!was.some((other) => equal(condition, other))) add(i, undefined, condition); });
  }
  if (was.length !== is.length && !changes.some((change) => change.names === names)) changes.push({ pointer, names, before, after }); // one of several equal ones
}
