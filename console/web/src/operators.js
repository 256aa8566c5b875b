// What conditions are made of: attributes, operators, and the values that go with them.

/** @typedef {{attr: string, op: string, value?: any, ignore_case?: boolean}} Condition */
/** @typedef {"none" | "text" | "list" | "number" | "version" | "time" | "age" | "pattern" | "networks"} Kind */

/** Operators by what they compare. @type {Record<string, string[]>} */
export const groups = {
  text: ["eq", "neq", "in", "not_in", "contains", "prefix", "suffix", "matches"],
  presence: ["exists", "not_exists"],
  number: ["gt", "gte", "lt", "lte"],
  version: ["semver_eq", "semver_gt", "semver_gte", "semver_lt", "semver_lte"],
  time: ["before", "after", "older_than", "newer_than"],
  address: ["in_cidr"],
};

/** Built-in attributes, with the groups of operators that make sense for them. @type {Record<string, string[]>} */
export const builtins = {
  platform: ["text", "presence"], app_version: ["version", "presence", "text"], country: ["text", "presence"], locale: ["text", "presence"],
  path: ["text", "presence"], audience: ["audience"], uid: ["text"], ip: ["address", "text"],
};

/** The groups of operators for an attribute, the one that is chosen among them. @param {Condition} condition @returns {[string, string[]][]} */
export function operatorsFor({ attr, op }) {
  if (attr === "audience") return [["audience", op === "in" || op === "not_in" ? ["in", "not_in"] : ["in", "not_in", op]]];
  const names = Object.hasOwn(builtins, attr) ? builtins[attr] : Object.keys(groups);
  const chosen = Object.keys(groups).find((name) => groups[name].includes(op));
  return [...names, ...chosen === undefined || names.includes(chosen) ? [] : [chosen]].map((name) => [name, groups[name]]);
}

/** @type {Record<string, Kind>} */
const kinds = {
  eq: "text", neq: "text", in: "list", not_in: "list", contains: "text", prefix: "text", suffix: "text", matches: "pattern", exists: "none", not_exists: "none",
  gt: "number", gte: "number", lt: "number", lte: "number", semver_eq: "version", semver_gt: "version", semver_gte: "version", semver_lt: "version", semver_lte: "version",
  before: "time", after: "time", older_than: "age", newer_than: "age", in_cidr: "networks",
};

/** What value an operator takes. @param {string} op @returns {Kind} */
export const kindOf = (op) => kinds[op] ?? "text";

/** Whether an operator may ignore letter case. @param {string} op */
export const takesIgnoreCase = (op) => ["eq", "neq", "in", "not_in", "contains", "prefix", "suffix"].includes(op);

/** Whether values of an operator may be numbers. @param {string} op */
export const takesNumbers = (op) => ["eq", "neq", "in", "not_in"].includes(op);

/** A condition with another operator. What its value can't be is dropped. @param {Condition} condition @param {string} op @returns {Condition} */
export function withOperator({ attr, ...from }, op) {
  /** @type {Condition} */
  const condition = { attr, op }, value = valueFor(op, [from.value ?? []].flat());
  if (value !== undefined) condition.value = value;
  if (from.ignore_case && takesIgnoreCase(op)) condition.ignore_case = true;
  return condition;
}

/** What of some values an operator can take, undefined if it takes none. @param {string} op @param {any[]} values */
function valueFor(op, values) {
  const kind = kindOf(op), first = values[0] ?? "";
  switch (kind) {
    case "none": return undefined;
    case "list": case "networks": return values.filter((value) => value !== "");
    case "age": return isAge(first) ? first : "7d";
    case "number": return isNumeric(String(first)) ? Number(first) : "";
    case "text": return takesNumbers(op) ? first : String(first);
    case "pattern": return String(first);
  }
  return wrong({ attr: "", op, value: first }) === "" ? first : "";
}

/** A condition with another attribute. Audiences have operators and values of their own. @param {Condition} condition @param {string} attr @returns {Condition} */
export function withAttribute(condition, attr) {
  if (attr === "audience" && condition.attr !== "audience") return { attr, op: condition.op === "not_in" || condition.op === "neq" ? "not_in" : "in", value: [] };
  if (attr !== "audience" && condition.attr === "audience") return { attr, op: condition.op, value: [] };
  return { ...condition, attr };
}

/** Whether a text is a number as JSON has it. @param {string} text */
export const isNumeric = (text) => /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/.test(text) && Number.isFinite(Number(text));

/** The number that a text is while that is written so, else the text: it may go on. @param {string} text */
export const numberIn = (text) => isNumeric(text) && String(Number(text)) === text ? Number(text) : text;

/** @param {any} value */
export const isAge = (value) => typeof value === "string" && /^\d{1,11}[smhdw]$/.test(value);

/**
 * What is certainly wrong with the value of a condition, as the server would say: a code, "" if
 * nothing is. What it leaves to the server it takes for right.
 * @param {Condition} condition @returns {string}
 */
export function wrong({ op, value }) {
  const kind = kindOf(op);
  if (kind === "none") return "";
  if (kind === "list" || kind === "networks") {
    const values = [value ?? []].flat();
    if (values.length === 0) return "none";
    if (values.length > 256) return "many";
    return values.map((one) => kind === "networks" ? isNetwork(one) ? "" : "network" : long(one)).find((code) => code !== "") ?? "";
  }
  if (value === "" || value === undefined || value === null) return "empty";
  switch (kind) {
    case "number": return typeof value === "number" ? "" : "number";
    case "version": return typeof value === "string" && /^v?\d+(\.\d+){0,3}([-+][0-9A-Za-z.+-]+)?$/.test(value) ? "" : "version";
    case "time": return typeof value === "string" && /^\d{4}-\d\d-\d\d([Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d))?$/.test(value) && !Number.isNaN(Date.parse(value)) ? "" : "time";
    case "age": return isAge(value) ? "" : "age";
    case "pattern": return typeof value !== "string" ? "pattern" : bytes(value) > 256 ? "long" : /(^|[^\\])(\\\\)*\(\?<?[=!]/.test(value) ? "around" : /(^|[^\\])(\\\\)*\\[1-9]/.test(value) ? "back" : "";
  }
  return takesNumbers(op) || typeof value === "string" ? long(value) : "text";
}

/** @param {any} value */
const long = (value) => typeof value === "string" && bytes(value) > 256 ? "long" : "";

/** @param {string} text */
const bytes = (text) => new TextEncoder().encode(text).length;

/** @param {any} value */
function isNetwork(value) {
  if (typeof value !== "string") return false;
  const [address, bits, more] = value.split("/");
  const is4 = /^(\d{1,3})(\.\d{1,3}){3}$/.test(address) && address.split(".").every((part) => Number(part) <= 255), is6 = /^[0-9a-fA-F:.]*:[0-9a-fA-F:.]*$/.test(address) && address.length > 1;
  return more === undefined && (is4 || is6) && (bits === undefined || /^\d{1,3}$/.test(bits) && Number(bits) <= (is4 ? 32 : 128));
}
