// Logging in again over a page whose session has ended.
import { html } from "lit/html.js";
import { dialog, field } from "./ui.js";
import { t } from "./i18n.js";

/** @type {Promise<void> | null} */
let open = null;

/** Resolves once the operator has logged in again; several requests share one dialog. */
export function logInAgain() {
  open ??= ask().finally(() => { open = null; });
  return open;
}

async function ask() {
  let error = "";
  for (;;) {
    const token = await dialog({ name: t("shell.login.again"), stay: true, body: (close) => html`
      <p>${t("shell.login.again.text")}</p>
      <form method="dialog" @submit=${(/** @type {SubmitEvent} */ event) => {
        event.preventDefault();
        close(String(new FormData(/** @type {HTMLFormElement} */ (event.target)).get("token")));
      }}>
        ${field({ label: t("shell.login.token"), name: "token", type: "password", error, autocomplete: "current-password" })}
        <div class="buttons"><button class="primary">${t("shell.login.button")}</button></div>
      </form>` });
    const response = await fetch("/login", { method: "POST", headers: { "Content-Type": "application/json", Accept: "application/json" }, body: JSON.stringify({ token }) }).catch(() => null);
    if (response?.ok) return;
    error = response === null ? t("shell.offline") : (await response.json().catch(() => ({}))).detail ?? response.statusText;
  }
}
