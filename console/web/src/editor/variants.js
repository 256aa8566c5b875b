// The variants of a popup: who gets which, and what a change of that moves.
import { html, nothing, svg } from "lit/html.js";
import { percent, t } from "../i18n.js";
import { field, tick } from "../ui.js";
import { choiceOf, choose, text, variantsOf } from "./choice.js";

/** @typedef {import("./editor.js").Editor} Editor */
/** @typedef {import("./choice.js").Variant} Variant */

const most = 8;

/** @param {Editor} editor */
export function variantsSection(editor) {
  const variants = variantsOf(editor), shares = sharesOf(variants), { variant: chosen } = choiceOf(editor);
  const error = editor.error("/variants"), warnings = editor.warnings("/variants");
  return html`<section class="card" aria-labelledby="variants">
    <h2 id="variants">${t("variants.title")}</h2>
    <p class="muted">${t(variants.length > 1 ? "variants.text" : "variants.one")}</p>
    ${variants.length > 1 ? shareBar(variants, shares) : nothing}
    <div class="variants">${variants.map((variant, i) => row(editor, variant, i, shares[i], i === chosen))}</div>
    ${error ? html`<p class="wrong" id=${editor.id("/variants")} tabindex="-1">${error}</p>` : nothing}
    ${warnings.map((warning) => html`<p class="warning">${warning}</p>`)}
    ${moved(editor, variants)}
    ${editor.readonly ? nothing : html`<button type="button" ?disabled=${variants.length >= most} @click=${() => add(editor, { weight: 100, content: {}, .../** @type {Partial<Variant>} */ (variants[0]), control: false })}>${t("variants.add")}</button>
      ${variants.length >= most ? html`<span class="muted">${t("variants.most", { n: most })}</span>` : nothing}`}
  </section>`;
}

/** @param {Editor} editor @param {Variant} variant @param {number} i @param {number} share @param {boolean} isChosen */
function row(editor, variant, i, share, isChosen) {
  const at = "/variants/" + i, named = variant.key || String(i + 1), several = variantsOf(editor).length > 1;
  const common = (/** @type {string} */ name) => ({ label: t("variants." + name), name: editor.id(`${at}/${name}`), disabled: editor.readonly, error: editor.error(`${at}/${name}`), warnings: editor.warnings(`${at}/${name}`) });
  return html`<div class="variant" role="group" aria-label=${t("variants.named", { key: named })}>
    ${several ? html`<span class="swatch s${i}" aria-hidden="true"></span>` : nothing}
    ${field({ ...common("key"), value: text(variant.key), input: (value) => editor.set(at + "/key", value) })}
    ${field({ ...common("weight"), type: "number", min: 0, step: 1, value: editor.typed(at + "/weight", Number, String), input: (typed) => editor.type(at + "/weight", typed, Number(typed)) })}
    <p class="share"><span>${t("variants.share")}</span> <strong>${percent(share)}</strong></p>
    ${tick({ label: t("variants.control"), name: editor.id(at + "/control"), checked: variant.control === true, disabled: editor.readonly, input: (checked) => editor.set(at + "/control", checked) })}
    <div class="acts">
      ${several ? html`<button type="button" class="quiet" aria-pressed=${isChosen ? "true" : "false"} aria-label=${t("variants.edit.named", { key: named })} @click=${() => edit(editor, i)}>${t("variants.edit")}</button>` : nothing}
      ${editor.readonly ? nothing : html`
        <button type="button" class="quiet" ?disabled=${variantsOf(editor).length >= most} aria-label=${t("variants.duplicate.named", { key: named })} @click=${() => add(editor, variant)}>${t("variants.duplicate")}</button>
        ${several ? html`<button type="button" class="quiet" aria-label=${t("variants.remove.named", { key: named })} @click=${() => remove(editor, i)}>${t("variants.remove")}</button>` : nothing}`}
    </div>
    ${variant.control ? html`<p class="hint">${t("variants.control.hint")}</p>` : nothing}
  </div>`;
}

/** The part of the users that each variant gets. @param {Variant[]} variants @returns {number[]} */
function sharesOf(variants) {
  const weights = variants.map(({ weight }) => Number.isFinite(weight) && weight > 0 ? weight : 0);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => total > 0 ? weight / total : 0);
}

/** @param {Variant[]} variants @param {number[]} shares */
const shareBar = (variants, shares) => html`<svg class="shares" viewBox="0 0 1000 8" preserveAspectRatio="none" role="img" aria-label=${variants.map((variant, i) => `${variant.key}: ${percent(shares[i])}`).join(", ")}>
  ${shares.map((share, i) => drawShare(shares, share, i))}</svg>`;

/** @param {number[]} shares @param {number} share @param {number} i */
const drawShare = (shares, share, i) => svg`<rect class="s${i}" x=${shares.slice(0, i).reduce((sum, part) => sum + part, 0) * 1000} width=${Math.max(0, share * 1000 - (i < shares.length - 1 ? 3 : 0))} height="8"></rect>`;

/** Says how many users see another variant than what is saved now gives them: as few as can be. @param {Editor} editor @param {Variant[]} variants */
function moved(editor, variants) {
  /** @type {Variant[]} */
  const before = editor.saved?.variants ?? [];
  if (before.length === 0 || editor.status === "draft") return nothing; // nobody has a variant yet
  const was = new Map(sharesOf(before).map((share, i) => [before[i].key, share]));
  const gains = sharesOf(variants).reduce((sum, share, i) => sum + Math.max(0, share - (was.get(variants[i].key) ?? 0)), 0);
  return gains < 0.00005 ? nothing : html`<p class="notice">${t("variants.moved", { share: percent(gains) })}</p>`;
}

/** @param {Editor} editor @param {number} i */
function edit(editor, i) {
  choose(editor, { variant: i });
  document.getElementById(editor.id(`/variants/${i}/content/title`))?.focus();
}

/** Adds a variant after the last: with what another one says, so that there is something to change. @param {Editor} editor @param {Partial<Variant>} like */
function add(editor, like) {
  const variants = variantsOf(editor), keys = variants.map(({ key }) => key);
  const key = [..."abcdefghijklmnopqrstuvwxyz"].find((letter) => !keys.includes(letter)) ?? "";
  editor.set("/variants", [...variants, { ...like, key }]);
  choose(editor, { variant: variants.length });
  document.getElementById(editor.id(`/variants/${variants.length}/key`))?.focus();
}

/** @param {Editor} editor @param {number} i */
function remove(editor, i) {
  const { variant } = choiceOf(editor), left = variantsOf(editor).length - 1;
  editor.set("/variants/" + i, undefined);
  choose(editor, { variant: variant > i ? variant - 1 : variant });
  document.getElementById(editor.id(`/variants/${Math.min(i, left - 1)}/key`))?.focus();
}
