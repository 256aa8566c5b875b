// A new draft that is as another popup is.
import { html } from "lit/html.js";
import { ApiError, send } from "../api.js";
import { t } from "../i18n.js";
import { dialog, field, notice } from "../ui.js";
import { nameOf } from "./row.js";

/** @typedef {import("../pages/popups.js").Popup} Popup */

const longest = 64; // of a key

/** Asks for a key and a name, and resolves to the key of the copy, undefined if there is none. @param {Popup} popup */
export function duplicate(popup) {
  let key = popup.key.slice(0, longest - "-copy".length) + "-copy", name = t("popups.copy.of", { name: nameOf(popup) });
  let problem = "", keyError = "", nameError = "", busy = false;
  return /** @type {Promise<string | undefined>} */ (dialog({ name: t("popups.duplicate"), body: (/** @type {(key?: string) => void} */ close, redraw) => {
    const create = async (/** @type {SubmitEvent} */ event) => {
      event.preventDefault();
      if (busy) return;
      busy = true;
      problem = keyError = nameError = "";
      try {
        await send("POST", "popups", { ...popup, key, name, status: "draft" });
        close(key);
        return;
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        const of = (/** @type {string} */ pointer) => error.errors.find((e) => e.pointer === pointer)?.detail ?? "";
        [keyError, nameError] = [of("/key"), of("/name")];
        if (error.code === "key_exists") keyError = error.detail;
        if (!keyError && !nameError) problem = error.errors[0] ? error.errors[0].pointer + " " + error.errors[0].detail : error.detail;
      } finally {
        busy = false;
      }
      redraw();
    };
    return html`<form method="dialog" @submit=${create}>
      <div><p>${t("popups.duplicate.text", { name: nameOf(popup) })}</p>${problem ? notice("danger", problem) : ""}</div>
      ${field({ label: t("popups.key"), name: "copy-key", value: key, error: keyError, hint: t("popups.key.hint"), required: true, input: (v) => { key = v; } })}
      ${field({ label: t("popups.name"), name: "copy-name", value: name, error: nameError, input: (v) => { name = v; } })}
      <div class="buttons"><button type="button" @click=${() => close()}>${t("shell.cancel")}</button><button class="primary">${t("popups.duplicate.do")}</button></div>
    </form>`;
  } }));
}
