// What a document must look like to be edited in the form.
import { escape } from "../pointer.js";

/** @typedef {import("./editor.js").Popup} Popup @typedef {import("./editor.js").Note} Note */

/** What a new popup starts as: the defaults of the server. @type {Popup} */
export const empty = {
  key: "", name: "", status: "draft", priority: 0, placements: ["default"], trigger: "load",
  schedule: { start_at: null, end_at: null, timezone: "UTC", user_time: false, days: [], hours: [] },
  targeting: { all: [], any: [], none: [] },
  rollout: { percent: 100, salt: "" },
  frequency: { after_click_sec: 2592000, after_dismiss_sec: 86400, after_impression_sec: 86400, max_impressions: 0, ignore_min_gap: false, confirm_sec: 0 },
  goal: { event: "", window_sec: 604800 },
  variants: [{ key: "a", weight: 100, control: false, content: { title: "", body: "", image: "", link: "" }, translations: {} }],
  tags: [],
};

/** Elements of lists, by pointer with * for each. @type {Record<string, any>} */
const elements = {
  "/placements/*": "", "/tags/*": "", "/schedule/days/*": "", "/schedule/hours/*": ["", ""], "/schedule/hours/*/*": "",
  "/targeting/all/*": { attr: "", op: "" }, "/targeting/any/*": { attr: "", op: "" }, "/targeting/none/*": { attr: "", op: "" },
  "/variants/*": { key: "", weight: 100, control: false, content: {}, translations: {} }, "/variants/*/translations/*": {},
};

/**
 * Fills in the members that are absent, and tells where a value is of another kind than the
 * form can show. What only the server can judge is left to it.
 * @param {any} document @returns {{popup: Popup, errors: Note[]}}
 */
export function complete(document) {
  /** @type {Note[]} */
  const errors = [];
  return { popup: fill(document, empty, "", "", errors), errors };
}

/** @param {any} value @param {any} example @param {string} pointer @param {string} pattern pointer, with * for elements @param {Note[]} errors @returns {any} */
function fill(value, example, pointer, pattern, errors) {
  const kind = kindOf(example), inside = elements[pattern + "/*"];
  if (kindOf(value) !== kind && !(kind === "null" && kindOf(value) === "string")) {
    errors.push({ pointer, detail: kind });
    return value;
  }
  if (kind === "array") return value.map((/** @type {any} */ element, /** @type {number} */ i) => fill(element, inside, `${pointer}/${i}`, pattern + "/*", errors));
  if (kind !== "object") return value;
  const filled = { ...value };
  for (const name of Object.keys(inside === undefined ? example : value)) {
    if (!Object.hasOwn(value, name)) filled[name] = example[name];
    else filled[name] = fill(value[name], inside ?? example[name], `${pointer}/${escape(name)}`, inside === undefined ? `${pattern}/${name}` : pattern + "/*", errors);
  }
  return filled;
}

/** @param {any} value @returns {"null" | "array" | "object" | "string" | "number" | "boolean"} */
const kindOf = (value) => value === null ? "null" : Array.isArray(value) ? "array" : /** @type {any} */ (typeof value);
