// What the server says of a field, in the operator's language. It says it in English;
// messages/LANG/details.json has what that is in another one, by text.
import { lang } from "./i18n.js";

const texts = lang === "en" ? {} : (await import(`../messages/${lang}/details.json`)).default;
const patterns = Object.entries(texts).map(([english, words]) => ({
  pattern: new RegExp("^" + english.split(/\{\w+\}/).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("(.+?)") + "$", "s"),
  names: [...english.matchAll(/\{(\w+)\}/g)].map(([, name]) => name), words,
}));

/** A detail of an error or a warning; as it is, if it is not known. @param {string} detail */
export function translated(detail) {
  for (const { pattern, names, words } of patterns) {
    const found = pattern.exec(detail);
    if (found) return words.replace(/\{(\w+)\}/g, (/** @type {string} */ _, /** @type {string} */ name) => found[names.indexOf(name) + 1]);
  }
  return detail;
}
