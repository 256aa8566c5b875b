// What a poll comes to, and of each popup what stops it and when it could be shown.
import { html, nothing } from "lit/html.js";
import { dateTime, has, t } from "../i18n.js";
import { advice, reasonText } from "../reasons.js";
import { timeline, waiting } from "./timeline.js";

/**
 * @typedef {{key: string, name: string, placements: string[]}} Known a popup that can be asked about
 *
 * @typedef {object} Condition
 * @property {string} pointer
 * @property {string} attr
 * @property {string} op
 * @property {unknown} value
 * @property {string | string[]} [actual]
 * @property {string} [note]
 * @property {boolean} holds
 * @property {boolean} passes
 *
 * @typedef {{gate: string, cap?: string, open: boolean, reason: string | null, wanted: string, actual: string, opens_at: string | null, conditions?: Condition[]}} Gate
 * @typedef {{key: string, priority: number, eligible: boolean, blocked_by: string | null, eligible_at: string | null, gates: Gate[]}} Candidate
 * @typedef {{at: string, winner: string | null, winners: {key: string, variant: string, placement: string}[], reason: string | null, next_poll_sec: number, candidates: Candidate[], next_cursor: string | null}} Answer
 */

/** How many popups are listed before the rest is asked for, which those of other placements are. */
const most = 12;

/** Sorts by time; two that never come are equal. @param {number} x @param {number} y */
const order = (x, y) => x === y ? 0 : x - y;

/**
 * @param {Answer} answer
 * @param {import("./question.js").Question} question
 * @param {{names: Map<string, string>, all: boolean, showAll: () => void}} of
 */
export function answerView(answer, question, { names, all, showAll }) {
  const name = (/** @type {string} */ key) => names.get(key) ?? key;
  const candidates = [...answer.candidates].sort((x, y) => Number(y.eligible) - Number(x.eligible) || order(waiting(x), waiting(y)) || Number(x.blocked_by === "placement") - Number(y.blocked_by === "placement"));
  const listed = all ? candidates : candidates.filter((c, i) => i < most && (c.blocked_by !== "placement" || candidates.length === 1));
  return html`<section class="card answer" id="answer" tabindex="-1" aria-labelledby="answer-title">
    <h2 id="answer-title">${t(question.at ? "users.answer.then" : "users.answer.now", { at: dateTime(answer.at), placement: question.placement || "default" })}</h2>
    <div class="outcome">${outcome(answer, question, name)}</div>
    ${candidates.length === 0 ? html`<p class="muted">${t("users.nopopups")}</p>` : html`
      <h3>${t("users.timeline")}</h3>
      <p class="muted">${t("users.timeline.what")}</p>
      ${timeline(Date.parse(answer.at), listed, name, question, (c) => gatesOf(c, name, c.key !== question.popup))}`}
    ${listed.length < candidates.length ? html`<div class="buttons"><button type="button" @click=${showAll}>${t("users.showall", { n: candidates.length - listed.length })}</button></div>` : nothing}
    ${answer.next_cursor ? html`<p class="muted">${t("users.toomany", { n: candidates.length })}</p>` : nothing}
  </section>`;
}

/** The answer to the question. @param {Answer} answer @param {import("./question.js").Question} question @param {(key: string) => string} name */
function outcome(answer, question, name) {
  const won = answer.winners.find((w) => question.popup === "" || w.key === question.popup);
  if (won) return html`<p class="headline good">${t("users.returns", { name: name(won.key), variant: won.variant })}</p><p class="muted">${t("users.nextpoll", { n: answer.next_poll_sec })}</p>`;
  const asked = question.popup === "" ? undefined : answer.candidates[0];
  if (asked?.blocked_by) {
    return html`<p class="headline">${t("users.notthis", { name: name(asked.key), why: reasonText(asked.blocked_by) })}</p>
      <p>${asked.eligible_at ? t("users.could", { at: dateTime(asked.eligible_at) }) : t("users.never")} ${answer.winner ? t("users.instead", { name: name(answer.winner) }) : nothing}</p>
      <p class="muted advice">${advice(asked.blocked_by, asked.key)}</p>`;
  }
  const closest = answer.candidates.find((c) => c.blocked_by === answer.reason);
  return html`<p class="headline">${t("users.nothing")}</p>
    <p>${answer.reason === null ? t("users.nothing.atall") : closest ? t("users.closest", { name: name(closest.key), why: reasonText(answer.reason) }) : html`${reasonText(answer.reason)}.`}</p><p class="muted">${t("users.nextpoll", { n: answer.next_poll_sec })}</p>`;
}

/** What a popup has to pass, what stops it first. @param {Candidate} c @param {(key: string) => string} name @param {boolean} advised */
function gatesOf(c, name, advised) {
  const gates = [...c.gates].sort((x, y) => Number(x.open) - Number(y.open));
  return html`<div class="gates">
    ${advised && c.blocked_by ? html`<p class="advice">${advice(c.blocked_by, c.key)}</p>` : nothing}
    <ul aria-label=${t("users.gates", { name: name(c.key) })}>${gates.map((g) => html`<li class=${g.open ? "open" : "closed"}>
      <span class="mark" aria-hidden="true">${g.open ? "✓" : "✕"}</span>
      <div><b>${gateName(g)}</b> · <span>${g.open ? gateText(g) : reasonText(g.reason ?? "")}${g.opens_at ? html` · ${t("users.opens", { at: dateTime(g.opens_at) })}` : nothing}</span>
      ${g.conditions?.length ? conditions(g.conditions) : g.open ? nothing : html`<p class="muted detail">${t("users.wanted", { wanted: g.wanted })} · ${t("users.actual", { actual: g.actual })}</p>`}</div></li>`)}</ul>
    <p><a href="/popups/${c.key}">${t("reasons.at.editor")}</a> · <a href="/popups/${c.key}/report">${t("ui.tab.report")}</a></p>
  </div>`;
}

/** @param {Gate} g */
const gateName = (g) => has("users.gate." + g.gate) ? t("users.gate." + g.gate, { cap: g.cap ?? "" }) : g.gate;
/** @param {Gate} g an open one */
const gateText = (g) => has("users.passed." + g.gate) ? t("users.passed." + g.gate) : t("users.passed");

/** @param {Condition[]} of */
const conditions = (of) => html`<ul>${of.map((c) => html`<li class=${c.passes ? "open" : "closed"}><span class="mark" aria-hidden="true">${c.passes ? "✓" : "✕"}</span>
  <div><code>${c.attr} ${c.op} ${c.value === undefined ? "" : JSON.stringify(c.value)}</code> <span>${t(c.pointer.includes("/none/") ? "users.cond.none" : c.pointer.includes("/any/") ? "users.cond.any" : "users.cond.all")}</span>
  <p class="muted detail">${c.actual === undefined ? t("users.missing") : t("users.actual", { actual: JSON.stringify(c.actual) })}${c.note ? ` · ${c.note}` : ""} · ${t(c.holds ? "users.holds" : "users.holdsnot")}</p></div></li>`)}</ul>`;
