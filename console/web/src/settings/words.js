// Settings in plain words: what each says, and what a change of them does to users.
import { duration, list, number, t } from "../i18n.js";

/** @typedef {import("./form.js").Settings} Settings */
/** @typedef {import("./form.js").Cap} Cap */

/**
 * Returns what settings say, entry by entry: two settings are compared and merged by it.
 * @param {Settings} s
 * @returns {Map<string, {label: string, text: string, value: any}>} by "gap", "cap:KEY", "percent" and "salt"
 */
export const entries = (s) => new Map([
  ["gap", { label: t("settings.gap"), text: gapText(s.min_gap_sec), value: s.min_gap_sec }],
  ...s.caps.map((cap) => /** @type {[string, any]} */ (["cap:" + cap.key, { label: t("settings.cap.named", { key: cap.key }), text: capText(cap), value: cap }])),
  ["percent", { label: t("settings.holdout"), text: share(s.holdout.percent), value: s.holdout.percent }],
  ["salt", { label: t("settings.salt"), text: s.holdout.salt === "" ? t("settings.salt.none") : s.holdout.salt, value: s.holdout.salt }],
]);

/** The settings that entries are of. @param {Map<string, {value: any}>} of @returns {Settings} */
export const settingsFrom = (of) => ({
  min_gap_sec: of.get("gap")?.value, holdout: { percent: of.get("percent")?.value, salt: of.get("salt")?.value },
  caps: [...of].filter(([id]) => id.startsWith("cap:")).map(([, entry]) => entry.value),
});

/** @param {{value: any} | undefined} a @param {{value: any} | undefined} b */
export const same = (a, b) => JSON.stringify(a?.value) === JSON.stringify(b?.value);

const gapText = (/** @type {number} */ sec) => sec === 0 ? t("settings.gap.none") : duration(sec);
const share = (/** @type {number} */ percent) => t("settings.percent", { x: number(percent) });

/** "At most 3 popups within any 1 day" @param {Cap} cap */
export const capText = (cap) => cap.tags.length === 0
  ? t("settings.cap.any", { n: cap.max, time: duration(cap.per_sec) })
  : t("settings.cap.tagged", { n: cap.max, time: duration(cap.per_sec), tags: list(cap.tags) });

/**
 * Says what users see of a change, a sentence for each thing that changes.
 * @param {Settings} before @param {Settings} after
 * @returns {{text: string, grave?: boolean}[]}
 */
export function meaning(before, after) {
  const was = entries(before), is = entries(after), says = [];
  for (const id of new Set([...was.keys(), ...is.keys()])) {
    const from = was.get(id), to = is.get(id);
    if (same(from, to)) continue;
    if (id === "gap") says.push({ text: gapMeaning(before.min_gap_sec, after.min_gap_sec) });
    else if (id === "percent") says.push(holdoutMeaning(before.holdout.percent, after.holdout.percent));
    else if (id === "salt" && before.holdout.percent > 0) says.push({ text: t("settings.means.salt") });
    else if (id === "salt" && after.holdout.percent === 0) says.push({ text: t("settings.means.salt.later") });
    else if (id === "salt") continue; // it only draws those whom the percent already tells of
    else if (!to) says.push({ text: t("settings.means.cap.gone", { key: id.slice(4), before: from?.text ?? "" }) });
    else if (!from) says.push({ text: t("settings.means.cap.new", { key: id.slice(4), after: to.text }) });
    else says.push({ text: t("settings.means.cap.changed", { key: id.slice(4), before: from.text, after: to.text }) });
  }
  if (says.length === 0 && JSON.stringify(before) !== JSON.stringify(after)) says.push({ text: t("settings.means.order") });
  return says;
}

function gapMeaning(/** @type {number} */ before, /** @type {number} */ after) {
  if (after === 0) return t("settings.means.gap.none");
  const values = { before: gapText(before), after: gapText(after) };
  return t(after > before ? "settings.means.gap.longer" : "settings.means.gap.shorter", values);
}

function holdoutMeaning(/** @type {number} */ before, /** @type {number} */ after) {
  if (after === 100) return { text: t("settings.means.holdout.all"), grave: true };
  const values = { before: share(before), after: share(after), more: share(Math.round(Math.abs(after - before) * 100) / 100) };
  return after > before ? { text: t("settings.means.holdout.more", values), grave: after >= 50 } : { text: t("settings.means.holdout.fewer", values) };
}
