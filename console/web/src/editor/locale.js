// Tags of languages, as translations have them (docs/popups.md).
import { t } from "../i18n.js";

const names = new Intl.DisplayNames(document.documentElement.lang, { type: "language", fallback: "none" });

/** The name of a language in the operator's own, its tag if the browser knows none. @param {string} tag */
export function languageName(tag) {
  try {
    return names.of(tag) ?? tag;
  } catch {
    return tag;
  }
}

/** Scripts that are written from right to left. */
const leftwards = ["Adlm", "Arab", "Hebr", "Mand", "Nkoo", "Rohg", "Samr", "Syrc", "Thaa"];

/** How a language is written. @param {string} tag @returns {"ltr" | "rtl"} */
export function directionOf(tag) {
  try {
    return leftwards.includes(new Intl.Locale(tag).maximize().script ?? "") ? "rtl" : "ltr";
  } catch {
    return "ltr";
  }
}

/**
 * Reads the tag of a language with its script and region.
 * @param {string} typed "zh_hant_hk" @param {string[]} others tags that there are
 * @returns {{tag: string, error: string}} the usual spelling, or what is wrong with it
 */
export function readTag(typed, others) {
  const wrong = { tag: "", error: t("translations.tag.wrong") };
  if (!/^[a-z]{2,3}([-_][a-z]{4})?([-_]([a-z]{2}|\d{3}))?$/i.test(typed.trim())) return wrong;
  try {
    const tag = Intl.getCanonicalLocales(typed.trim().replaceAll("_", "-"))[0];
    const same = others.find((other) => meaning(other) === meaning(tag));
    return same === undefined ? { tag, error: "" } : { tag: "", error: t("translations.tag.same", { tag: same, language: languageName(same) }) };
  } catch {
    return wrong;
  }
}

/** What tags that mean the same have in common: zh and zh-Hans, zh-TW and zh-Hant-TW. @param {string} tag */
function meaning(tag) {
  const { language, script, region } = new Intl.Locale(tag);
  const written = script ?? new Intl.Locale(tag).maximize().script;
  return [language, written === new Intl.Locale(language).maximize().script ? "" : written, region ?? ""].join("-");
}
