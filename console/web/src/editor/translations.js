// The translations of the variant that is chosen, side by side with its content.
import { html, nothing } from "lit/html.js";
import { t } from "../i18n.js";
import { confirmDialog, field } from "../ui.js";
import { choiceOf, choose, record, text, translationsOf, variantsOf } from "./choice.js";
import { addressWarnings, imageOf, named, others, withImage } from "./content.js";
import { directionOf, languageName, readTag } from "./locale.js";

/** @typedef {import("./editor.js").Editor} Editor */

const most = 64;
const texts = ["title", "body", "cta", "dismiss", "label", "link"];
const suggested = ["ar", "de", "en", "es", "fa", "fr", "he", "hi", "id", "it", "ja", "ko", "nl", "pl", "pt-BR", "ru", "th", "tr", "uk", "vi", "zh-Hans", "zh-Hant"];

/** What was typed as the next language, and what is wrong with it. @type {WeakMap<Editor, {typed: string, error: string}>} */
const next = new WeakMap();

/** @param {Editor} editor */
export function translationsSection(editor) {
  const { variant, tag } = choiceOf(editor), variants = variantsOf(editor), tags = Object.keys(translationsOf(editor, variant));
  if (variants.length === 0) return nothing;
  const shown = tag || tags[0], error = editor.error(`/variants/${variant}/translations`);
  return html`<section class="card" aria-labelledby="translations">
    <h2 id="translations">${variants.length > 1 ? t("translations.title.of", { key: variants[variant]?.key ?? "" }) : t("translations.title")}</h2>
    <p class="muted">${t(tags.length === 0 ? "translations.none" : "translations.text")}</p>
    ${tags.length === 0 ? nothing : html`<div class="pick" role="group" aria-label=${t("translations.choose")}>${tags.map((each) => html`
      <button type="button" aria-pressed=${each === shown ? "true" : "false"} @click=${() => choose(editor, { tag: each })}>${languageName(each)} <code>${each}</code>
        ${editor.errorsBelow(pointer(variant, each)).length > 0 ? html` <span class="mistakes">${t("content.wrong", { n: editor.errorsBelow(pointer(variant, each)).length })}</span>` : nothing}</button>`)}</div>
      ${sides(editor, variant, shown)}`}
    ${error ? html`<p class="wrong">${error}</p>` : nothing}
    ${editor.readonly || tags.length >= most ? nothing : adder(editor, variant, tags)}
  </section>`;
}

/** @param {number} variant @param {string} tag */
const pointer = (variant, tag) => `/variants/${variant}/translations/${tag.replaceAll("~", "~0").replaceAll("/", "~1")}`;

/** A translation beside the content. @param {Editor} editor @param {number} variant @param {string} tag */
function sides(editor, variant, tag) {
  const content = record(editor.at(`/variants/${variant}/content`)), at = pointer(variant, tag), given = record(editor.at(at));
  const language = languageName(tag), missing = [...texts, "image"].filter((name) => filled(content[name]) && !Object.hasOwn(given, name));
  const error = editor.error(at);
  return html`<div class="translation">
    ${error ? html`<p class="wrong" id=${editor.id(at)} tabindex="-1">${error}</p>` : nothing}
    <div class="sides head" aria-hidden="true"><span>${t("translations.content")}</span><span>${language}</span></div>
    ${texts.map((name) => side(editor, at, name, content, given, tag))}
    ${imageSides(editor, at, content, given, tag)}
    ${direction(editor, at, given, tag)}
    ${others(given, [...texts, "image", "dir"])}
    <p class="muted">${missing.length === 0 ? t("translations.whole") : t("translations.missing", { fields: named(missing) })}</p>
    ${editor.readonly ? nothing : html`<button type="button" class="quiet" @click=${() => remove(editor, variant, tag)}>${t("translations.remove", { language })}</button>`}
  </div>`;
}

/** Whether content says something there. @param {unknown} value */
const filled = (value) => typeof value === "string" ? value !== "" : imageOf(value).src !== "";

/** What is shown where the translation says nothing: that of the content. @param {unknown} given @param {string} base */
const unsaid = (given, base) => given === "" ? t("translations.empty") : given !== undefined || base === "" ? "" : t("translations.falls");

/** @param {string} label @param {string} value @param {import("../ui.js").Part} input */
const pair = (label, value, input) => html`<div class="sides"><div class="base"><span class="name">${label}</span><p>${value || "–"}</p></div>${input}</div>`;

/**
 * A member of the content, and its field.
 * @param {Editor} editor @param {string} at @param {string} name @param {Record<string, any>} content @param {Record<string, any>} given @param {string} tag
 */
function side(editor, at, name, content, given, tag) {
  const base = text(content[name]), where = `${at}/${name}`;
  if (base === "" && !Object.hasOwn(given, name)) return nothing;
  return pair(t("content." + name), base, field({
    lang: tag, dir: name === "link" ? "ltr" : text(given.dir) || directionOf(tag), label: t("translations.label", { field: t("content." + name), language: languageName(tag) }), bare: true, name: editor.id(where), value: text(given[name]), placeholder: base,
    rows: name === "body" ? 3 : undefined, hint: unsaid(given[name], base), disabled: editor.readonly, error: editor.error(where),
    warnings: [...(name === "link" ? addressWarnings(given.link) : []), ...editor.warnings(where)], input: (value) => editor.set(where, value || undefined),
  }));
}

/** The image and its description, which are translated together. @param {Editor} editor @param {string} at @param {Record<string, any>} content @param {Record<string, any>} given @param {string} tag */
function imageSides(editor, at, content, given, tag) {
  const base = imageOf(content.image), own = imageOf(given.image), where = at + "/image";
  if (base.src === "" && given.image === undefined) return nothing;
  const write = (/** @type {Record<string, unknown>} */ change) => {
    const image = withImage(given.image ?? content.image, change), { src, alt } = imageOf(image);
    editor.set(where, src === "" || src === base.src && alt === base.alt ? undefined : image);
  };
  const input = (/** @type {"src" | "alt"} */ part, /** @type {string} */ label, /** @type {string[]} */ warnings) => field({
    lang: tag, dir: part === "src" ? "ltr" : text(given.dir) || directionOf(tag), label: t("translations.label", { field: label, language: languageName(tag) }), bare: true, name: editor.id(part === "src" ? where : where + "/alt"), value: own[part] === base[part] ? "" : own[part],
    placeholder: base[part], hint: unsaid(own[part] === base[part] || own[part] === "" ? undefined : own[part], base[part]), disabled: editor.readonly, warnings,
    error: part === "src" ? [editor.error(where), editor.error(where + "/src")].filter(Boolean).join(" ") : "",
    input: (value) => write({ [part]: value || base[part] || undefined }),
  });
  return html`
    ${pair(t("content.image"), base.src, input("src", t("content.image"), [...addressWarnings(own.src), ...editor.warnings(where), ...editor.warnings(where + "/src")]))}
    ${pair(t("content.image.alt"), base.alt, input("alt", t("content.image.alt"), []))}`;
}

/** @param {Editor} editor @param {string} at @param {Record<string, any>} given @param {string} tag */
function direction(editor, at, given, tag) {
  const written = directionOf(tag), base = text(record(editor.at(at.replace(/\/translations\/.*/, "/content"))).dir);
  const effective = text(given.dir) || base;
  const wrong = effective === "" ? "" : effective === written ? "" : t("translations.dir." + written, { language: languageName(tag) });
  return html`<div class="sides"><div class="base"><span class="name">${t("content.dir")}</span><p>${base ? t("content.dir." + base) : t("content.dir.page")}</p></div>
    ${field({
      label: t("translations.label", { field: t("content.dir"), language: languageName(tag) }), bare: true, name: editor.id(at + "/dir"), value: text(given.dir), disabled: editor.readonly,
      warnings: wrong ? [wrong] : [], input: (value) => editor.set(at + "/dir", value || undefined),
      options: [{ value: "", text: t("translations.dir.same") }, { value: "ltr", text: t("content.dir.ltr") }, { value: "rtl", text: t("content.dir.rtl") }],
    })}</div>`;
}

/** @param {Editor} editor @param {number} variant @param {string[]} tags */
function adder(editor, variant, tags) {
  const { typed, error } = next.get(editor) ?? { typed: "", error: "" };
  const add = (/** @type {Event} */ event) => {
    event.preventDefault();
    const read = readTag(typed, tags);
    next.set(editor, read.error ? { typed, error: read.error } : { typed: "", error: "" });
    if (read.error) return editor.update();
    editor.set(pointer(variant, read.tag), directionOf(read.tag) === "rtl" ? { dir: "rtl" } : {});
    choose(editor, { tag: read.tag });
    document.getElementById(editor.id(pointer(variant, read.tag) + "/title"))?.focus();
  };
  return html`<form class="adder" novalidate @submit=${add}>
    ${field({ label: t("translations.add.label"), name: "translation-tag", value: typed, error, hint: t("translations.add.hint"), list: "translation-tags", input: (value) => { next.set(editor, { typed: value, error: "" }); editor.update(); } })}
    <datalist id="translation-tags">${suggested.filter((tag) => !tags.includes(tag)).map((tag) => html`<option value=${tag}>${languageName(tag)}</option>`)}</datalist>
    <button>${t("translations.add")}</button>
  </form>`;
}

/** @param {Editor} editor @param {number} variant @param {string} tag */
async function remove(editor, variant, tag) {
  const language = languageName(tag), isEmpty = Object.keys(record(editor.at(pointer(variant, tag)))).every((name) => name === "dir");
  if (!isEmpty && !await confirmDialog({ name: t("translations.remove", { language }), text: t("translations.remove.text", { language }), action: t("translations.remove", { language }), danger: true })) return;
  editor.set(pointer(variant, tag), undefined);
  choose(editor, { tag: "" });
  document.getElementById("translation-tag")?.focus();
}
