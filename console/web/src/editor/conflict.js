// Somebody else has changed the popup meanwhile: both versions, and how to go on.
import { html, nothing } from "lit/html.js";
import { get } from "../api.js";
import { fieldName, valueText } from "../diff.js";
import { ago, t } from "../i18n.js";
import { at, equal } from "../pointer.js";
import { announce, dialog } from "../ui.js";
import { written } from "./editor.js";
import { differences, merged, namesOf } from "./merge.js";

/** @typedef {import("./editor.js").Editor} Editor @typedef {import("./editor.js").Popup} Popup */

/**
 * Shows what is different and asks how to go on. Returns whether to save what the form has
 * now, based on what the server has.
 * @param {Editor} editor @returns {Promise<boolean>}
 */
export async function changedMeanwhile(editor) {
  const key = /** @type {Popup} */ (editor.saved).key;
  const { body: theirs } = await get("popups/" + key);
  const actor = await lastActor(key, theirs.version);
  const { status: _, ...base } = written(/** @type {Popup} */ (editor.saved));
  const { status, ...now } = written(theirs);
  const { status: __, ...mine } = editor.popup;
  const fields = differences(now, mine);
  /** The pointers at which the form's value is chosen: where they changed nothing, it is. */
  const chosen = new Set(fields.filter((pointer) => !equal(at(base, pointer), at(mine, pointer))));
  const typed = editor.popup, old = editor.saved, differing = fields.filter((pointer) => !isEmpty(at(now, pointer)) || !isEmpty(at(mine, pointer)));
  const choice = await dialog({ name: t("editor.conflict"), wide: true, body: (/** @type {(choice?: "mine" | "theirs" | "merge") => void} */ close, redraw) => html`
    <p>${t("editor.conflict.text", { who: actor || t("editor.somebody"), version: theirs.version, ago: ago(theirs.updated_at), base: editor.version })}
      ${status === editor.status ? nothing : t("editor.conflict.status." + status)}</p>
    ${differing.length === 0 ? html`<p>${t("editor.conflict.same")}</p>` : html`<div class="scroll conflict" tabindex="0" role="region" aria-label=${t("editor.conflict.fields")}><table>
      <thead><tr><th scope="col">${t("editor.conflict.field")}</th><th scope="col">${t("editor.conflict.theirs")}</th><th scope="col">${t("editor.conflict.mine")}</th></tr></thead>
      <tbody>${differing.map((pointer) => html`<tr>
        <th scope="row">${fieldName(namesOf(now, pointer))}${!equal(at(base, pointer), at(now, pointer)) && !equal(at(base, pointer), at(mine, pointer)) ? html`<span class="both">${t("editor.conflict.both")}</span>` : nothing}</th>
        ${[now, mine].map((side) => html`<td><label><input type="radio" name=${"merge" + pointer} .checked=${chosen.has(pointer) === (side === mine)}
          @change=${() => { if (side === mine) chosen.add(pointer); else chosen.delete(pointer); redraw(); }}> <span class=${isEmpty(at(side, pointer)) ? "muted" : ""}>${valueText(namesOf(now, pointer), at(side, pointer) ?? "")}</span></label></td>`)}
      </tr>`)}</tbody></table></div>`}
    <div class="buttons">
      <button type="button" @click=${() => close("theirs")}>${t("editor.conflict.take")}</button>
      <button type="button" @click=${() => close("mine")}>${t("editor.conflict.keep")}</button>
      <button type="button" class="primary" autofocus @click=${() => close("merge")}>${t("editor.conflict.merge")}</button>
    </div>` });
  if (choice === undefined) return false;
  editor.saved = theirs;
  if (choice === "theirs") {
    editor.replace(written(theirs));
    announce(t("editor.conflict.took", { version: theirs.version }));
    editor.notice = { kind: "info", text: t("editor.conflict.took", { version: theirs.version }), actions: [{ text: t("editor.conflict.back"), do: () => { editor.notice = null; editor.saved = /** @type {Popup} */ ({ ...old, status }); editor.replace(typed); } }] };
    return false;
  }
  const taken = fields.filter((pointer) => choice === "mine" || chosen.has(pointer));
  editor.replace(/** @type {Popup} */ ({ ...merged(now, mine, taken), status }));
  return true;
}

/** @param {any} value */
const isEmpty = (value) => value === undefined || value === "";

/** Who made a version, "" if it is not known. @param {string} key @param {number} version */
async function lastActor(key, version) {
  try {
    const { body } = await get(`popups/${key}/revisions`);
    return body.items.find((/** @type {any} */ revision) => revision.version === version)?.actor ?? "";
  } catch {
    return ""; // the dialog does without
  }
}
