// Spans of time: a number and its unit, as an operator enters them.

/** @typedef {{amount: string, unit: string}} Span */

/** The units and their seconds. @type {[string, number][]} */
export const units = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];

/** A span in the largest unit that divides it. @param {number} sec @returns {Span} */
export function spanOf(sec) {
  const [unit, size] = units.find(([, size]) => sec >= size && sec % size === 0) ?? units[1];
  return { amount: String(sec / size), unit };
}

/** Its seconds, NaN if it is none. @param {Span} span */
export const secondsOf = ({ amount, unit }) => amount.trim() === "" ? NaN : Number(amount) * /** @type {[string, number]} */ (units.find(([name]) => name === unit))[1];
