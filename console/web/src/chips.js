// A field for several short values: what was added stands in it and can be taken out again.
import { html, nothing } from "lit/html.js";
import { load, t } from "./i18n.js";

await load("chips");

/**
 * Enter adds what was typed, and so does leaving the field; of what is pasted each line, or
 * else each word between commas.
 * @template {string | number | boolean} T
 * @param {object} f
 * @param {string} f.label
 * @param {string} f.name also the id of its input
 * @param {T[]} f.values
 * @param {{value: string, text?: string}[]} [f.known] to choose from
 * @param {string} [f.hint]
 * @param {string} [f.describedby] ids of what else is said of it
 * @param {boolean} [f.invalid]
 * @param {boolean} [f.disabled]
 * @param {boolean} [f.bare] the label is for screen readers alone
 * @param {string} [f.placeholder]
 * @param {(values: (T | string)[]) => void} f.input
 */
export function chipsField({ label, name, values, known = [], hint, describedby, invalid, disabled, bare, placeholder, input }) {
  const add = (/** @type {string[]} */ texts) => {
    const more = [...new Set(texts.map((text) => text.trim()))].filter((text) => text !== "" && !values.some((value) => String(value) === text));
    if (more.length > 0) input([...values, ...more]);
  };
  const take = (/** @type {HTMLInputElement} */ box) => {
    const text = box.value;
    box.value = "";
    add([text]);
  };
  const remove = (/** @type {number} */ i) => {
    input(values.toSpliced(i, 1));
    document.getElementById(name)?.focus();
  };
  const key = (/** @type {KeyboardEvent} */ event) => {
    const box = /** @type {HTMLInputElement} */ (event.target);
    if (event.isComposing) return;
    if (event.key === "Enter" && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      take(box);
    } else if (event.key === "Backspace" && box.value === "" && values.length > 0) remove(values.length - 1);
  };
  const paste = (/** @type {ClipboardEvent} */ event) => {
    const text = event.clipboardData?.getData("text") ?? "", texts = text.split(/[\n\r\t]+/.test(text.trim()) ? /[\n\r\t]+/ : ",");
    if (texts.length < 2) return;
    event.preventDefault();
    add(texts);
  };
  const ids = [hint && name + "-hint", describedby].filter(Boolean).join(" ") || nothing;
  return html`<div class="field">
    <label for=${name} class=${bare ? "hidden" : ""}>${label}</label>
    <div class="chips" data-disabled=${disabled ? "" : nothing}>
      ${values.map((value, i) => html`<span class="chip"><span class="text">${String(value)}</span>${disabled ? nothing : html`<button type="button" aria-label=${t("chips.remove", { value: String(value) })} @click=${() => remove(i)}>×</button>`}</span>`)}
      <input id=${name} list=${known.length > 0 ? name + "-known" : nothing} autocomplete="off" placeholder=${values.length === 0 && placeholder ? placeholder : nothing} ?disabled=${disabled} aria-invalid=${invalid ? "true" : nothing} aria-describedby=${ids}
        @keydown=${key} @paste=${paste} @change=${(/** @type {Event} */ event) => take(/** @type {HTMLInputElement} */ (event.target))}>
      ${known.length === 0 ? nothing : html`<datalist id="${name}-known">${known.filter(({ value }) => !values.some((own) => String(own) === value)).map(({ value, text }) => html`<option value=${value}>${text ?? nothing}</option>`)}</datalist>`}
    </div>
    ${hint ? html`<p class="hint" id="${name}-hint">${hint}</p>` : nothing}
  </div>`;
}
