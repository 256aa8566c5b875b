// What there is to choose from in conditions: attributes and values in use, and audiences.
import { get } from "../api.js";

/**
 * @typedef {object} Form what conditions are rows of, as the editor of a popup is
 * @property {import("../console.js").Shell} shell
 * @property {boolean} readonly
 * @property {() => void} update draws it anew
 * @property {(pointer: string) => any} at
 * @property {(pointer: string, value: any) => void} set undefined removes
 * @property {(pointer: string) => string} error
 * @property {(pointer: string) => {pointer: string, detail: string}[]} errorsBelow
 * @property {(pointer: string) => string[]} warnings
 * @property {(pointer: string) => string} id of the field that edits what is there
 *
 * @typedef {{key: string, kind: "rule" | "list", members: number}} Audience
 * @typedef {{values: Map<string, Set<string>>, audiences: Audience[] | null}} Known values in use by attribute; audiences are null while they are not known
 */

/** @type {WeakMap<Form, Known>} */
const all = new WeakMap();

/** @type {Known} */
const empty = { values: new Map(), audiences: null };

/** Returns what is known by now. @param {Form} form @returns {Known} */
export const knownOf = (form) => all.get(form) ?? empty;

/** Finds out what there is, once; the form is drawn anew then. @param {Form} form */
export function learn(form) {
  if (form.readonly || all.has(form)) return;
  const known = { values: new Map(), audiences: null };
  all.set(form, known);
  read(form, known);
}

/** Reads it. What fails to come is not suggested. @param {Form} form @param {Known} known */
async function read(form, known) {
  const [popups, audiences] = await Promise.allSettled([get("popups?limit=100", { background: true }), get("audiences", { background: true })]);
  if (audiences.status === "fulfilled") known.audiences = audiences.value.body.items;
  const rules = popups.status === "fulfilled" ? popups.value.body.items.map((/** @type {any} */ popup) => popup.targeting) : [];
  if (audiences.status === "fulfilled") rules.push(...audiences.value.body.items.map((/** @type {any} */ audience) => audience.rule ?? {}));
  for (const { all = [], any = [], none = [] } of rules) {
    for (const { attr, value } of [...all, ...any, ...none]) {
      let values = known.values.get(attr);
      if (!values) known.values.set(attr, values = new Set());
      for (const one of [value ?? []].flat()) if (values.size < 100) values.add(String(one));
    }
  }
  form.update();
}
