// The entry of every page: the shell's own buttons, then the module that draws the page.
import { html, render } from "lit/html.js";
import { ApiError } from "./api.js";
import { load, t } from "./i18n.js";

/**
 * What the shell says of this page and of who is logged in.
 * @typedef {object} Shell
 * @property {string} page name of the module in src/pages
 * @property {string} key of the popup or audience that the address names, "" without one
 * @property {"viewer" | "editor" | "publisher" | "admin"} role
 * @property {string} user name of the token, "" for the admin token
 * @property {(role: "viewer" | "editor" | "publisher" | "admin") => boolean} may whether the role covers another
 */

const data = /** @type {Record<string, string>} */ (document.body.dataset);
const main = /** @type {HTMLElement} */ (document.getElementById("main"));
const roles = ["viewer", "editor", "publisher", "admin"];

/** @type {Shell} */
const shell = {
  page: data.page, key: data.key, role: /** @type {Shell["role"]} */ (data.role), user: data.user,
  may: (role) => roles.indexOf(data.role) >= roles.indexOf(role),
};

async function start() {
  const texts = load("shell", "ui");
  try {
    const [page] = await Promise.all([import(`./pages/${shell.page}.js`), load(shell.page), texts]);
    await page.default(main, shell);
  } catch (error) {
    await texts;
    failed(error);
  }
}

/** @param {unknown} error */
function failed(error) {
  console.error(error);
  render(html`<div class="empty" role="alert"><h1>${t("shell.failed")}</h1>
    <p>${error instanceof ApiError ? error.detail : String(error)}</p>
    <button type="button" @click=${() => location.reload()}>${t("shell.retry")}</button></div>`, main);
}

document.getElementById("lang")?.addEventListener("click", (event) => {
  const lang = /** @type {HTMLElement} */ (event.currentTarget).dataset.lang;
  document.cookie = `popupd_lang=${lang}; path=/; max-age=31536000; samesite=strict`;
  location.reload();
});

start();
