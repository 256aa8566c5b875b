// Conditions in words.
import { has, list, load, t } from "./i18n.js";
import { isAge, kindOf } from "./operators.js";

await load("conditions");

/** An operator in words. @param {string} op */
export const operatorName = (op) => has("conditions.op." + op) ? t("conditions.op." + op) : op;

/** A condition as a sentence. @param {import("./operators.js").Condition} condition */
export function conditionText({ attr, op, value, ignore_case }) {
  const named = { attr: attr || t("conditions.unnamed"), op: operatorName(op) };
  const said = kindOf(op) === "none" ? t("conditions.say.none", named) : t("conditions.say", { ...named, value: valueText(op, value) });
  return ignore_case ? t("conditions.say.case", { said }) : said;
}

/** @param {string} op @param {any} value */
function valueText(op, value) {
  if (Array.isArray(value)) return list(value.map(String)) || t("conditions.unnamed");
  if (kindOf(op) === "age" && isAge(value)) return t("conditions.age." + value.at(-1), { n: Number(value.slice(0, -1)) });
  return value === undefined || value === "" ? t("conditions.unnamed") : String(value);
}
