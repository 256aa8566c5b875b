// Sizes and times of the machine, as the page System writes them.
import { duration, number } from "../i18n.js";

const locale = document.documentElement.lang;
const units = ["B", "KiB", "MiB", "GiB", "TiB"];
const tenths = new Intl.NumberFormat(locale, { maximumFractionDigits: 1 });
const shares = new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: 0 });
/** @param {string} unit @param {number} digits */
const inUnit = (unit, digits) => new Intl.NumberFormat(locale, { style: "unit", unit, unitDisplay: "short", maximumFractionDigits: digits });
const millis = inUnit("millisecond", 0), exact = inUnit("second", 1), whole = inUnit("second", 0);

/** "64.5 MiB": in the units that flags take @param {number} n */
export function bytes(n) {
  let i = 0;
  for (; n >= 1024 && i < units.length - 1; i++) n /= 1024;
  return `${tenths.format(n)} ${units[i]}`;
}

/** "12 %"; under 1 % is 1 %: what is there is not nothing @param {number} part @param {number} whole */
export const share = (part, whole) => shares.format(whole > 0 ? (part > 0 ? Math.max(part / whole, 0.01) : 0) : 0);

/** "320 ms", "4.2 sec", "42 sec", then in the largest unit @param {number} ms */
export function time(ms) {
  if (ms < 1000) return millis.format(ms);
  if (ms < 10000) return exact.format(ms / 1000);
  if (ms < 60000) return whole.format(Math.floor(ms / 1000));
  const sec = ms / 1000;
  const size = sec >= 86400 ? 86400 : sec >= 3600 ? 3600 : 60;
  return duration(Math.floor(sec / size) * size);
}

/** Of a rate; "0.3", "1,234" @param {number} n */
export const rate = (n) => (n < 10 ? tenths.format(n) : number(Math.round(n)));
