// JSON pointers (RFC 6901) into documents that are never changed in place.

/** The members that a pointer names, from the outside in. @param {string} pointer */
export const steps = (pointer) => pointer === "" ? [] : pointer.slice(1).split("/").map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));

/** A step, as pointers write it. @param {string | number} step */
export const escape = (step) => String(step).replaceAll("~", "~0").replaceAll("/", "~1");

/** What a document has there, undefined if nothing. @param {any} document @param {string} pointer @returns {any} */
export const at = (document, pointer) => steps(pointer).reduce((value, step) => value !== null && typeof value === "object" && Object.hasOwn(value, step) ? value[step] : undefined, document);

/**
 * The document with another value there. Objects that are missing on the way are made;
 * undefined removes a member or an element, and "-" stands for the element after the last.
 * @template T
 * @param {T} document @param {string} pointer @param {any} value @returns {T}
 */
export const put = (document, pointer, value) => replace(document, steps(pointer), value);

/** @param {any} document @param {string[]} path @param {any} value @returns {any} */
function replace(document, [step, ...rest], value) {
  if (step === undefined) return value;
  const inside = replace(document !== null && typeof document === "object" && Object.hasOwn(document, step) ? document[step] : undefined, rest, value);
  if (Array.isArray(document) && step === "-") return [...document, inside];
  if (Array.isArray(document)) return inside === undefined ? document.toSpliced(Number(step), 1) : Object.assign([...document], { [step]: inside });
  const { [step]: _, ...others } = document ?? {};
  if (inside === undefined) return others;
  return Object.hasOwn(document ?? {}, step) ? { ...document, [step]: inside } : { ...others, [step]: inside };
}

/** Whether a pointer names what another names, or something in it. @param {string} pointer @param {string} outer */
export const isWithin = (pointer, outer) => pointer === outer || pointer.startsWith(outer + "/");

/** Whether two documents say the same; the order of members does not matter. @param {any} a @param {any} b @returns {boolean} */
export function equal(a, b) {
  if (a === b) return true;
  if (a === null || b === null || typeof a !== "object" || typeof b !== "object" || Array.isArray(a) !== Array.isArray(b)) return false;
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => Object.hasOwn(b, name) && equal(a[name], b[name]));
}
