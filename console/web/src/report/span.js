// The time that a report is of, as it stands in the address.

/** Ranges that end now, by their names in the address. */
export const ranges = ["24h", "7d", "30d", "90d", "12m"];
/** @type {Record<string, number>} */
const days = { "24h": 1, "7d": 7, "30d": 30, "90d": 90, "12m": 365 };
const hour = 36e5, day = 24 * hour;
const maxHourlyDays = 31;

/**
 * @typedef {object} Span
 * @property {string} range one of ranges, or custom
 * @property {string} from of a custom one: RFC 3339
 * @property {string} to the same, exclusive
 * @property {string} interval hour, day, or empty for what suits the range
 * @property {string} goal of the experiment: click, convert, or empty for what suits the popup
 */

/** @param {string} search @returns {Span} */
export function readAddress(search) {
  const q = new URLSearchParams(search);
  const from = q.get("from") ?? "", to = q.get("to") ?? "", range = q.get("range") ?? "";
  const custom = !Number.isNaN(Date.parse(from)) && !Number.isNaN(Date.parse(to));
  const one = (/** @type {string} */ name, /** @type {string[]} */ of) => of.includes(q.get(name) ?? "") ? String(q.get(name)) : "";
  return { range: custom ? "custom" : ranges.includes(range) ? range : "7d", from, to, interval: one("interval", ["hour", "day"]), goal: one("goal", ["click", "convert"]) };
}

/** @param {Span} at */
export function addressOf(at) {
  const q = new URLSearchParams(at.range === "custom" ? { from: at.from, to: at.to } : { range: at.range });
  if (at.interval) q.set("interval", at.interval);
  if (at.goal) q.set("goal", at.goal);
  return "?" + q;
}

/** The intervals that there are for a range, the one that suits it first. @param {Span} at @returns {string[]} */
export function intervalsOf(at) {
  const n = at.range === "custom" ? (Date.parse(at.to) - Date.parse(at.from)) / day : days[at.range];
  return n > maxHourlyDays ? ["day"] : n > 2 ? ["day", "hour"] : n > 1 ? ["hour", "day"] : ["hour"];
}

/** What the API is asked for. @param {Span} at */
export function spanOf(at) {
  const fitting = intervalsOf(at), interval = fitting.includes(at.interval) ? at.interval : fitting[0];
  if (at.range === "custom") return new URLSearchParams({ from: at.from, to: at.to, interval });
  const ago = days[at.range] * day - (interval === "day" ? day : hour);
  return new URLSearchParams({ from: new Date(Date.now() - ago).toISOString(), interval });
}

/**
 * When a day begins in a zone, as RFC 3339.
 * @param {string} date "2026-01-31" @param {string} zone
 */
export function startOfDay(date, zone) {
  let at = date + "T00:00:00Z";
  for (let i = 0; i < 2; i++) { // the second time in case that the clock is set back or forth in between
    const name = new Intl.DateTimeFormat("en", { timeZone: zone, timeZoneName: "longOffset" }).formatToParts(new Date(at)).find((part) => part.type === "timeZoneName")?.value ?? "GMT";
    at = date + "T00:00:00" + (name.slice(3) || "Z");
  }
  return at;
}
