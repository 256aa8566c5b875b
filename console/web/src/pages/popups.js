// The list of popups.
import { html, render } from "lit/html.js";
import { get } from "../api.js";
import { t } from "../i18n.js";
import { badge, pageHead } from "../ui.js";

/** @param {HTMLElement} main */
export default async function popups(main) {
  const { body } = await get("popups?limit=50");
  render(html`${pageHead({ title: t("popups.title") })}
    <table><tbody>${body.items.map((/** @type {any} */ p) => html`<tr><td><a href="/popups/${p.key}">${p.name || p.key}</a></td><td>${badge(p.status)}</td></tr>`)}</tbody></table>`, main);
}
