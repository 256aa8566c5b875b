// The poll that is to be explained: its form, its place in the address, its request.
import { html, nothing } from "lit/html.js";
import { has, t } from "../i18n.js";
import { field, notice } from "../ui.js";

/** The members of a poll that are one text each. */
const members = /** @type {const} */ (["popup", "placement", "trigger", "platform", "app_version", "locale", "country", "tz", "path", "ip", "prior_uid"]);
const less = /** @type {const} */ (["trigger", "app_version", "locale", "country", "tz", "path", "ip", "prior_uid"]);

/**
 * A poll as it is asked about; what is empty is not given. at is RFC 3339, attributes are
 * lines NAME=VALUE.
 * @typedef {Record<typeof members[number] | "at" | "attributes", string>} Question
 */

/** @param {URLSearchParams} address @returns {Question} */
export function questionOf(address) {
  const q = /** @type {Question} */ ({});
  for (const name of [...members, /** @type {const} */ ("at")]) q[name] = address.get(name) ?? "";
  q.attributes = [...address].filter(([name]) => name.startsWith("a.")).map(([name, value]) => name.slice(2) + "=" + value).join("\n");
  return q;
}

/** @param {string} uid @param {Question} q */
export function searchOf(uid, q) {
  const address = new URLSearchParams({ uid });
  for (const name of [...members, /** @type {const} */ ("at")]) if (q[name]) address.set(name, q[name]);
  for (const [name, value] of attributesOf(q)) address.append("a." + name, value);
  return "?" + address;
}

/** @param {Question} q */
const attributesOf = (q) => q.attributes.split("\n").filter((line) => line.trim() !== "").map((line) => {
  const [name, ...rest] = line.split("=");
  return [name.trim(), rest.join("=").trim()];
});

/** What the API is asked. @param {string} uid @param {Question} q */
export function bodyOf(uid, q) {
  /** @type {Record<string, unknown>} */
  const body = { uid };
  for (const name of [...members, /** @type {const} */ ("at")]) if (q[name]) body[name] = q[name];
  /** @type {Record<string, string[]>} */
  const attributes = {};
  for (const [name, value] of attributesOf(q)) (attributes[name] ??= []).push(value);
  if (Object.keys(attributes).length > 0) body.attributes = attributes;
  return body;
}

/** As an input of local time has it. @param {string} at RFC 3339, or empty */
function localTime(at) {
  if (at === "" || Number.isNaN(Date.parse(at))) return "";
  const date = new Date(at);
  return new Date(date.getTime() - date.getTimezoneOffset() * 60000).toISOString().slice(0, 16);
}

/**
 * @param {Question} q
 * @param {object} of
 * @param {import("./explain.js").Known[]} of.popups
 * @param {string[]} of.placements
 * @param {import("../api.js").ApiError | null} of.problem
 * @param {(q: Question) => void} of.change
 * @param {() => void} of.submit
 */
export function questionForm(q, { popups, placements, problem, change, submit }) {
  const set = (/** @type {keyof Question} */ name) => (/** @type {string} */ value) => change({ ...q, [name]: value });
  const error = (/** @type {string} */ name) => {
    const found = problem?.errors.find((e) => e.pointer === "/" + name || e.pointer.startsWith(`/${name}/`));
    return !found ? "" : has("users.wrong." + name) ? t("users.wrong." + name) : found.detail;
  };
  /** Asks about a popup, in a placement that it has. @param {string} key */
  const choose = (key) => {
    const own = popups.find((p) => p.key === key)?.placements ?? [];
    change({ ...q, popup: key, placement: own.length === 0 || own.includes(q.placement || "default") ? q.placement : own[0] });
  };
  const wrongBelow = less.some((name) => error(name)) || error("attributes") !== "";
  const filled = less.some((name) => q[name] !== "") || q.attributes !== "";
  const choices = popups.some((p) => p.key === q.popup) || q.popup === "" ? popups : [...popups, { key: q.popup, name: "", placements: [] }];
  return html`<form @submit=${(/** @type {SubmitEvent} */ event) => { event.preventDefault(); submit(); }}>
    ${problem && problem.errors.length === 0 ? notice("danger", problem.code === "popup_not_found" ? t("users.nopopup", { key: q.popup }) : problem.detail) : nothing}
    <div class="fields">
      ${field({ label: t("users.q.popup"), name: "popup", value: q.popup, options: [{ value: "", text: t("users.q.anypopup") }, ...choices.map((p) => ({ value: p.key, text: p.name || p.key }))], input: choose })}
      ${field({ label: t("users.q.placement"), name: "placement", value: q.placement, placeholder: "default", hint: placements.length ? t("users.q.placements", { placements: placements.slice(0, 6).join(", ") }) : nothing, error: error("placement"), input: set("placement") })}
      ${field({ label: t("users.q.platform"), name: "platform", value: q.platform, placeholder: "web", error: error("platform"), input: set("platform") })}
      ${field({ label: t("users.q.at"), name: "at", type: "datetime-local", value: localTime(q.at), hint: t("users.q.at.hint"), error: error("at"), input: (value) => change({ ...q, at: value ? new Date(value).toISOString() : "" }) })}
    </div>
    <details class="more" ?open=${filled || wrongBelow}><summary>${t("users.q.more")}</summary>
      <div class="fields">${less.map((name) => field({ label: t("users.q." + name), name, value: q[name], placeholder: examples[name], error: error(name), input: set(name) }))}</div>
      ${field({ label: t("users.q.attributes"), name: "attributes", rows: 3, value: q.attributes, placeholder: "plan=pro", hint: t("users.q.attributes.hint"), error: error("attributes"), input: set("attributes") })}
    </details>
    <div class="buttons"><button class="primary">${t("users.ask")}</button></div>
  </form>`;
}

/** @type {Record<typeof less[number], string>} */
const examples = { trigger: "load", app_version: "3.2.1", locale: "zh-CN", country: "CN", tz: "Asia/Shanghai", path: "/cart", ip: "203.0.113.7", prior_uid: "" };
