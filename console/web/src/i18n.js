// Texts, numbers and times in the operator's language.

export const lang = document.body.dataset.lang ?? "en";
const locale = document.documentElement.lang;

/** @typedef {string | Record<string, string>} Message a text, or one by plural category */

/** @type {Record<string, Message>} by file and key */
const messages = {};

/**
 * Loads files of messages: messages/LANG/NAME.json.
 * @param {...string} names
 */
export async function load(...names) {
  await Promise.all(names.map(async (name) => {
    const file = await import(`../messages/${lang}/${name}.json`);
    for (const [key, text] of Object.entries(file.default)) messages[name + "." + key] = /** @type {Message} */ (text);
  }));
}

const plurals = new Intl.PluralRules(locale);

/**
 * Returns a text with its {names} filled in; numbers are written as the language does. The
 * value n chooses among plural forms.
 * @param {string} key file and key, "popups.new"
 * @param {Record<string, string | number>} [values]
 */
export function t(key, values = {}) {
  const message = messages[key];
  if (message === undefined) throw new Error("no message " + key);
  const text = typeof message === "string" ? message : message[plurals.select(Number(values.n))] ?? message.other;
  return text.replace(/\{(\w+)\}/g, (_, name) => { const value = values[name]; return typeof value === "number" ? number(value) : String(value); });
}

/** Whether there is such a text: for codes that a newer server may send. @param {string} key */
export const has = (key) => key in messages;

const numbers = new Intl.NumberFormat(locale);
const compacts = new Intl.NumberFormat(locale, { notation: "compact", maximumFractionDigits: 1 });
const percents = new Intl.NumberFormat(locale, { style: "percent", minimumFractionDigits: 1, maximumFractionDigits: 1 });
const times = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" });
const relative = new Intl.RelativeTimeFormat(locale, { numeric: "auto" });
const lists = new Intl.ListFormat(locale);

/** 12,345 @param {number} n */
export const number = (n) => numbers.format(n);
/** 12.3K, for where many stand together @param {number} n */
export const compact = (n) => compacts.format(n);
/** 12.3 % of a fraction @param {number} x */
export const percent = (x) => percents.format(x);
/** 1.2 MB @param {number} bytes */
export function size(bytes) {
  const [unit, bytesIn] = sizes.find(([, n]) => bytes >= n) ?? sizes[3];
  return new Intl.NumberFormat(locale, { style: "unit", unit, unitDisplay: unit === "byte" ? "long" : "short", maximumFractionDigits: 1 }).format(bytes / bytesIn);
}
/** @param {string[]} items */
export const list = (items) => lists.format(items);
/** Day and time where the operator is. @param {number | string} at ms since the epoch, or RFC 3339 */
export const dateTime = (at) => times.format(new Date(at));

/** Weekday, day and time by the clocks of a zone. @param {number} at @param {string} timeZone */
export const dateTimeIn = (at, timeZone) => new Intl.DateTimeFormat(locale, { weekday: "short", year: "numeric", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone }).format(at);
/** Weekday and day by the calendar of a zone. @param {number} at @param {string} timeZone */
export const dayIn = (at, timeZone) => new Intl.DateTimeFormat(locale, { weekday: "short", year: "numeric", month: "short", day: "numeric", timeZone }).format(at);
/** Mon; 0 is Monday @param {number} day */
export const weekday = (day) => new Intl.DateTimeFormat(locale, { weekday: "short", timeZone: "UTC" }).format((day + 4) * 86_400_000); // 1970 began on a Thursday
/** The name of a language; its tag if it has none. @param {string} tag */
export function language(tag) {
  try {
    return new Intl.DisplayNames(locale, { type: "language" }).of(tag) ?? tag;
  } catch {
    return tag;
  }
}

/** @type {[string, number][]} */
const sizes = [["gigabyte", 1e9], ["megabyte", 1e6], ["kilobyte", 1e3], ["byte", 1]];

/** @type {[Intl.RelativeTimeFormatUnit, number][]} */
const units = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];

/** "3 minutes ago", "in 2 days" @param {number | string} at */
export function ago(at) {
  const sec = (new Date(at).getTime() - Date.now()) / 1000;
  const [unit, size] = units.find(([, size]) => Math.abs(sec) >= size) ?? units[3];
  return relative.format(Math.round(sec / size), unit);
}

/** "1 day", "90 minutes": in the largest unit that divides it @param {number} sec */
export function duration(sec) {
  const [unit, size] = units.find(([, size]) => sec >= size && sec % size === 0) ?? units[3];
  return new Intl.NumberFormat(locale, { style: "unit", unit, unitDisplay: "long" }).format(sec / size);
}
