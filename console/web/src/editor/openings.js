// When a schedule is open: arithmetic on days, hours and clocks that are changed.
import { clockChanges, offsetAt } from "../zones.js";

const minuteMS = 60_000, dayMS = 86_400_000;

/** The days, as popups name them. */
export const days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/**
 * @typedef {{start_at: string | null, end_at: string | null, timezone: string, user_time: boolean, days: string[], hours: [string, string][]}} Schedule
 * @typedef {{from: number, to: number}} Span [from, to) in ms; to is Infinity for an open end
 * @typedef {{at: number, kind: "lost" | "shorter" | "longer", window: [string, string], wallFrom: number, wallTo: number, minutes: number}} ClockNote
 *   what a change of the clocks from one wall time to another does to a window, and by how many minutes
 */

/** Minutes since midnight of "HH:MM", NaN if it is none. @param {string} text */
const minuteOf = (text) => /^([01]\d|2[0-3]):[0-5]\d$|^24:00$/.test(text) ? Number(text.slice(0, 2)) * 60 + Number(text.slice(3)) : NaN;

/** Whether a window ends on the day after. @param {[string, string]} window */
export const crossesMidnight = ([from, to]) => minuteOf(to) <= minuteOf(from) && to !== "00:00";

/** @param {Schedule} schedule @returns {{days: number[], windows: {window: [string, string], from: number, to: number}[]}} minutes of a day; to may lie in the next */
function week(schedule) {
  const hours = /** @type {[string, string][]} */ (schedule.hours.length > 0 ? schedule.hours : [["00:00", "24:00"]]);
  const windows = hours.map((window) => ({ window, from: minuteOf(window[0]), to: minuteOf(window[1]) })).filter(({ from, to }) => from >= 0 && to >= 0)
    .map(({ window, from, to }) => ({ window, from, to: to <= from ? to + 1440 : to }));
  return { days: schedule.days.length > 0 ? schedule.days.map((day) => days.indexOf(day)).filter((day) => day >= 0) : days.map((_, i) => i), windows };
}

/** The weekday of a wall time, 0 is Monday. @param {number} wall */
const weekday = (wall) => (Math.floor(wall / dayMS) + 3) % 7;

/**
 * The next spans in which a schedule is open by the clocks of a zone, within [from, to).
 * @param {Schedule} schedule @param {string} zone @param {number} from @param {number} to @param {number} most @returns {Span[]}
 */
export function openSpans(schedule, zone, from, to, most) {
  const start = Math.max(from, schedule.start_at === null ? from : Date.parse(schedule.start_at));
  const end = Math.min(to, schedule.end_at === null ? to : Date.parse(schedule.end_at));
  if (!(start < end)) return [];
  if (schedule.days.length === 0 && schedule.hours.length === 0) return [{ from: start, to: schedule.end_at === null ? Infinity : Date.parse(schedule.end_at) }];
  const { days: open, windows } = week(schedule);
  /** @type {Span[]} */
  const spans = [];
  let since = start, offset = offsetAt(zone, start);
  for (const change of [...clockChanges(zone, start, end), { at: end, before: 0, after: 0 }]) {
    for (let day = Math.floor((since + offset) / dayMS) * dayMS - dayMS; day < change.at + offset; day += dayMS) { // a day earlier: its windows may cross midnight
      if (!open.includes(weekday(day))) continue;
      for (const window of windows) {
        const span = { from: Math.max(since, day + window.from * minuteMS - offset), to: Math.min(change.at, day + window.to * minuteMS - offset) };
        if (span.from < span.to) spans.push(span);
      }
      if (spans.length > most * windows.length + 14) break; // enough, also if they touch
    }
    since = change.at;
    offset = change.after;
  }
  return merged(spans).slice(0, most);
}

/** Spans by time, those that touch as one. @param {Span[]} spans */
function merged(spans) {
  /** @type {Span[]} */
  const out = [];
  for (const span of spans.toSorted((a, b) => a.from - b.from)) {
    const last = out.at(-1);
    if (last && span.from <= last.to) last.to = Math.max(last.to, span.to);
    else out.push({ ...span });
  }
  return out;
}

/**
 * What changes of the clocks do to the hours of a schedule within [from, to).
 * @param {Schedule} schedule @param {string} zone @param {number} from @param {number} to @returns {ClockNote[]}
 */
export function clockNotes(schedule, zone, from, to) {
  if (schedule.hours.length === 0) return [];
  const start = Math.max(from, schedule.start_at === null ? from : Date.parse(schedule.start_at));
  const end = Math.min(to, schedule.end_at === null ? to : Date.parse(schedule.end_at));
  if (!(start < end)) return [];
  const { days: open, windows } = week(schedule);
  /** @type {ClockNote[]} */
  const notes = [];
  for (const change of clockChanges(zone, start, end)) {
    const wallFrom = change.at + change.before, wallTo = change.at + change.after, low = Math.min(wallFrom, wallTo), high = Math.max(wallFrom, wallTo);
    for (let day = Math.floor(low / dayMS) * dayMS - dayMS; day < high; day += dayMS) {
      if (!open.includes(weekday(day))) continue;
      for (const { window, from: opens, to: closes } of windows) {
        const minutes = (Math.min(high, day + closes * minuteMS) - Math.max(low, day + opens * minuteMS)) / minuteMS;
        if (minutes > 0) notes.push({ at: change.at, kind: wallTo < wallFrom ? "longer" : minutes === closes - opens ? "lost" : "shorter", window, wallFrom, wallTo, minutes });
      }
    }
  }
  return notes;
}
