// The presets of how often a user sees a popup: which waits each stands for.

/** @typedef {{after_click_sec: number, after_dismiss_sec: number, after_impression_sec: number, max_impressions: number}} Waits */

/** A wait that never ends. */
export const never = -1;

/** By name, in the order in which they are offered. @type {Record<string, (hours: number) => Waits>} */
export const presets = {
  rested: () => ({ after_click_sec: 2592000, after_dismiss_sec: 86400, after_impression_sec: 86400, max_impressions: 0 }),
  once: () => ({ after_click_sec: never, after_dismiss_sec: never, after_impression_sec: never, max_impressions: 0 }),
  daily: () => ({ after_click_sec: never, after_dismiss_sec: 86400, after_impression_sec: 86400, max_impressions: 0 }),
  hourly: (hours) => ({ after_click_sec: hours * 3600, after_dismiss_sec: hours * 3600, after_impression_sec: hours * 3600, max_impressions: 0 }),
  always: () => ({ after_click_sec: 0, after_dismiss_sec: 0, after_impression_sec: 0, max_impressions: 0 }),
};

/**
 * The preset that waits are, "custom" if none, and the hours of hourly.
 * @param {Waits} waits @returns {{name: string, hours: number}}
 */
export function presetOf(waits) {
  const hours = waits.after_impression_sec > 0 && waits.after_impression_sec % 3600 === 0 ? waits.after_impression_sec / 3600 : 4;
  const is = (/** @type {Waits} */ other) => /** @type {(keyof Waits)[]} */ (Object.keys(other)).every((name) => waits[name] === other[name]);
  return { name: Object.keys(presets).find((name) => is(presets[name](hours))) ?? "custom", hours };
}
