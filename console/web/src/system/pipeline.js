// The way of an event, as a picture: journal, Redis, database.
import { html, nothing } from "lit/html.js";
import { ref } from "lit/directives/ref.js";
import { number, t } from "../i18n.js";
import { bytes, rate, share, time } from "./amounts.js";

/** @typedef {import("lit/html.js").TemplateResult} TemplateResult */
/** @typedef {import("./problems.js").System} System */

/** How much of something is used. @param {string} label @param {number} part @param {number} whole */
export const meter = (label, part, whole) => html`<span class="meter" role="img" aria-label=${`${label}: ${share(part, whole)}`}>
  <span class=${part > 0.8 * whole ? "high" : ""} ${ref((element) => {
    if (element instanceof HTMLElement) element.style.inlineSize = `${Math.min(100, Math.max(1, (100 * part) / whole))}%`;
  })}></span></span>`;

/** @param {string} term @param {unknown} value @param {boolean} [known] */
const fact = (term, value, known = true) => html`<div><dt>${term}</dt><dd>${known ? value : html`<span class="muted">${t("system.unknown")}</span>`}</dd></div>`;

/**
 * @param {{name: string, where: string, state: "good" | "bad" | "slow", word: string, figure: unknown, unit: string, facts: unknown, used?: unknown}} s
 */
const stage = (s) => html`<li class="stage card ${s.state}">
  <header><h3>${s.name}</h3><span class="state ${s.state}">${s.word}</span></header>
  <p class="where muted">${s.where}</p>
  <p class="figure"><strong>${s.figure}</strong> ${s.unit}</p>
  ${s.used ?? nothing}
  <dl>${s.facts}</dl>
</li>`;

/** @param {number | null} perSecond */
const flow = (perSecond) => html`<li class="flow">
  <svg viewBox="0 0 40 12" aria-hidden="true"><path d="M0 6h36M31 1l6 5-6 5" fill="none" stroke="currentColor" stroke-width="1.5"/></svg>
  <span>${perSecond === null ? html`<span class="muted">${t("system.rate.unknown")}</span>` : t("system.rate", { rate: rate(perSecond) })}</span>
</li>`;

/** @param {System} system */
export function pipeline({ journal, redis, database }) {
  const late = journal.oldest_ms > 60000;
  return html`<ol class="pipeline">
    ${stage({
      name: t("system.journal"), where: t("system.journal.where"),
      state: journal.bytes > 0.8 * journal.max_bytes ? "bad" : late ? "slow" : "good",
      word: t(journal.bytes > 0.8 * journal.max_bytes ? "system.state.full" : late ? "system.state.waits" : "system.state.works"),
      figure: number(journal.waiting_events), unit: t("system.waiting", { n: journal.waiting_events }),
      used: meter(t("system.journal.used"), journal.bytes, journal.max_bytes),
      facts: [
        fact(t("system.used"), t("system.of", { part: bytes(journal.bytes), whole: bytes(journal.max_bytes) })),
        fact(t("system.oldest"), journal.waiting_events > 0 ? time(journal.oldest_ms) : "–"),
        fact(t("system.written"), journal.per_second === null ? nothing : t("system.rate", { rate: rate(journal.per_second) }), journal.per_second !== null),
      ],
    })}
    ${flow(redis.per_second)}
    ${stage({
      name: "Redis", where: t(redis.embedded ? "system.redis.embedded" : "system.redis.where"),
      state: redis.up ? "good" : "bad", word: t(redis.up ? "system.state.works" : "system.state.down"),
      figure: redis.batches === null ? "–" : number(redis.batches), unit: t("system.batches", { n: redis.batches ?? 0 }),
      used: redis.used_bytes !== null && redis.max_bytes ? meter(t("system.redis.used"), redis.used_bytes, redis.max_bytes) : nothing,
      facts: redis.embedded ? nothing : fact(t("system.memory"), redis.used_bytes === null ? nothing : redis.max_bytes
        ? t("system.of", { part: bytes(redis.used_bytes), whole: bytes(redis.max_bytes) }) : t("system.nolimit", { part: bytes(redis.used_bytes) }), redis.used_bytes !== null),
    })}
    ${flow(database.flush ? database.per_second : null)}
    ${stage({
      name: database.sqlite ? "SQLite" : t("system.database"), where: t(database.sqlite ? "system.database.sqlite" : "system.database.where"),
      state: database.up && !database.newer_schema ? "good" : "bad",
      word: t(database.newer_schema ? "system.state.newer" : database.up ? "system.state.works" : "system.state.down"),
      figure: database.lag_ms === null ? "–" : time(database.lag_ms), unit: t(database.lag_ms === null ? "system.lag.none" : "system.lag"),
      facts: [
        fact(t("system.flusher"), t(database.flush ? "system.flusher.this" : "system.flusher.others")),
        fact(t("system.failed"), number(database.errors)),
        fact(t("system.refused"), number(database.dead_events)),
      ],
    })}
  </ol>`;
}
