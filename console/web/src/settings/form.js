// The settings as they are entered, and what is wrong with that.
import { secondsOf, spanOf } from "../span.js";

/** @typedef {{key: string, max: number, per_sec: number, tags: string[]}} Cap */
/** @typedef {{min_gap_sec: number, caps: Cap[], holdout: {percent: number, salt: string}}} Settings */
/** @typedef {import("../span.js").Span} Span */
/** @typedef {{key: string, max: string, per: Span, tags: string[]}} CapForm */
/** @typedef {{gap: Span, caps: CapForm[], percent: string, salt: string}} Form */

export const mostCaps = 16;
const mostGap = 315_360_000, mostPer = 2_592_000, mostShown = 20, mostTags = 32;

/** @param {Settings} s @returns {Form} */
export const formOf = (s) => ({
  gap: spanOf(s.min_gap_sec), percent: String(s.holdout.percent), salt: s.holdout.salt,
  caps: s.caps.map((cap) => ({ key: cap.key, max: String(cap.max), per: spanOf(cap.per_sec), tags: cap.tags })),
});

/**
 * Reads what was entered. Errors are by JSON pointer, each the end of a key of the texts
 * settings.error; with any, the settings are of no use.
 * @param {Form} form @returns {{settings: Settings, errors: Map<string, string>}}
 */
export function settingsOf(form) {
  /** @type {Map<string, string>} */
  const errors = new Map();
  const gap = secondsOf(form.gap);
  if (!isWhole(gap, 0, mostGap)) errors.set("/min_gap_sec", "gap");
  const caps = form.caps.map((entered, i) => {
    const at = "/caps/" + i;
    const cap = { key: entered.key.trim(), max: numberOf(entered.max), per_sec: secondsOf(entered.per), tags: entered.tags };
    if (!/^[a-z0-9][a-z0-9-]{0,63}$/.test(cap.key)) errors.set(at + "/key", "key");
    else if (form.caps.findIndex((other) => other.key.trim() === cap.key) < i) errors.set(at + "/key", "twice");
    if (!isWhole(cap.max, 1, mostShown)) errors.set(at + "/max", "max");
    if (!isWhole(cap.per_sec, 1, mostPer)) errors.set(at + "/per_sec", "per");
    if (cap.tags.length > mostTags) errors.set(at + "/tags", "tags");
    return cap;
  });
  const percent = numberOf(form.percent);
  if (!(percent >= 0 && percent <= 100) || Math.round(percent * 100) / 100 !== percent) errors.set("/holdout/percent", "percent");
  if (new TextEncoder().encode(form.salt).length > 64) errors.set("/holdout/salt", "salt");
  return { settings: { min_gap_sec: gap, caps, holdout: { percent, salt: form.salt } }, errors };
}

const numberOf = (/** @type {string} */ text) => text.trim() === "" ? NaN : Number(text);
const isWhole = (/** @type {number} */ n, /** @type {number} */ least, /** @type {number} */ most) => Number.isInteger(n) && n >= least && n <= most;
