// Spans of time as an operator enters them: a number and its unit, with the exact seconds beside.
import { html, nothing } from "lit/html.js";
import { number, t } from "./i18n.js";

/** @typedef {{amount: string, unit: string}} Span */

/** @type {[string, number][]} */
const units = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];

/** A span in the largest unit that divides it. @param {number} sec @returns {Span} */
export function spanOf(sec) {
  const [unit, size] = units.find(([, size]) => sec >= size && sec % size === 0) ?? units[1];
  return { amount: String(sec / size), unit };
}

/** Its seconds, NaN if it is none. @param {Span} span */
export const secondsOf = ({ amount, unit }) => amount.trim() === "" ? NaN : Number(amount) * /** @type {[string, number]} */ (units.find(([name]) => name === unit))[1];

/**
 * @param {object} f
 * @param {string} f.label
 * @param {string} f.name
 * @param {Span} f.span
 * @param {string} [f.hint]
 * @param {string} [f.error]
 * @param {(span: Span) => void} f.input at each change
 */
export function spanField({ label, name, span, hint, error, input }) {
  const sec = secondsOf(span);
  const value = (/** @type {Event} */ event) => /** @type {HTMLInputElement} */ (event.target).value;
  return html`<div class="field">
    <label for=${name}>${label}</label>
    <div class="span">
      <input id=${name} name=${name} type="number" min="0" step="any" inputmode="decimal" autocomplete="off" .value=${span.amount} aria-invalid=${error ? "true" : nothing} aria-describedby="${name}-sec${hint ? ` ${name}-hint` : ""}${error ? ` ${name}-error` : ""}"
        @input=${(/** @type {Event} */ event) => input({ ...span, amount: value(event) })}>
      <select aria-label=${t("span.unit", { label })} .value=${span.unit} @change=${(/** @type {Event} */ event) => input({ ...span, unit: value(event) })}>
        ${units.map(([unit]) => html`<option value=${unit} ?selected=${unit === span.unit}>${t("span." + unit)}</option>`)}</select>
      <span class="exact" id="${name}-sec">${Number.isFinite(sec) ? t("span.exact", { n: number(sec) }) : ""}</span>
    </div>
    ${hint ? html`<p class="hint" id="${name}-hint">${hint}</p>` : nothing}
    ${error ? html`<p class="error" id="${name}-error">${error}</p>` : nothing}
  </div>`;
}
