// The review before something is published: what changes, and what that does to visitors.
import { html, nothing } from "lit/html.js";
import { ApiError, send } from "../api.js";
import { translated } from "../details.js";
import { diffView, fieldDiff, fieldName, valueText } from "../diff.js";
import { dateTime, list, load, number, percent, t } from "../i18n.js";
import { steps } from "../pointer.js";
import { badge, dialog, notice } from "../ui.js";
import { written } from "./editor.js";
import { presetOf } from "./presets.js";

/** @typedef {import("./editor.js").Editor} Editor @typedef {import("./editor.js").Popup} Popup @typedef {import("./editor.js").Note} Note @typedef {import("./choice.js").Variant} Variant */
/** @typedef {{key: string, wins_before: number, wins_after: number, starved: boolean, fit: {polls: number, users: number} | null, reach: {days: number, users: number, reached: number, share: number, share_low: number, share_high: number} | null}} Simulated */
/** @typedef {{from: string, users: number, polls: number, answered_before: number, answered_after: number, popups: Simulated[]}} Simulation */
/** @typedef {{simulation: Simulation | null, why: string, warnings: Note[] | null}} Findings why there is no simulation: "" while it runs; warnings are null while they are looked for */

await load("publish");

/** How long publishing waits for a simulation, in ms. */
const patience = 2000;

/** How many popups the simulation tells of at most. */
const most = 12;

/**
 * Shows what publishing does, and asks. What the server refuses stands beside the fields then.
 * @param {Editor} editor @returns {Promise<boolean>} whether to publish
 */
export async function reviewBeforePublish(editor) {
  const popup = { ...editor.popup, status: /** @type {const} */ ("active") }, cancelled = new AbortController();
  /** @type {Findings} */
  const findings = { simulation: null, why: "", warnings: null };
  let draw = () => {}, leave = (/** @type {boolean} */ _) => {};
  const simulate = async () => {
    findings.why = "";
    draw();
    findings.why = await trySimulation(popup, findings, cancelled.signal);
    draw();
  };
  const check = async () => {
    const errors = await look(popup, findings, cancelled.signal);
    if (errors.length > 0) {
      editor.errors = errors;
      leave(false);
    }
    draw();
  };
  check();
  simulate();
  const yes = await dialog({ name: t("publish.title"), wide: true, body: (/** @type {(yes?: boolean) => void} */ close, redraw) => {
    draw = () => { if (!cancelled.signal.aborted) redraw(); };
    leave = close;
    return html`<form method="dialog" class="review" @submit=${(/** @type {SubmitEvent} */ event) => { event.preventDefault(); close(true); }}>
      ${changes(editor, popup)} ${titlesOf(popup)} ${warningsOf(findings)} ${simulationOf(popup, findings, simulate)}
      <div class="buttons"><button type="button" @click=${() => close(false)}>${t("shell.cancel")}</button><button class="primary" autofocus>${t("publish.yes")}</button></div>
    </form>`;
  } });
  cancelled.abort();
  return yes === true;
}

/** The keys of the variants of which browsers show nothing. @param {Popup} popup @returns {string[]} */
const untitled = ({ variants }) => variants.filter((/** @type {Variant} */ { content, control, weight }) => !control && weight > 0 && (typeof content.title !== "string" || content.title.trim() === ""))
  .map((/** @type {Variant} */ { key }) => key);

/**
 * Whether publishing does harm that nobody sees in the form: it, or another popup, would not
 * be shown. Without a sample of polls only what lacks a title is known.
 * @param {Editor} editor
 */
export async function doesHarm(editor) {
  if (untitled(editor.popup).length > 0) return true;
  try {
    const { body } = await send("POST", "simulate", { popups: [{ ...editor.popup, status: "active" }], reach_days: 0 }, { signal: AbortSignal.timeout(patience) });
    return body.polls > 0 && /** @type {Simulation} */ (body).popups.some(({ starved }) => starved);
  } catch {
    return false; // what is refused is told when it is published
  }
}

/** Tries it on recent polls. Returns why that was not possible, "" if it was. @param {Popup} popup @param {Findings} findings @param {AbortSignal} signal */
async function trySimulation(popup, findings, signal) {
  try {
    findings.simulation = (await send("POST", "simulate", { popups: [popup] }, { signal })).body;
    return findings.simulation?.polls === 0 ? "empty" : "";
  } catch (error) {
    if (!signal.aborted && !(error instanceof ApiError)) throw error;
    return !(error instanceof ApiError) ? "" : error.code === "no_sample" ? "none" : error.status === 503 ? "busy" : "away";
  }
}

/** Looks for what is valid and has no effect. Returns what is refused. @param {Popup} popup @param {Findings} findings @param {AbortSignal} signal @returns {Promise<Note[]>} */
async function look(popup, findings, signal) {
  const own = "/popups/0";
  try {
    const { body } = await send("PUT", "import?dry_run=1", { popups: [popup] }, { signal });
    findings.warnings = body.objects.flatMap((/** @type {any} */ object) => object.key === popup.key && object.kind === "popup" ? object.warnings : []);
  } catch (error) {
    if (signal.aborted) return [];
    if (!(error instanceof ApiError)) throw error;
    if (error.status === 422) return error.errors.filter(({ pointer }) => pointer.startsWith(own)).map(({ pointer, detail }) => ({ pointer: pointer.slice(own.length), detail: translated(detail) }));
    findings.warnings = []; // publishing tells them, too
  }
  return [];
}

/** @param {Editor} editor @param {Popup} popup */
function changes(editor, popup) {
  const { saved } = editor, isNew = saved === null || saved.status === "draft";
  return html`<section><h3>${t(isNew ? "publish.new" : saved.status === "paused" ? "publish.paused" : "publish.live", { version: editor.version })}</h3>
    ${isNew ? summary(popup) : diffView(fieldDiff(written(saved), popup))}</section>`;
}

/** Where, to whom, when and how often. @param {Popup} popup */
function summary({ placements, targeting, rollout, schedule, frequency, variants }) {
  const conditions = targeting.all.length + targeting.any.length + targeting.none.length, preset = presetOf(frequency).name;
  const ends = [schedule.start_at && t("publish.from", { time: dateTime(schedule.start_at) }), schedule.end_at && t("publish.until", { time: dateTime(schedule.end_at) })].filter(Boolean).join(" ");
  const week = schedule.days.length + schedule.hours.length > 0 ? [valueText(["days"], schedule.days), valueText(["hours"], schedule.hours)].filter((_, i) => [schedule.days, schedule.hours][i].length > 0).join(" ") : "";
  /** @type {[string, string][]} */
  const facts = [
    ["where", list(placements)],
    ["who", (conditions === 0 ? t("publish.everybody") : t("publish.conditions", { n: conditions })) + (rollout.percent === 100 ? "" : t("publish.share", { share: percent(rollout.percent / 100) }))],
    ["when", [ends, week].filter((part) => part !== "").join(" · ") || t("publish.always")],
    ["often", preset === "custom" ? `${fieldName(["frequency", "after_impression_sec"])}: ${valueText(["after_impression_sec"], frequency.after_impression_sec)}` : t("publish.often." + preset, { n: presetOf(frequency).hours })],
    ["what", t("publish.variants", { n: variants.length })],
  ];
  return html`<dl class="outline">${facts.map(([name, text]) => html`<div><dt>${t("publish." + name)}</dt><dd>${text}</dd></div>`)}</dl>`;
}

/** @param {Popup} popup */
function titlesOf(popup) {
  const keys = untitled(popup);
  return keys.length === 0 ? nothing : notice("warning", t("publish.untitled", { n: keys.length, keys: list(keys) }));
}

/** @param {Findings} findings */
function warningsOf({ warnings }) {
  if (warnings === null || warnings.length === 0) return nothing;
  return notice("warning", html`<strong>${t("publish.warnings", { n: warnings.length })}</strong><ul>${warnings.map(({ pointer, detail }) => html`<li>${pointer === "" ? nothing : fieldName(steps(pointer)) + ": "}${translated(detail)}</li>`)}</ul>`);
}

/** @param {Popup} popup @param {Findings} findings @param {() => void} again */
function simulationOf(popup, { simulation, why }, again) {
  const retry = why === "busy" || why === "away" ? html` <button type="button" @click=${again}>${t("shell.retry")}</button>` : nothing;
  return html`<section aria-busy=${simulation === null && why === "" ? "true" : "false"}><h3>${t("publish.simulation")}</h3>
    <div role="status">${why !== "" ? html`<p class="muted">${t("publish.why." + why)}${retry}</p>` : simulation === null ? html`<p class="muted">${t("publish.running")}</p>` : found(popup, simulation)}</div></section>`;
}

/** @param {Popup} popup @param {Simulation} simulation */
function found(popup, simulation) {
  const own = /** @type {Simulated} */ (simulation.popups.find(({ key }) => key === popup.key)), { reach, fit } = own;
  const told = simulation.popups.filter((one) => one.key === popup.key || one.starved || one.wins_before !== one.wins_after);
  const starved = told.filter((one) => one.starved && one.key !== popup.key);
  return html`
    ${own.starved ? notice("warning", t(fit !== null && fit.users === 0 ? "publish.fits.nobody" : popup.schedule.start_at !== null && Date.parse(popup.schedule.start_at) > Date.now() ? "publish.starts.later" : reach !== null && reach.reached > 0 ? "publish.starved.later" : "publish.starved")) : nothing}
    ${starved.length > 0 ? notice("warning", t("publish.starves", { n: starved.length, keys: list(starved.slice(0, most).map(({ key }) => key)) })) : nothing}
    ${reach === null || reach.users === 0 ? nothing : html`<p><strong>${t("publish.reach", { n: reach.users, reached: number(reach.reached), share: percent(reach.share), days: t("publish.days", { n: reach.days }) })}</strong>
      <span class="muted">${t("publish.interval", { low: percent(reach.share_low), high: percent(reach.share_high) })}</span></p>`}
    <p>${t("publish.answered", { n: simulation.polls, before: number(simulation.answered_before), after: number(simulation.answered_after) })}</p>
    <div class="scroll" tabindex="0" role="region" aria-label=${t("publish.wins")}><table>
      <thead><tr><th scope="col">${t("publish.popup")}</th><th scope="col" class="number">${t("publish.before")}</th><th scope="col" class="number">${t("publish.after")}</th></tr></thead>
      <tbody>${told.slice(0, most).map((one) => html`<tr>
        <th scope="row">${one.key === popup.key ? html`<strong>${one.key}</strong> ${badge("active")}` : one.key}${one.starved ? html` <span class="badge paused">${t("publish.badge.starved")}</span>` : nothing}</th>
        <td class="number">${number(one.wins_before)}</td><td class="number">${number(one.wins_after)}</td></tr>`)}</tbody></table></div>
    ${told.length > most ? html`<p class="muted">${t("publish.more", { n: told.length - most })}</p>` : nothing}
    <p class="hint">${t("publish.sample", { n: simulation.users, from: dateTime(simulation.from) })}</p>`;
}
