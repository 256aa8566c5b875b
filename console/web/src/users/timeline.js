// When popups could be shown, on one axis: near times are drawn wider than far ones.
import { html } from "lit/html.js";
import { ago, dateTime, duration, t } from "../i18n.js";
import { reasonText } from "../reasons.js";

/** When a popup could be shown, in ms; no waiting helps: never. @param {import("./explain.js").Candidate} c */
export const waiting = (c) => c.eligible ? 0 : c.eligible_at === null ? Infinity : Date.parse(c.eligible_at);

const ticks = [60, 3600, 86400, 7 * 86400, 30 * 86400, 365 * 86400];
const scale = (/** @type {number} */ sec) => Math.log1p(Math.max(0, sec) / 60);

/**
 * @param {number} now when the poll takes place, in ms
 * @param {import("./explain.js").Candidate[]} candidates
 * @param {(key: string) => string} name
 * @param {{popup: string, at: string}} asked about: this popup, whose row is open, and this time, now if it is empty
 * @param {(c: import("./explain.js").Candidate) => unknown} more what a row opens to
 */
export function timeline(now, candidates, name, asked, more) {
  const after = (/** @type {import("./explain.js").Candidate} */ c) => (waiting(c) - now) / 1000;
  const last = Math.max(3600, ...candidates.map(after).filter(Number.isFinite)) * 1.3;
  const tense = asked.at ? "then" : "now";
  const place = (/** @type {number} */ sec) => 100 * scale(sec) / scale(last);
  const at = (/** @type {number} */ sec) => `--x: ${place(sec).toFixed(2)}%`;
  const marks = ticks.filter((sec) => sec < last);
  /** Marks that have room for what they are called. */
  const labels = marks.reduce((kept, sec) => place(sec) - place(kept.at(-1) ?? 0) < 14 ? kept : [...kept, sec], /** @type {number[]} */ ([]));
  return html`
    <div class="axis" aria-hidden="true"><div class="track"><span class="now" .style=${at(0)}>${t("users.axis." + tense)}</span>${labels.map((sec) => html`<span .style=${at(sec)}>${duration(sec)}</span>`)}</div></div>
    <ol class="timeline">${candidates.map((c) => html`<li><details ?open=${c.key === asked.popup}>
      <summary>
        <span class="what"><b>${name(c.key)}</b> <span class=${c.eligible ? "good" : "muted"}>${c.eligible ? t("users.wins") : reasonText(c.blocked_by ?? "")}</span></span>
        <span class="track ${Number.isFinite(after(c)) ? "" : "never"}" aria-hidden="true">${marks.map((sec) => html`<i class="tick" .style=${at(sec)}></i>`)}${Number.isFinite(after(c)) ? html`<i class="dot ${c.eligible ? "won" : ""}" .style=${at(after(c))}></i>` : ""}</span>
        <span class="when">${whenOf(c, now, tense)}</span>
      </summary>
      ${more(c)}
    </details></li>`)}</ol>`;
}

/** @param {import("./explain.js").Candidate} c @param {number} now @param {"now" | "then"} tense */
function whenOf(c, now, tense) {
  if (c.eligible) return t("users.axis." + tense);
  if (c.eligible_at === null) return html`<span class="muted">${t("users.when.never")}</span>`;
  if (Date.parse(c.eligible_at) <= now) return html`<span class="muted">${t("users.alone." + tense)}</span>`;
  return html`${dateTime(c.eligible_at)} <span class="muted">${ago(c.eligible_at)}</span>`;
}
