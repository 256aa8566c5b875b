// A field for several short texts, such as tags.
import { html, nothing } from "lit/html.js";
import { t } from "./i18n.js";

/**
 * Enter adds what was typed; leaving the field does, too.
 * @param {object} f
 * @param {string} f.label
 * @param {string} f.name
 * @param {string[]} f.tags
 * @param {string[]} [f.known] to choose from
 * @param {string} [f.hint]
 * @param {string} [f.error]
 * @param {string[]} [f.warnings]
 * @param {(tags: string[]) => void} f.input
 */
export function tagField({ label, name, tags, known, hint, error, warnings, input }) {
  const add = (/** @type {HTMLInputElement} */ box) => {
    const tag = box.value.trim();
    box.value = "";
    if (tag !== "" && !tags.includes(tag)) input([...tags, tag]);
  };
  const key = (/** @type {KeyboardEvent} */ event) => {
    const box = /** @type {HTMLInputElement} */ (event.target);
    if (event.key === "Enter" && !event.isComposing) {
      event.preventDefault();
      add(box);
    } else if (event.key === "Backspace" && box.value === "" && tags.length > 0) {
      input(tags.slice(0, -1));
    }
  };
  return html`<div class="field">
    <label for=${name}>${label}</label>
    <div class="tagbox">
      ${tags.map((tag) => html`<span class="tag">${tag}<button type="button" class="quiet" aria-label=${t("tags.remove", { tag })} @click=${() => input(tags.filter((other) => other !== tag))}>×</button></span>`)}
      <input id=${name} list="${name}-known" autocomplete="off" maxlength="64" aria-invalid=${error ? "true" : nothing} aria-describedby="${name}-hint" @keydown=${key} @change=${(/** @type {Event} */ event) => add(/** @type {HTMLInputElement} */ (event.target))}>
      <datalist id="${name}-known">${(known ?? []).filter((tag) => !tags.includes(tag)).map((tag) => html`<option value=${tag}></option>`)}</datalist>
    </div>
    <p class="hint" id="${name}-hint">${hint ? hint + " " : ""}${t("tags.hint")}</p>
    ${error ? html`<p class="error">${error}</p>` : nothing}
    ${warnings?.length ? html`<ul class="warning">${warnings.map((text) => html`<li>${text}</li>`)}</ul>` : nothing}
  </div>`;
}
