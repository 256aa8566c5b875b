// What a popup says and looks like: the fields of the variant that is chosen.
import { html, nothing } from "lit/html.js";
import { list, t } from "../i18n.js";
import { field } from "../ui.js";
import { choiceOf, choose, record, text, variantsOf } from "./choice.js";

/** @typedef {import("./editor.js").Editor} Editor */

/** Members of content that the SDK shows. */
const shown = ["kind", "position", "title", "body", "label", "image", "link", "cta", "dismiss", "dir", "theme"];

const kinds = ["modal", "banner", "toast", "inline"];
const positions = ["top", "center", "bottom"].flatMap((row) => ["start", "center", "end"].map((side) => row + "-" + side));

/** @param {Editor} editor */
export function contentSection(editor) {
  const { variant } = choiceOf(editor), variants = variantsOf(editor);
  const at = `/variants/${variant}/content`, content = record(editor.at(at));
  if (variants.length === 0) return nothing; // as in JSON that is being typed
  return html`<section class="card content" aria-labelledby="content">
    <h2 id="content">${t("content.heading")}</h2>
    ${variants.length > 1 ? chooser(editor) : nothing}
    ${variants[variant]?.control ? html`<p class="notice">${t("content.control")}</p>` : nothing}
    ${lookFields(editor, at, content)}
    ${textField(editor, at, "title", { required: true })}
    ${textField(editor, at, "body", { rows: 3 })}
    <div class="fields">
      ${textField(editor, at, "link", { hint: t("content.link.hint"), warnings: [...addressWarnings(content.link), ...editor.warnings(at + "/link")], placeholder: "https://" })}
      ${textField(editor, at, "cta", { hint: t(content.link ? "content.cta.link" : "content.cta.hint") })}
    </div>
    ${imageFields(editor, at)}
    <div class="fields">
      ${textField(editor, at, "dismiss", { hint: t("content.dismiss.hint") })}
      ${textField(editor, at, "label", { hint: t("content.label.hint") })}
    </div>
    ${others(content)}
  </section>`;
}

/** Which variant the fields show. @param {Editor} editor */
const chooser = (editor) => html`<div class="pick" role="group" aria-label=${t("content.variant")}>${variantsOf(editor).map((variant, i) => {
  const wrong = editor.errorsBelow("/variants/" + i).length;
  return html`<button type="button" aria-pressed=${i === choiceOf(editor).variant ? "true" : "false"} @click=${() => choose(editor, { variant: i })}>
    ${variant.key || i + 1}${wrong ? html` <span class="mistakes">${t("content.wrong", { n: wrong })}</span>` : nothing}</button>`;
})}</div>`;

/** Kind, position, colours and direction. @param {Editor} editor @param {string} at @param {Record<string, any>} content */
function lookFields(editor, at, content) {
  const kind = typeof content.kind === "string" ? content.kind : "modal";
  /** A choice; the first option is what goes without saying, and is not written. @param {string} name @param {string[]} values @param {string} unsaid */
  const select = (name, values, unsaid) => {
    const value = text(content[name]);
    const options = ["", ...values, ...(value === "" || values.includes(value) ? [] : [value])];
    return field({
      ...common(editor, at, name), value, input: (chosen) => editor.set(at + "/" + name, chosen || undefined),
      options: options.map((option) => ({ value: option, text: option === "" ? unsaid : values.includes(option) ? t(`content.${name}.${option}`) : option })),
    });
  };
  return html`<div class="fields four">
    ${field({
      ...common(editor, at, "kind"), value: kind, hint: kinds.includes(kind) ? t(`content.kind.${kind}.hint`) : "", input: (chosen) => editor.set(at + "/kind", chosen),
      options: [...kinds, ...(kinds.includes(kind) ? [] : [kind])].map((value) => ({ value, text: kinds.includes(value) ? t("content.kind." + value) : value })),
    })}
    ${kind === "inline" ? nothing : select("position", kind === "banner" ? ["top", "bottom"] : positions, t("content.position.of." + (kinds.includes(kind) ? kind : "modal")))}
    ${select("theme", ["light", "dark"], t("content.theme.system"))}
    ${select("dir", ["ltr", "rtl"], t("content.dir.page"))}
  </div>`;
}

/** What the field of a member has in common with others. @param {Editor} editor @param {string} at @param {string} name */
const common = (editor, at, name, label = "content." + name) => ({
  label: t(label), name: editor.id(at + "/" + name), disabled: editor.readonly,
  error: editor.error(at + "/" + name), warnings: editor.warnings(at + "/" + name),
});

/** Members that new popups have, and keep when nothing is in them. */
const kept = ["title", "body", "image", "link"];

/**
 * @param {Editor} editor @param {string} at @param {string} name
 * @param {Partial<Parameters<typeof field>[0]>} more
 */
const textField = (editor, at, name, more) => field({
  ...common(editor, at, name), value: text(editor.at(at + "/" + name)), ...more,
  input: (value) => editor.set(at + "/" + name, value === "" && !kept.includes(name) ? undefined : value),
});

/** @param {Editor} editor @param {string} at */
function imageFields(editor, at) {
  const image = editor.at(at + "/image"), { src, alt, width, height } = imageOf(image);
  const write = (/** @type {Record<string, unknown>} */ change) => editor.set(at + "/image", withImage(image, change));
  const size = (/** @type {"width" | "height"} */ name, /** @type {unknown} */ value) => field({
    ...common(editor, at + "/image", name, "content.image." + name), type: "number", min: 1, step: 1, value: typeof value === "number" ? String(value) : "",
    input: (typed) => write({ [name]: typed === "" ? undefined : Number(typed) }),
  });
  const { error, warnings, ...rest } = common(editor, at, "image");
  return html`${field({
      ...rest, value: src, hint: t("content.image.hint"), placeholder: "https://", input: (value) => write({ src: value }),
      error: [error, editor.error(at + "/image/src")].filter(Boolean).join(" "), warnings: [...addressWarnings(src), ...warnings, ...editor.warnings(at + "/image/src")],
    })}
    ${src === "" ? nothing : html`<div class="fields image">
      ${field({ ...common(editor, at + "/image", "alt", "content.image.alt"), value: alt, hint: t("content.image.alt.hint"), input: (value) => write({ alt: value || undefined }) })}
      ${size("width", width)} ${size("height", height)}
    </div>`}`;
}

/** An image, which may be an address alone. @param {unknown} image @returns {{src: string, alt: string, width?: unknown, height?: unknown}} */
export function imageOf(image) {
  const { src, alt, width, height } = typeof image === "string" ? { src: image } : /** @type {Record<string, unknown>} */ (record(image));
  return { src: text(src), alt: text(alt), width, height };
}

/** An image with other members: an address alone where nothing else is said of it. @param {unknown} image @param {Record<string, unknown>} change */
export function withImage(image, change) {
  const { src, ...rest } = { src: "", ...(typeof image === "string" ? { src: image } : record(image)), ...change };
  const said = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined));
  return Object.keys(said).length === 0 || src === "" && Object.keys(said).every((name) => ["alt", "width", "height"].includes(name)) ? src : { src, ...said };
}

/** What the SDK would make of an address that the server takes. @param {unknown} value @returns {string[]} */
export function addressWarnings(value) {
  const [, scheme = ""] = /^\s*([a-z][a-z\d+.-]*):/i.exec(text(value)) ?? [];
  const known = ["", "https", "mailto"].includes(scheme.toLowerCase());
  return known ? [] : [t(scheme.toLowerCase() === "http" ? "content.address.http" : "content.address.app")];
}

/** Names the members that no field shows: they stay as they are. @param {Record<string, any>} content @param {string[]} [fields] what fields show */
export function others(content, fields = shown) {
  const isShown = (/** @type {[string, any]} */ [name, value]) => fields.includes(name) && (typeof value === "string" || name === "image" && Object.keys(record(value)).length > 0);
  const rest = Object.entries(content).filter((entry) => !isShown(entry));
  return rest.length === 0 ? nothing : html`<div class="others"><h3>${t("content.others")}</h3>
    <p class="muted">${t("content.others.text")}</p>
    <dl>${rest.map(([name, value]) => html`<div><dt><code>${name}</code></dt><dd><code>${JSON.stringify(value)}</code></dd></div>`)}</dl></div>`;
}

/** The names of members, as fields have them. @param {string[]} names */
export const named = (names) => list(names.map((name) => shown.includes(name) ? t("content." + name) : name));
