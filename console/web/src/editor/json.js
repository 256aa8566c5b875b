// The popup as JSON, for who would rather write it than fill in a form.
import { html } from "lit/html.js";
import { ref } from "lit/directives/ref.js";
import { t } from "../i18n.js";

/** @typedef {import("./editor.js").Editor} Editor @typedef {import("./jsonview.js").JSONView} JSONView */

/** The view of each editor, once it was opened. @type {WeakMap<Editor, JSONView>} */
const views = new WeakMap();

/** @param {Editor} editor */
export function jsonSection(editor) {
  views.get(editor)?.show();
  return html`<section class="card" aria-labelledby="json">
    <details @toggle=${(/** @type {Event} */ event) => { if (/** @type {HTMLDetailsElement} */ (event.target).open) open(editor); }}>
      <summary><h2 id="json">${t("editor.json")}</h2></summary>
      <p class="muted">${t("editor.json.text")}</p>
      <div class="json" ${ref((element) => { if (element) hosts.set(editor, /** @type {HTMLElement} */ (element)); })}></div>
    </details>
  </section>`;
}

/** @type {WeakMap<Editor, HTMLElement>} */
const hosts = new WeakMap();

/** @param {Editor} editor */
async function open(editor) {
  const { JSONView } = await import("./jsonview.js"); // CodeMirror is loaded by who needs it
  const host = hosts.get(editor);
  if (host && !views.has(editor)) views.set(editor, new JSONView(editor, host));
}
