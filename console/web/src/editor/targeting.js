// Who sees it: groups of conditions, as rows. Rules of audiences are the same.
import { html, nothing } from "lit/html.js";
import { operatorName } from "../conditions.js";
import { load, t } from "../i18n.js";
import { builtins, isNumeric, operatorsFor, takesIgnoreCase, takesNumbers, withAttribute, withOperator, wrong } from "../operators.js";
import { fitLine } from "./fit.js";
import { knownOf, learn } from "./known.js";
import { valueField } from "./value.js";

/** @typedef {import("./known.js").Form} Form @typedef {import("./known.js").Known} Known @typedef {import("../operators.js").Condition} Condition */

await load("targeting");

/** How many conditions there may be. */
const most = 64;

/** @param {import("./editor.js").Editor} editor */
export const targetingSection = (editor) => html`<section class="card" aria-labelledby="targeting">
  <h2 id="targeting">${t("targeting.title")}</h2>
  ${conditionRows(editor, "/targeting")}
</section>`;

/**
 * The conditions of a targeting, to be edited, with how many of the sampled polls fit.
 * @param {Form} form @param {string} pointer to an object with all, any and none
 */
export function conditionRows(form, pointer) {
  const known = knownOf(form), { all, any, none } = form.at(pointer), count = all.length + any.length + none.length;
  if ([...all, ...any, ...none].some(({ attr }) => attr === "audience")) learn(form);
  return html`<div class="targeting" @focusin=${() => learn(form)}>
    ${attributeList(form, pointer, known)}
    ${form.error(pointer) ? html`<p class="error" id=${form.id(pointer)} tabindex="-1">${form.error(pointer)}</p>` : nothing}
    ${count === 0 ? html`<p class="everybody">${t("targeting.everybody")}</p>` : nothing}
    ${["all", "any", "none"].map((group) => conditionGroup(form, pointer, group, known, count))}
    ${fitLine(form, pointer)}
  </div>`;
}

/** @param {Form} form @param {string} pointer @param {Known} known */
function attributeList(form, pointer, known) {
  const own = [...known.values.keys()].filter((attr) => !Object.hasOwn(builtins, attr)).sort();
  return html`<datalist id="${form.id(pointer)}-attributes">
    ${Object.keys(builtins).map((attr) => html`<option value=${attr}>${t("targeting.attr." + attr)}</option>`)}
    ${own.map((attr) => html`<option value=${attr}></option>`)}
  </datalist>`;
}

/** @param {Form} form @param {string} pointer @param {string} group @param {Known} known @param {number} count of all conditions */
function conditionGroup(form, pointer, group, known, count) {
  const at = `${pointer}/${group}`, conditions = /** @type {Condition[]} */ (form.at(at)), id = form.id(at);
  const add = () => {
    learn(form);
    form.set(at, [...conditions, { attr: "", op: "in", value: [] }]);
    document.getElementById(form.id(`${at}/${conditions.length}/attr`))?.focus();
  };
  const remove = (/** @type {number} */ i) => {
    form.set(at, conditions.toSpliced(i, 1));
    document.getElementById(conditions.length > 1 ? form.id(`${at}/${Math.min(i, conditions.length - 2)}/attr`) : id + "-add")?.focus();
  };
  return html`<fieldset class="conditions" id=${id} tabindex="-1">
    <legend>${t("targeting." + group)}</legend>
    <p class="hint">${t(`targeting.${group}.hint`)}</p>
    ${conditions.length === 0 ? nothing : html`<div class="rows">${conditions.map((condition, i) => row(form, pointer, `${at}/${i}`, condition, known, t("targeting.condition", { n: i + 1 }), () => remove(i)))}</div>`}
    ${notesOf(form, at)}
    ${form.readonly ? nothing : html`<button type="button" class="add" id=${id + "-add"} ?disabled=${count >= most} @click=${add}>${t("targeting.add")}<span class="hidden">: ${t("targeting." + group)}</span></button>`}
  </fieldset>`;
}

/** @param {Form} form @param {string} pointer @param {string} at @param {Condition} condition @param {Known} known @param {string} name @param {() => void} remove */
function row(form, pointer, at, condition, known, name, remove) {
  const set = (/** @type {Condition} */ next) => form.set(at, next), { attr, op } = condition, attrID = form.id(at + "/attr"), opID = form.id(at + "/op"), notesID = form.id(at) + "-notes";
  const named = (/** @type {string} */ what) => t("targeting.field", { condition: name, what: t("targeting." + what) });
  const errors = form.errorsBelow(at).map(({ detail }) => detail);
  const own = checks(condition, known);
  const notes = { describedby: errors.length + own.length + form.warnings(at).length > 0 ? notesID : "", invalid: errors.length > 0 };
  return html`<div class="condition" role="group" aria-label=${name}>
    <div class="field"><label class="hidden" for=${attrID}>${named("attribute")}</label>
      <input id=${attrID} list="${form.id(pointer)}-attributes" .value=${attr} placeholder=${t("targeting.attribute")} autocomplete="off" autocapitalize="off" spellcheck="false" maxlength="64" ?disabled=${form.readonly} aria-invalid=${form.error(at + "/attr") ? "true" : nothing} aria-describedby="${attrID}-hint"
        @input=${(/** @type {Event} */ event) => set(withAttribute(condition, /** @type {HTMLInputElement} */ (event.target).value))}>
      <p class="hint" id="${attrID}-hint">${attr === "" ? nothing : Object.hasOwn(builtins, attr) ? t("targeting.attr." + attr) : t("targeting.attr.own", { name: attr })}</p></div>
    <div class="field"><label class="hidden" for=${opID}>${named("operator")}</label>
      <select id=${opID} ?disabled=${form.readonly} @change=${(/** @type {Event} */ event) => set(withOperator(condition, /** @type {HTMLSelectElement} */ (event.target).value))}>
        ${operatorsFor(condition).map(([group, ops]) => html`<optgroup label=${t("targeting.group." + group)}>${ops.map((one) => html`<option value=${one} ?selected=${one === op} .selected=${one === op}>${operatorName(one)}</option>`)}</optgroup>`)}
      </select></div>
    <div class="value">${valueField(form, at + "/value", condition, known, { ...notes, label: named("value") })} ${options(form, at, condition)}</div>
    ${form.readonly ? nothing : html`<button type="button" class="quiet remove" aria-label=${t("targeting.remove", { name })} @click=${remove}>×</button>`}
    <div class="notes" id=${notesID}>
      ${errors.map((text) => html`<p class="error">${text}</p>`)}
      ${errors.length > 0 ? nothing : own.map((text) => html`<p class="error check">${text}</p>`)}
      ${warningsBelow(form, at).map((text) => html`<p class="warning">${text}</p>`)}
    </div>
  </div>`;
}

/** What the page itself knows to be wrong; what is not typed yet is not. @param {Condition} condition @param {Known} known */
function checks(condition, known) {
  const code = wrong(condition), { audiences } = known;
  const texts = code === "" || code === "empty" || code === "none" ? [] : [t("targeting.wrong." + code)];
  if (condition.attr === "audience" && audiences !== null && Array.isArray(condition.value)) {
    texts.push(...condition.value.filter((key) => !audiences.some((audience) => audience.key === key)).map((key) => t("targeting.audience.unknown", { key })));
  }
  return texts;
}

/** Letter case and numbers, where values can be compared otherwise. @param {Form} form @param {string} at @param {Condition} condition */
function options(form, at, condition) {
  const { attr, op, value, ignore_case } = condition, values = [value ?? []].flat(), caseID = form.id(at + "/ignore_case");
  const hasLetters = takesIgnoreCase(op) && attr !== "audience" && (ignore_case || values.some((one) => typeof one === "string" && one.toLowerCase() !== one.toUpperCase()));
  const areNumbers = takesNumbers(op) && attr !== "audience" && values.length > 0 && values.every((one) => typeof one === "number" || typeof one === "string" && isNumeric(one));
  const change = (/** @type {boolean} */ checked) => {
    const next = values.map((one) => checked ? Number(one) : String(one));
    form.set(at + "/value", Array.isArray(value) ? next : next[0]);
  };
  return html`
    ${hasLetters ? html`<label class="option"><input type="checkbox" id=${caseID} .checked=${ignore_case ?? false} ?disabled=${form.readonly} @change=${(/** @type {Event} */ event) => form.set(at + "/ignore_case", /** @type {HTMLInputElement} */ (event.target).checked || undefined)}>${t("targeting.case")}</label>` : nothing}
    ${areNumbers ? html`<label class="option"><input type="checkbox" .checked=${values.every((one) => typeof one === "number")} ?disabled=${form.readonly} @change=${(/** @type {Event} */ event) => change(/** @type {HTMLInputElement} */ (event.target).checked)}>${t("targeting.numbers")}</label>` : nothing}`;
}

/** @param {Form} form @param {string} at */
const warningsBelow = (form, at) => ["", "/attr", "/op", "/value", "/ignore_case", ...[form.at(at)?.value ?? []].flat().map((_, /** @type {number} */ i) => "/value/" + i)].flatMap((below) => form.warnings(at + below));

/** @param {Form} form @param {string} at */
const notesOf = (form, at) => html`
  ${form.error(at) ? html`<p class="error">${form.error(at)}</p>` : nothing}
  ${form.warnings(at).map((text) => html`<p class="warning">${text}</p>`)}`;
