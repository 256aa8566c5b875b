// The popup as JSON, for who would rather write it than fill in a form.
import { html } from "lit/html.js";
import { ref } from "lit/directives/ref.js";
import { t } from "../i18n.js";

/** @typedef {import("./editor.js").Editor} Editor @typedef {import("./jsonview.js").JSONView} JSONView */

/** What is on the page for each editor: its element, and the view once that was opened. @type {WeakMap<Editor, {details?: HTMLDetailsElement, view?: Promise<JSONView>}>} */
const parts = new WeakMap();

/** @param {Editor} editor */
function partOf(editor) {
  const part = parts.get(editor) ?? {};
  parts.set(editor, part);
  return part;
}

/** @param {Editor} editor */
export function jsonSection(editor) {
  const part = partOf(editor);
  part.view?.then((view) => view.show());
  return html`<section class="card" aria-labelledby="json">
    <details ${ref((element) => { part.details = /** @type {HTMLDetailsElement} */ (element); })} @toggle=${() => { if (part.details?.open) view(editor); }}>
      <summary><h2 id="json">${t("editor.json")}</h2></summary>
      <p class="muted">${t("editor.json.text")}</p>
      <div class="json"></div>
    </details>
  </section>`;
}

/** The view of an editor. CodeMirror is loaded by who needs it. @param {Editor} editor */
function view(editor) {
  const part = partOf(editor), host = /** @type {HTMLElement} */ (part.details?.querySelector(".json"));
  part.view ??= import("./jsonview.js").then(({ JSONView }) => new JSONView(editor, host));
  return part.view;
}

/** Leads to the line that has what a pointer names. @param {Editor} editor @param {string} pointer */
export async function openJSON(editor, pointer) {
  const { details } = partOf(editor);
  if (!details) return;
  details.open = true;
  (await view(editor)).go(pointer);
}
