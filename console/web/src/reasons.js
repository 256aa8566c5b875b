// Why a popup is not shown, in plain words, and what can be done about it. The messages are
// in the file reasons, which the page loads.
import { html } from "lit/html.js";
import { has, t } from "./i18n.js";

/** @param {string} reason one of the API's closed list */
export const reasonText = (reason) => has("reasons." + reason) ? t("reasons." + reason) : t("reasons.other", { reason });

/** Where it is set what stops a popup. @type {Record<string, string>} */
const places = { holdout: "settings", min_gap: "settings", cap: "settings", state_full: "system" };

/** What to do about it, and where. @param {string} reason @param {string} key of the popup */
export function advice(reason, key) {
  if (!has("reasons." + reason)) return t("reasons.other.do");
  const place = places[reason] ?? "editor";
  return html`${t(`reasons.${reason}.do`)} <a href=${place === "editor" ? "/popups/" + key : "/" + place}>${t("reasons.at." + place)}</a>`;
}
