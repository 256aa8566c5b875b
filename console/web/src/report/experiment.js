// The experiment of a popup, in plain words: docs/experiments.md says how it is counted.
import { html, nothing, svg } from "lit/html.js";
import { dateTime, list, number, percent, t } from "../i18n.js";
import { emptyState, field, notice } from "../ui.js";

/**
 * @typedef {object} Arm
 * @property {string} variant
 * @property {boolean} control
 * @property {boolean} baseline
 * @property {number} users
 * @property {number} converted
 * @property {number} rate
 * @property {number | null} lift
 * @property {number | null} lift_low
 * @property {number | null} lift_high
 * @property {boolean} different
 *
 * @typedef {object} Experiment
 * @property {"click" | "convert"} goal
 * @property {number} window_days
 * @property {"too_few" | "running" | "difference"} status
 * @property {string | null} since
 * @property {Arm[]} arms the baseline first
 * @property {{status: "ok" | "warn" | "bad", since: string | null}} srm
 * @property {number} mixed_users
 * @property {{version: number, at: string, fields: string[]}[]} changes
 */

/**
 * @param {Experiment | null} e null: there is nothing to compare
 * @param {{key: string}} popup
 * @param {(goal: string) => void} setGoal
 */
export function experimentSection(e, popup, setGoal) {
  if (e === null) {
    return html`<section class="card" aria-labelledby="experiment"><h2 id="experiment">${t("report.experiment")}</h2>
      ${emptyState({ title: t("report.experiment.none"), text: t("report.experiment.none.text"), action: html`<a href="/popups/${popup.key}">${t("report.experiment.edit")}</a>` })}</section>`;
  }
  const [baseline, ...others] = e.arms;
  const compared = e.srm.status !== "bad"; // else lifts say nothing
  return html`<section class="card experiment" aria-labelledby="experiment">
    <div class="title"><h2 id="experiment">${t("report.experiment")}</h2>
      ${field({ label: t("report.goal"), name: "goal", value: e.goal, options: ["click", "convert"].map((value) => ({ value, text: t("report.goal." + value) })), input: setGoal })}</div>
    <p class="muted">${e.since === null ? t("report.experiment.nobody") : t("report.experiment.lead", { since: dateTime(e.since), n: e.window_days })}</p>
    ${e.srm.status === "ok" ? nothing : notice(e.srm.status === "bad" ? "danger" : "warning", html`<b>${t("report.srm." + e.srm.status)}</b> ${t(`report.srm.${e.srm.status}.do`)}`)}
    ${e.changes.length ? notice("warning", html`${t("report.changes")}<ul class="changes">${e.changes.map((c) => html`<li>${t("report.change", { version: c.version, at: dateTime(c.at), fields: list(c.fields.map((name) => t("report.changed." + name))) })}</li>`)}</ul>`) : nothing}
    ${!compared ? nothing : html`<p class="verdict ${e.status}">${t("report.verdict." + e.status)}</p>
      ${e.status === "too_few" && e.goal === "click" && baseline?.control ? html`<p>${t("report.control.click")}</p>` : nothing}`}
    ${e.arms.length ? html`<div class="scroll" tabindex="0" role="group" aria-labelledby="experiment">${arms(compared ? e.arms : e.arms.map((arm) => ({ ...arm, lift: null, different: false })))}</div>` : nothing}
    ${!compared ? nothing : html`<ul class="words">${others.filter((arm) => arm.lift !== null).map((arm) => html`<li>${inWords(arm, baseline, e.goal)}</li>`)}</ul>
      ${others.some((arm) => arm.lift !== null && !arm.different) ? html`<p class="muted">${t("report.open")}</p>` : nothing}
      ${e.status === "too_few" ? nothing : html`<p class="muted">${t("report.anytime")}</p>`}`}
    ${e.mixed_users > 0 ? html`<p class="muted">${t("report.mixed", { n: e.mixed_users })}</p>` : nothing}
  </section>`;
}

/** @param {Arm[]} of */
function arms(of) {
  const compared = of.filter((arm) => arm.lift !== null);
  const ends = [0, ...compared.flatMap((arm) => [Math.log1p(arm.lift_low ?? 0), Math.log1p(arm.lift_high ?? 0)])];
  const low = Math.min(...ends), high = Math.max(...ends);
  /** Where a lift is drawn: ratios are as wide upward as downward. @param {number} lift */
  const x = (lift) => 4 + 192 * (Math.log1p(lift) - low) / (high - low || 1);
  return html`<table>
    <thead><tr><th scope="col">${t("report.variant")}</th><th scope="col" class="number">${t("report.users")}</th><th scope="col" class="number">${t("report.reached")}</th><th scope="col" class="number">${t("report.rate")}</th>
      <th scope="col" class="number">${t("report.lift")}</th><th scope="col">${t("report.bounds")}</th></tr></thead>
    <tbody>${of.map((arm) => html`<tr>
      <th scope="row"><span class="name">${arm.variant}</span> ${arm.baseline ? html`<span class="badge">${t(arm.control ? "report.control" : "report.baseline")}</span>` : arm.control ? html`<span class="badge">${t("report.control")}</span>` : nothing}
        ${arm.different ? html`<span class="badge active">${t("report.different")}</span>` : nothing}</th>
      <td class="number">${number(arm.users)}</td><td class="number">${number(arm.converted)}</td><td class="number">${arm.users > 0 ? percent(arm.rate) : "–"}</td>
      <td class="number">${arm.lift === null ? "–" : signed(arm.lift)}</td>
      <td>${arm.lift === null ? html`<span class="muted">${t(arm.baseline ? "report.comparedwith" : arm.lift_low === null ? "report.notyet" : "report.notread")}</span>` : html`<span class="bounds">${interval(arm, x)}<span>${t("report.fromto", { low: signed(arm.lift_low ?? 0), high: signed(arm.lift_high ?? 0) })}</span></span>`}</td>
    </tr>`)}</tbody>
  </table>`;
}

/** @param {Arm} arm @param {(lift: number) => number} x */
const interval = (arm, x) => html`<svg class="interval ${arm.different ? "different" : ""}" width="200" height="20" aria-hidden="true">
  <line class="zero" x1=${x(0)} x2=${x(0)} y1="0" y2="20" />
  <line class="range" x1=${x(arm.lift_low ?? 0)} x2=${x(arm.lift_high ?? 0)} y1="10" y2="10" />
  ${svg`<circle cx=${x(arm.lift ?? 0)} cy="10" r="4" />`}</svg>`;

const signs = new Intl.NumberFormat(document.documentElement.lang, { style: "percent", minimumFractionDigits: 1, maximumFractionDigits: 1, signDisplay: "exceptZero" });
const signed = (/** @type {number} */ x) => signs.format(x);

/** What an arm's figures say, and what they do not. @param {Arm} arm @param {Arm} baseline @param {string} goal */
function inWords(arm, baseline, goal) {
  const more = (/** @type {number | null} */ lift) => t((lift ?? 0) < 0 ? "report.fewer" : "report.more", { x: percent(Math.abs(lift ?? 0)) });
  const values = { variant: arm.variant, baseline: baseline.variant, lift: more(arm.lift), low: more(arm.lift_low), high: more(arm.lift_high), did: t("report.did." + goal) };
  return t(arm.different ? "report.words.different" : "report.words.open", values);
}
