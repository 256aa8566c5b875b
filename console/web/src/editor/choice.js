// Which variant and which language the sections show: what they edit is the same one.

/** @typedef {import("./editor.js").Editor} Editor */
/** @typedef {Record<string, any> & {key: string, weight: number, control: boolean, content: Record<string, any>, translations?: Record<string, Record<string, any>>}} Variant */
/** @typedef {{variant: number, tag: string, page: "phone" | "desktop", scheme: "light" | "dark"}} Choice tag: of a translation, "" for the content itself */

/** @type {WeakMap<Editor, Choice>} */
const choices = new WeakMap();

/** What is chosen. What is no longer there is not. @param {Editor} editor @returns {Readonly<Choice>} */
export function choiceOf(editor) {
  const chosen = choices.get(editor) ?? { variant: 0, tag: "", page: "desktop", scheme: matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light" };
  const variant = Math.max(0, Math.min(chosen.variant, variantsOf(editor).length - 1));
  return { ...chosen, variant, tag: Object.hasOwn(translationsOf(editor, variant), chosen.tag) ? chosen.tag : "" };
}

/** @param {Editor} editor @param {Partial<Choice>} change */
export function choose(editor, change) {
  choices.set(editor, { ...choiceOf(editor), ...change });
  editor.update();
}

/** The variants; what is no list of objects, as JSON may be while it is typed, is none. @param {Editor} editor @returns {Variant[]} */
export function variantsOf(editor) {
  const variants = editor.at("/variants");
  return Array.isArray(variants) ? variants.map(record) : [];
}

/** @param {Editor} editor @param {number} i @returns {Record<string, Record<string, any>>} */
export const translationsOf = (editor, i) => record(variantsOf(editor)[i]?.translations);

/** The members of an object, none of anything else. @param {unknown} value @returns {any} */
export const record = (value) => value !== null && typeof value === "object" && !Array.isArray(value) ? value : {};

/** @param {unknown} value */
export const text = (value) => typeof value === "string" ? value : "";
