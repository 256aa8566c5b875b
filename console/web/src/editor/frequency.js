// How often a visitor sees it: a preset, and the exact waits that it stands for.
import { html, nothing } from "lit/html.js";
import { duration, load, t } from "../i18n.js";
import { field, tick } from "../ui.js";
import { never, presetOf, presets } from "./presets.js";

/** @typedef {import("./editor.js").Editor} Editor */

await load("frequency");

const longest = 315_360_000, mostHours = longest / 3600;

/** Editors in which "custom" was chosen though the waits are those of a preset. @type {WeakSet<Editor>} */
const custom = new WeakSet();

/** @param {Editor} editor */
export const frequencySection = (editor) => html`<section class="card frequency" aria-labelledby="frequency">
  <h2 id="frequency">${t("frequency.title")}</h2>
  ${presetChoice(editor)}
  <fieldset class="waits"><legend>${t("frequency.waits")}</legend>
    <p class="hint">${t("frequency.waits.hint")}</p>
    ${["after_impression_sec", "after_dismiss_sec", "after_click_sec"].map((name) => wait(editor, name))}
  </fieldset>
  <div class="fields">
    ${counted(editor, "max_impressions", 65535, (n) => n > 0 ? t("frequency.max.words", { n }) : t("frequency.max.none"))}
    ${counted(editor, "confirm_sec", 86400, (n) => n > 0 ? t("frequency.confirm.words", { time: duration(n) }) : t("frequency.confirm.none"))}
  </div>
  ${tick({ label: t("frequency.ignore_min_gap"), name: editor.id("/frequency/ignore_min_gap"), checked: editor.at("/frequency/ignore_min_gap"), disabled: editor.readonly, hint: t("frequency.ignore_min_gap.hint"), input: (checked) => editor.set("/frequency/ignore_min_gap", checked) })}
</section>`;

/** @param {Editor} editor */
function presetChoice(editor) {
  const found = presetOf(editor.at("/frequency")), name = custom.has(editor) ? "custom" : found.name, id = editor.id("/frequency/preset");
  const choose = (/** @type {string} */ preset, hours = found.hours) => {
    if (preset === "custom") {
      custom.add(editor);
      editor.update();
      return;
    }
    custom.delete(editor);
    editor.set("/frequency", { ...editor.at("/frequency"), ...presets[preset](hours) });
  };
  return html`<fieldset class="presets"><legend>${t("frequency.presets")}</legend>
    <div>${[...Object.keys(presets), "custom"].map((preset) => html`<label>
      <input type="radio" name=${id} value=${preset} .checked=${preset === name} ?disabled=${editor.readonly} @change=${() => choose(preset)}>
      <span><span class="name">${t("frequency." + preset)}</span> <span class="hint">${t(`frequency.${preset}.text`)}</span></span></label>`)}</div>
    ${name !== "hourly" ? nothing : field({ label: t("frequency.hourly.hours"), name: id + "-hours", type: "number", min: 1, max: mostHours, step: 1, value: String(found.hours), disabled: editor.readonly, input: (text) => {
      if (isWhole(text, 1, mostHours)) choose("hourly", Number(text));
    } })}
  </fieldset>`;
}

/** @param {string} text @param {number} least @param {number} most */
const isWhole = (text, least, most) => /^\d+$/.test(text) && Number(text) >= least && Number(text) <= most;

/** One wait: its seconds, what they are in words, or never again. @param {Editor} editor @param {string} name */
function wait(editor, name) {
  const pointer = "/frequency/" + name, id = editor.id(pointer), sec = editor.at(pointer), isNever = sec === never;
  const error = editor.error(pointer), warnings = editor.warnings(pointer);
  return html`<div class="wait">
    <label for=${id}>${t("frequency." + name)}</label>
    <div class="joined"><input id=${id} type="number" min="0" max=${longest} step="1" .value=${isNever ? "" : String(sec)} ?disabled=${editor.readonly || isNever} aria-invalid=${error ? "true" : nothing} aria-describedby="${id}-words"
      @input=${(/** @type {Event} */ event) => {
        const input = /** @type {HTMLInputElement} */ (event.target), ok = isWhole(input.value, 0, longest);
        input.setCustomValidity(ok ? "" : t("frequency.wrong"));
        if (ok) editor.set(pointer, Number(input.value));
      }} @change=${(/** @type {Event} */ event) => { if (!(/** @type {HTMLInputElement} */ (event.target).reportValidity())) { /** @type {HTMLInputElement} */ (event.target).value = String(sec); /** @type {HTMLInputElement} */ (event.target).setCustomValidity(""); } }}><span class="unit">${t("frequency.seconds")}</span></div>
    <label class="option"><input type="checkbox" .checked=${isNever} ?disabled=${editor.readonly} aria-label=${t("frequency.never.of", { wait: t("frequency." + name) })}
      @change=${(/** @type {Event} */ event) => editor.set(pointer, /** @type {HTMLInputElement} */ (event.target).checked ? never : 86400)}>${t("frequency.never")}</label>
    <span class="words" id="${id}-words">${isNever ? t("frequency.never.words") : sec === 0 ? t("frequency.again") : t("frequency.in", { time: duration(sec) })}
      ${error ? html`<span class="error">${error}</span>` : nothing}${warnings.map((text) => html`<span class="warning">${text}</span>`)}</span>
  </div>`;
}

/** A number of the frequency. @param {Editor} editor @param {string} name @param {number} most @param {(n: number) => string} words */
function counted(editor, name, most, words) {
  const pointer = "/frequency/" + name;
  return field({
    label: t("frequency." + name), name: editor.id(pointer), type: "number", min: 0, max: most, step: 1, disabled: editor.readonly, hint: words(Number(editor.at(pointer))), error: editor.error(pointer), warnings: editor.warnings(pointer),
    value: editor.typed(pointer, Number, String), input: (text) => editor.type(pointer, text, Number(text)),
  });
}
