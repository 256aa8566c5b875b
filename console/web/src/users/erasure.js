// How far the erasure of a user has come.
import { html, render } from "lit/html.js";
import { get } from "../api.js";
import { ago, dateTime, has, t } from "../i18n.js";
import { announce, pageHead } from "../ui.js";

/**
 * @typedef {{state: "pending" | "done", requested_at: string, done_at: string | null, kept: {where: string, until: string | null}[]}} Erasure
 */

/** @param {HTMLElement} main @param {string} id of the reset */
export async function erasurePage(main, id) {
  const read = async (/** @type {boolean} */ background) => /** @type {Erasure} */ ((await get("erasures/" + encodeURIComponent(id), { background })).body);
  let e = await read(false);
  render(view(e), main);
  while (e.state === "pending") {
    await new Promise((later) => setTimeout(later, 2000));
    e = await read(true).catch(() => e); // it is asked again
    render(view(e), main);
    if (e.state === "done") announce(t("users.erasure.done"));
  }
}

/** @param {Erasure} e */
const view = (e) => html`
  ${pageHead({ title: t("users.erasure"), back: { href: "/users", text: t("users.other") } })}
  <section class="card erasure">
    <ul class="steps">
      <li class="open"><span class="mark" aria-hidden="true">✓</span><div><b>${t("users.erasure.forgotten")}</b><p class="muted">${dateTime(e.requested_at)}</p></div></li>
      <li class=${e.done_at ? "open" : "pending"}><span class="mark" aria-hidden="true">${e.done_at ? "✓" : "…"}</span><div><b>${t(e.done_at ? "users.erasure.rows" : "users.erasure.pending")}</b><p class="muted">${e.done_at ? dateTime(e.done_at) : t("users.erasure.wait")}</p></div></li>
    </ul>
    ${e.done_at ? "" : html`<progress aria-label=${t("users.erasure.pending")}></progress>`}
  </section>
  <section class="card flush" aria-labelledby="kept"><h2 id="kept">${t("users.kept")}</h2>
    ${e.kept.length === 0 ? html`<p class="muted nothing">${t("users.kept.nothing")}</p>` : html`<div class="scroll" tabindex="0" role="group" aria-labelledby="kept"><table>
      <thead><tr><th scope="col">${t("users.kept.where")}</th><th scope="col">${t("users.kept.until")}</th></tr></thead>
      <tbody>${e.kept.map((k) => html`<tr><td>${has("users.kept." + k.where) ? t("users.kept." + k.where) : k.where}</td><td>${k.until ? html`${dateTime(k.until)} <span class="muted">${ago(k.until)}</span>` : t(k.where === "audit" ? "users.kept.forever" : "users.kept.done")}</td></tr>`)}</tbody>
    </table></div>`}
  </section>`;
