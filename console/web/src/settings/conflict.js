// Two people changed the settings at the same time: a choice with both versions.
import { html, nothing } from "lit/html.js";
import { ago, t } from "../i18n.js";
import { dialog } from "../ui.js";
import { entries, same, settingsFrom } from "./words.js";

/** @typedef {import("./form.js").Settings} Settings */

/**
 * Asks what to go on with. Escape leaves everything as it was.
 * @param {Settings} base what both began with @param {Settings} mine @param {Settings & {updated_at: string}} theirs what is in force
 * @returns {Promise<Settings | undefined>}
 */
export function settle(base, mine, theirs) {
  const before = entries(base), my = entries(mine), their = entries(theirs);
  const changed = [...new Set([...their.keys(), ...my.keys(), ...before.keys()])].filter((id) => !same(my.get(id), before.get(id)) || !same(their.get(id), before.get(id)));
  const takes = new Map(changed.map((id) => [id, same(my.get(id), before.get(id)) ? "theirs" : "mine"]));
  const merged = () => {
    const result = new Map(their);
    for (const [id, whose] of takes) {
      const entry = my.get(id);
      if (whose === "theirs") continue;
      if (entry) result.set(id, entry); else result.delete(id);
    }
    return settingsFrom(result);
  };
  return dialog({ name: t("settings.conflict"), wide: true, body: (/** @type {(s?: Settings) => void} */ close, redraw) => {
    const choice = (/** @type {string} */ id, /** @type {"mine" | "theirs"} */ whose, /** @type {{text: string} | undefined} */ entry) => html`<label class="choice">
      <input type="radio" name="take-${id}" .checked=${takes.get(id) === whose} @change=${() => { takes.set(id, whose); redraw(); }}>
      <span><b>${t("settings.conflict." + whose)}</b><span>${entry?.text ?? t("settings.conflict.gone")}</span></span></label>`;
    return html`<p>${t("settings.conflict.text", { when: ago(theirs.updated_at) })}</p>
      ${changed.map((id) => html`<fieldset class="choices pair"><legend>${(my.get(id) ?? their.get(id) ?? before.get(id))?.label}</legend>
        ${same(my.get(id), their.get(id))
          ? html`<p>${t("settings.conflict.same")} ${my.get(id)?.text ?? t("settings.conflict.gone")}</p>`
          : html`${choice(id, "mine", my.get(id))}${choice(id, "theirs", their.get(id))}`}
        <p class="hint">${before.get(id) ? t("settings.conflict.before", { text: before.get(id)?.text ?? "" }) : nothing}</p>
      </fieldset>`)}
      <div class="buttons">
        <button type="button" @click=${() => close(settingsFrom(their))}>${t("settings.conflict.take")}</button>
        <button type="button" class="primary" @click=${() => close(merged())}>${t("settings.conflict.go")}</button>
      </div>`;
  } });
}
