// Logging in again over a page whose session has ended.
import { html, nothing } from "lit/html.js";
import { dialog, field } from "./ui.js";
import { has, t } from "./i18n.js";

/** @type {Promise<void> | null} */
let open = null;

/** Resolves once the operator has logged in again; several requests share one dialog. */
export function logInAgain() {
  open ??= ask().then(() => { void nameWho(); }).finally(() => { open = null; });
  return open;
}

/** Whether the browser has a session, which may have begun in another tab. */
async function isLoggedIn() {
  const response = await fetch("/v1/admin/log-level", { headers: { "Popupd-Background": "1" } }).catch(() => null);
  return response?.ok === true;
}

/** Names who has logged in, who may be another one than before. */
async function nameWho() {
  const response = await fetch(location.href, { headers: { Accept: "text/html", "Popupd-Background": "1" } }).catch(() => null);
  const page = new DOMParser().parseFromString((await response?.text().catch(() => "")) ?? "", "text/html");
  const now = page.querySelector(".who p"), before = document.querySelector(".who p");
  if (now && before && now.textContent !== before.textContent) before.replaceWith(document.adoptNode(now));
}

async function ask() {
  let error = "";
  for (;;) {
    const token = await askOnce(error);
    if (token === undefined) return;
    const response = await fetch("/login", { method: "POST", headers: { "Content-Type": "application/json", Accept: "application/json" }, body: JSON.stringify({ token }) }).catch(() => null);
    if (response?.ok) return;
    const problem = response === null ? { detail: t("shell.offline") } : await response.json().catch(() => ({ detail: response.statusText }));
    const known = "shell.login.problem." + problem.code;
    error = has(known) ? t(known) : problem.detail;
  }
}

/**
 * Asks for a token. Resolves to undefined if none is needed any more: who comes back from
 * another tab may have logged in there, with an account of the organization too.
 * @param {string} error why the one before was refused
 * @returns {Promise<string | undefined>}
 */
async function askOnce(error) {
  /** @type {() => void} */
  let close = () => {};
  const back = async () => { if (await isLoggedIn()) close(); };
  addEventListener("focus", back);
  try {
    return await dialog({ name: t("shell.login.again"), stay: true, body: (closeWith) => {
      close = closeWith;
      return html`
        <p>${t("shell.login.again.text")}</p>
        ${document.body.dataset.user?.startsWith("oidc:") ? html`<p><a href="/login/oidc" target="_blank">${t("shell.login.oidc")}</a></p>` : nothing}
        <form method="dialog" @submit=${(/** @type {SubmitEvent} */ event) => {
          event.preventDefault();
          closeWith(String(new FormData(/** @type {HTMLFormElement} */ (event.target)).get("token")));
        }}>
          ${field({ label: t("shell.login.token"), name: "token", type: "password", error, autocomplete: "current-password" })}
          <div class="buttons"><button class="primary">${t("shell.login.button")}</button></div>
        </form>`;
    } });
  } finally {
    removeEventListener("focus", back);
  }
}
