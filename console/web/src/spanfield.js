// The field of a span of time, with the exact seconds beside.
import { html, nothing } from "lit/html.js";
import { number, t } from "./i18n.js";
import { secondsOf, units } from "./span.js";

/** @typedef {import("./span.js").Span} Span */

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
