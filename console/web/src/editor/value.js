// The value of a condition: a field for each kind.
import { html, nothing } from "lit/html.js";
import { chipsField } from "../chips.js";
import { dateTimeIn, t } from "../i18n.js";
import { isAge, isNumeric, kindOf, numberIn } from "../operators.js";
import { ownZone, readWall, writeTime, writeWall } from "../zones.js";

/** @typedef {import("./known.js").Form} Form @typedef {import("./known.js").Known} Known @typedef {import("../operators.js").Condition} Condition */

/** @param {Event} event */
const textOf = (event) => /** @type {HTMLInputElement} */ (event.target).value;

/**
 * @param {Form} form @param {string} pointer of the value @param {Condition} condition @param {Known} known
 * @param {{label: string, describedby: string, invalid: boolean}} notes
 */
export function valueField(form, pointer, condition, known, notes) {
  const { attr, op, value } = condition, kind = kindOf(op), id = form.id(pointer), disabled = form.readonly;
  const set = (/** @type {any} */ next) => form.set(pointer, next);
  const common = { name: id, disabled, bare: true, ...notes };
  if (kind === "none") return nothing;
  if (attr === "audience") return chipsField({ ...common, values: list(value), known: audiences(known), placeholder: t("targeting.audience.add"), input: set });
  const inUse = [...known.values.get(attr) ?? []].map((text) => ({ value: text }));
  switch (kind) {
    case "list": return chipsField({ ...common, values: list(value), known: suggestions(attr, inUse), placeholder: t("targeting.values.add"), input: (values) => set(list(value).length > 0 && list(value).every((one) => typeof one === "number") ? values.map(numeric) : values) });
    case "networks": return chipsField({ ...common, values: list(value), placeholder: "203.0.113.0/24", input: set });
    case "number": return box({ ...common, value, inputmode: "decimal", input: (text) => set(numberIn(text)), change: (text) => set(numeric(text)) });
    case "version": return box({ ...common, value, placeholder: "3.2.1", input: set });
    case "pattern": return box({ ...common, value, placeholder: "^/product/[0-9]+$", mono: true, input: set });
    case "time": return timeField(common, value, set);
    case "age": return isAge(value) ? ageField(common, value, set) : box({ ...common, value, placeholder: "7d", input: set });
  }
  return box({ ...common, value, known: suggestions(attr, inUse), input: (text) => set(typeof value === "number" ? numberIn(text) : text) });
}

/** @param {any} value @returns {any[]} */
const list = (value) => [value ?? []].flat();

/** @param {string | number | boolean} value */
const numeric = (value) => typeof value === "string" && isNumeric(value) ? Number(value) : value;

/** @param {string} attr @param {{value: string}[]} inUse */
const suggestions = (attr, inUse) => inUse.length > 0 ? inUse : attr === "platform" ? ["ios", "android", "web"].map((value) => ({ value })) : [];

/** @param {Known} known */
const audiences = (known) => (known.audiences ?? []).map(({ key, kind, members }) => ({ value: key, text: kind === "list" ? t("targeting.audience.list", { n: members }) : t("targeting.audience.rule") }));

/**
 * @param {{label: string, name: string, disabled: boolean, describedby: string, invalid: boolean, value: any, known?: {value: string}[], placeholder?: string, inputmode?: string, mono?: boolean,
 *   input: (text: string) => void, change?: (text: string) => void}} b
 */
const box = (b) => html`<div class="field">
  <label class="hidden" for=${b.name}>${b.label}</label>
  <input id=${b.name} class=${b.mono ? "mono" : ""} .value=${String(b.value ?? "")} autocomplete="off" spellcheck="false" placeholder=${b.placeholder ?? nothing} inputmode=${/** @type {any} */ (b.inputmode ?? nothing)} list=${b.known?.length ? b.name + "-known" : nothing}
    ?disabled=${b.disabled} aria-invalid=${b.invalid ? "true" : nothing} aria-describedby=${b.describedby || nothing} @input=${(/** @type {Event} */ event) => b.input(textOf(event))} @change=${(/** @type {Event} */ event) => b.change?.(textOf(event))}>
  ${b.known?.length ? html`<datalist id="${b.name}-known">${b.known.map(({ value }) => html`<option value=${value}></option>`)}</datalist>` : nothing}
</div>`;

/** @typedef {{label: string, name: string, disabled: boolean, describedby: string, invalid: boolean}} Common */

/** A moment by the clocks of UTC, as the API has dates. @param {Common} common @param {any} value @param {(value: string) => void} set */
function timeField({ label, name, disabled, describedby, invalid }, value, set) {
  const at = typeof value === "string" ? Date.parse(value) : NaN;
  return html`<div class="field">
    <label class="hidden" for=${name}>${label}</label>
    <div class="joined"><input id=${name} type="datetime-local" max="9999-12-31T23:59" .value=${Number.isNaN(at) ? "" : writeWall(at)} ?disabled=${disabled} aria-invalid=${invalid ? "true" : nothing} aria-describedby="${name}-own ${describedby}"
      @input=${(/** @type {Event} */ event) => {
        const input = /** @type {HTMLInputElement} */ (event.target), wall = readWall(input.value);
        if (!input.validity.badInput) set(Number.isNaN(wall) ? "" : wall % 86_400_000 === 0 ? writeTime(wall).slice(0, 10) : writeTime(wall));
      }}><span class="unit">UTC</span></div>
    <p class="hint" id="${name}-own">${Number.isNaN(at) || ownZone() === "UTC" ? nothing : t("targeting.time.own", { time: dateTimeIn(at, ownZone()) })}</p>
  </div>`;
}

/** @param {Common} common @param {string} value @param {(value: string) => void} set */
function ageField({ label, name, disabled, describedby, invalid }, value, set) {
  const amount = value.slice(0, -1), unit = value.at(-1);
  return html`<div class="field">
    <label class="hidden" for=${name}>${label}</label>
    <div class="joined"><input id=${name} type="number" min="0" step="1" .value=${amount} ?disabled=${disabled} aria-invalid=${invalid ? "true" : nothing} aria-describedby=${describedby || nothing}
        @input=${(/** @type {Event} */ event) => { const text = textOf(event); if (/^\d{1,11}$/.test(text)) set(text + unit); }} @change=${(/** @type {Event} */ event) => { /** @type {HTMLInputElement} */ (event.target).value = amount; }}>
      <select aria-label=${t("targeting.unit")} ?disabled=${disabled} @change=${(/** @type {Event} */ event) => set(amount + textOf(event))}>
        ${["s", "m", "h", "d", "w"].map((one) => html`<option value=${one} ?selected=${one === unit}>${t("targeting.unit." + one)}</option>`)}</select></div>
  </div>`;
}
