// Who names an audience, and how that is told.
import { html, nothing } from "lit/html.js";
import { t } from "../i18n.js";

/** @typedef {{popups: string[], audiences: string[]}} Use */
/** @typedef {{key: string, kind: "list" | "rule", version: number, updated_at: string, updated_by: string, rule?: any, members: number, used_by: Use, upload?: {lines: number, bytes: number}}} Audience */

/** How many name it. @param {Use} use */
export const usesOf = (use) => use.popups.length + use.audiences.length;

/** Links to popups and audiences, by kind. @param {Use} use @param {number} [most] of them */
export function useLinks(use, most = 100) {
  const links = [...use.popups.map((key) => ({ href: "/popups/" + key, key })), ...use.audiences.map((key) => ({ href: "/audiences/" + key, key }))];
  return html`<ul class="uses">${links.slice(0, most).map(({ href, key }) => html`<li><a href=${href}>${key}</a></li>`)}${links.length > most ? html`<li class="muted">${t("list.more", { n: links.length - most })}</li>` : nothing}</ul>`;
}
