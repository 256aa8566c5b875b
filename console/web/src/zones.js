// Clocks of time zones. A wall time is what a clock shows, in ms as if it were UTC.

const dayMS = 86_400_000;

/** @type {Map<string, Intl.DateTimeFormat>} */
const clocks = new Map();

/** @param {string} zone */
function clock(zone) {
  let found = clocks.get(zone);
  if (!found) clocks.set(zone, found = new Intl.DateTimeFormat("en-US", { timeZone: zone, hourCycle: "h23", year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", second: "numeric" }));
  return found;
}

/** Whether the server and this browser know a zone of this name. @param {string} zone */
export function isZone(zone) {
  if (!/^[A-Z][\w+-]*(\/[A-Z][\w+-]*)*$/.test(zone)) return false; // browsers take other letter case, too
  try {
    clock(zone);
    return true;
  } catch {
    return false;
  }
}

/** The names to choose from. */
export const zoneNames = () => ["UTC", ...Intl.supportedValuesOf("timeZone").filter((zone) => zone !== "UTC")];

/** The zone of this browser. */
export const ownZone = () => Intl.DateTimeFormat().resolvedOptions().timeZone;

/** How far the clocks of a zone are ahead of UTC at a time, in ms. @param {string} zone @param {number} at */
export function offsetAt(zone, at) {
  const second = Math.floor(at / 1000) * 1000;
  const parts = Object.fromEntries(clock(zone).formatToParts(second).map(({ type, value }) => [type, Number(value)]));
  return Date.UTC(parts.year, parts.month - 1, parts.day, parts.hour, parts.minute, parts.second) - second;
}

/** What the clocks of a zone show at a time. @param {string} zone @param {number} at */
export const wallAt = (zone, at) => at + offsetAt(zone, at);

/**
 * When the clocks of a zone show a wall time. One that they leave out (gap) is taken for as much
 * later; of one that comes twice it is the first.
 * @param {string} zone @param {number} wall @returns {{at: number, odd: "" | "gap" | "twice"}}
 */
export function instantOf(zone, wall) {
  const before = offsetAt(zone, wall - dayMS), after = offsetAt(zone, wall + dayMS);
  const found = [...new Set([before, after])].map((offset) => wall - offset).filter((at) => wallAt(zone, at) === wall);
  if (found.length === 0) return { at: wall - before, odd: "gap" };
  return { at: Math.min(...found), odd: found.length > 1 ? "twice" : "" };
}

/** "2026-03-14T09:00", as fields have it; with seconds where there are some. @param {number} wall */
export function writeWall(wall) {
  const text = new Date(wall).toISOString();
  return text.slice(0, wall % 60_000 === 0 ? 16 : 19);
}

/** Reads what such a field has, NaN if it is no time. @param {string} text */
export const readWall = (text) => /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?$/.test(text) ? Date.parse(text + "Z") : NaN;

/** A time as the API has it. @param {number} at */
export const writeTime = (at) => new Date(at).toISOString().replace(".000Z", "Z");

/** @typedef {{at: number, before: number, after: number}} ClockChange with the distances from UTC */

/** When the clocks of a zone are changed in [from, to). @param {string} zone @param {number} from @param {number} to @returns {ClockChange[]} */
export function clockChanges(zone, from, to) {
  const changes = [];
  let offset = offsetAt(zone, from);
  for (let day = from; day < to; day += dayMS) {
    const end = Math.min(day + dayMS, to), next = offsetAt(zone, end);
    if (next === offset) continue;
    let low = day, high = end;
    while (high - low > 1000) {
      const middle = Math.floor((low + high) / 2000) * 1000;
      if (offsetAt(zone, middle) === offset) low = middle;
      else high = middle;
    }
    const at = Math.ceil(high / 1000) * 1000;
    if (at < to) changes.push({ at, before: offset, after: next });
    offset = next;
  }
  return changes;
}
