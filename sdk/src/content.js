// Reads the content of a popup. It was written by an operator, and the page may have
// polluted Object.prototype: only own members of the right type count.

/** Returns the own members of a value. @returns {any} */
export const own = (/** @type {any} */ value) => ({ __proto__: null, ...value });

/** @param {import("../popupd").Popup} popup @returns {string} */
export const kindOf = (popup) => own(popup.content).kind ?? "modal";

/** @param {unknown} value */
export const text = (value) => (typeof value === "string" ? value.trim() : "");

/**
 * Reports whether an address may be shown: only https, mailto and what the page's own
 * origin serves, so that nothing runs as a script.
 * @param {string} value
 */
export function isSafe(value) {
  try {
    const { href } = new URL(value, document.baseURI);
    return /^(https|mailto):/.test(href) || href.startsWith(location.origin + "/");
  } catch {
    return false;
  }
}
