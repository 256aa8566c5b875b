// The components that pages share. README.md says when to use which.
import { html, nothing, render } from "lit/html.js";
import { t } from "./i18n.js";

/** @typedef {import("lit/html.js").TemplateResult | string | typeof nothing} Part */

/** Tells what happened, to everybody: in the corner of the page and to screen readers. @param {string} text */
export function announce(text) {
  const status = /** @type {HTMLElement} */ (document.getElementById("status"));
  status.textContent = "";
  clearTimeout(hide);
  requestAnimationFrame(() => { status.textContent = text; }); // the same text again is read again
  hide = setTimeout(() => { status.textContent = ""; }, 8000);
}
let hide = 0;

/**
 * The head of a page: its title, what can be done, and its parts.
 * @param {{title: Part, back?: {href: string, text: string}, lead?: Part, actions?: Part, tabs?: {href: string, text: string, current?: boolean}[]}} head
 */
export const pageHead = ({ title, back, lead, actions, tabs }) => html`<header class="head">
  ${back ? html`<a class="back" href=${back.href}>${back.text}</a>` : nothing}
  <div class="title"><h1>${title}</h1><div class="actions">${actions ?? nothing}</div></div>
  ${lead ? html`<p class="lead">${lead}</p>` : nothing}
  ${tabs ? html`<nav class="tabs" aria-label=${typeof title === "string" ? title : t("ui.parts")}>${tabs.map((tab) => html`<a href=${tab.href} aria-current=${tab.current ? "page" : nothing}>${tab.text}</a>`)}</nav>` : nothing}
</header>`;

/** The tabs of Settings. @param {"settings" | "tokens"} current */
export const settingsTabs = (current) => /** @type {const} */ (["settings", "tokens"]).map((page) => ({ href: "/" + page, text: t("ui.tab." + page), current: page === current }));

/** The tabs of a popup. @param {string} key @param {"edit" | "report" | "history"} current */
export const popupTabs = (key, current) => /** @type {const} */ (["edit", "report", "history"]).map((tab) => ({
  href: "/popups/" + key + (tab === "edit" ? "" : "/" + tab), text: t("ui.tab." + tab), current: tab === current,
}));

/**
 * A labelled input with its hint, error and warnings. With rows it is a text area, with
 * options a choice.
 * @param {object} f
 * @param {string} f.label
 * @param {string} f.name also its id
 * @param {string} [f.value]
 * @param {string} [f.type]
 * @param {number} [f.rows]
 * @param {{value: string, text: string}[]} [f.options]
 * @param {Part} [f.hint]
 * @param {string} [f.error]
 * @param {string[]} [f.warnings]
 * @param {boolean} [f.required]
 * @param {boolean} [f.disabled]
 * @param {boolean} [f.readonly]
 * @param {string} [f.list] id of a datalist
 * @param {string} [f.lang] language of what is written, where it may be another than the page's
 * @param {string} [f.dir] its direction
 * @param {string} [f.autocomplete]
 * @param {string} [f.placeholder]
 * @param {number | string} [f.min]
 * @param {number | string} [f.max]
 * @param {number | string} [f.step]
 * @param {boolean} [f.bare] the label is for screen readers alone: what stands around says it
 * @param {(value: string) => void} [f.input] at each change
 */
export function field(f) {
  const notes = [f.hint && "hint", f.error && "error", f.warnings?.length && "warning"].filter(Boolean).map((kind) => f.name + "-" + kind).join(" ") || nothing;
  const told = (/** @type {Event} */ event) => f.input?.(/** @type {HTMLInputElement} */ (event.target).value);
  const input = f.options
    ? html`<select id=${f.name} name=${f.name} .value=${f.value ?? ""} ?disabled=${f.disabled} aria-invalid=${f.error ? "true" : nothing} aria-describedby=${notes} @change=${told}>
        ${f.options.map((o) => html`<option value=${o.value} ?selected=${o.value === (f.value ?? "")}>${o.text}</option>`)}</select>`
    : f.rows
      ? html`<textarea id=${f.name} name=${f.name} lang=${f.lang ?? nothing} dir=${/** @type {any} */ (f.dir ?? nothing)} rows=${f.rows} .value=${f.value ?? ""} placeholder=${f.placeholder ?? nothing} ?required=${f.required} ?disabled=${f.disabled} aria-invalid=${f.error ? "true" : nothing} aria-describedby=${notes} @input=${told}></textarea>`
      : html`<input id=${f.name} name=${f.name} lang=${f.lang ?? nothing} dir=${/** @type {any} */ (f.dir ?? nothing)} type=${f.type ?? "text"} .value=${f.value ?? ""} placeholder=${f.placeholder ?? nothing} autocomplete=${/** @type {any} */ (f.autocomplete ?? "off")} min=${f.min ?? nothing} max=${f.max ?? nothing} step=${f.step ?? nothing}
          list=${f.list ?? nothing} ?required=${f.required} ?disabled=${f.disabled} ?readonly=${f.readonly} aria-invalid=${f.error ? "true" : nothing} aria-describedby=${notes} @input=${told}>`;
  return html`<div class="field">
    <label for=${f.name} class=${f.bare ? "hidden" : ""}>${f.label}</label>
    ${input}
    ${f.hint ? html`<p class="hint" id="${f.name}-hint">${f.hint}</p>` : nothing}
    ${f.error ? html`<p class="error" id="${f.name}-error">${f.error}</p>` : nothing}
    ${f.warnings?.length ? html`<ul class="warning" id="${f.name}-warning">${f.warnings.map((text) => html`<li>${text}</li>`)}</ul>` : nothing}
  </div>`;
}

/** A box to tick. @param {{label: Part, name: string, checked?: boolean, disabled?: boolean, hint?: Part, input?: (checked: boolean) => void}} f */
export const tick = (f) => html`<div class="field tick">
  <input type="checkbox" id=${f.name} name=${f.name} .checked=${f.checked ?? false} ?disabled=${f.disabled} aria-describedby=${f.hint ? f.name + "-hint" : nothing}
    @change=${(/** @type {Event} */ event) => f.input?.(/** @type {HTMLInputElement} */ (event.target).checked)}>
  <label for=${f.name}>${f.label}</label>
  ${f.hint ? html`<p class="hint" id="${f.name}-hint">${f.hint}</p>` : nothing}
</div>`;

/** The status of a popup. @param {"draft" | "active" | "paused" | "archived"} status */
export const badge = (status) => html`<span class="badge ${status}">${t("ui.status." + status)}</span>`;

/** What stands where there is nothing yet: what it is for and what to do next. @param {{title: string, text: Part, action?: Part}} e */
export const emptyState = ({ title, text, action }) => html`<div class="empty"><h2>${title}</h2><p>${text}</p>${action ?? nothing}</div>`;

/** A note in the page. @param {"info" | "good" | "warning" | "danger"} kind @param {Part} body */
export const notice = (kind, body) => html`<div class="notice ${kind}" role=${kind === "danger" ? "alert" : nothing}>${body}</div>`;

/**
 * Opens a dialog and returns what closes it: undefined for Escape and the button at its corner.
 * @template T
 * @param {{name: string, wide?: boolean, stay?: boolean, body: (close: (value?: T) => void, redraw: () => void) => Part}} d stay: it can't be left without an answer
 * @returns {Promise<T | undefined>}
 */
export function dialog({ name, wide, stay, body }) {
  return new Promise((resolve) => {
    const before = /** @type {HTMLElement | null} */ (document.activeElement);
    const element = document.createElement("dialog");
    element.setAttribute("aria-label", name);
    if (wide) element.className = "wide";
    const status = /** @type {HTMLElement} */ (document.getElementById("status"));
    const home = /** @type {HTMLElement} */ (status.parentElement);
    const close = (/** @type {T | undefined} */ value = undefined) => {
      if (status.parentElement === element) home.append(status);
      element.close();
      element.remove();
      before?.focus();
      resolve(value);
    };
    const redraw = () => render(html`<div class="top"><h2>${name}</h2>${stay ? nothing : html`<button type="button" class="quiet close" aria-label=${t("shell.close")} @click=${() => close()}>×</button>`}</div>
      <div class="body">${body(close, redraw)}</div>`, element);
    element.addEventListener("cancel", (event) => { event.preventDefault(); if (!stay) close(); });
    redraw();
    document.body.append(element);
    element.showModal();
    if (status.parentElement === document.body) element.append(status); // outside of a modal dialog nothing is read
    /** @type {HTMLElement | null} */ (element.querySelector("[autofocus], .body input, .body select, .body textarea, .body button"))?.focus();
  });
}

/**
 * Asks before something is done. Resolves to whether to do it.
 * @param {{name: string, text: Part, action: string, danger?: boolean, wide?: boolean, typed?: string}} c typed: a word to be typed first
 */
export async function confirmDialog({ name, text, action, danger, wide, typed }) {
  return await dialog({ name, wide, body: (/** @type {(yes?: boolean) => void} */ close) => html`<form method="dialog" @submit=${(/** @type {SubmitEvent} */ event) => { event.preventDefault(); close(true); }}>
    <div>${text}</div>
    ${typed === undefined ? nothing : html`<div class="field"><label for="typed">${t("ui.type", { word: typed })}</label>
      <input id="typed" autocomplete="off" required @input=${(/** @type {Event} */ event) => {
        const input = /** @type {HTMLInputElement} */ (event.target);
        input.setCustomValidity(input.value === typed ? "" : t("ui.type", { word: typed }));
      }}></div>`}
    <div class="buttons"><button type="button" @click=${() => close(false)}>${t("shell.cancel")}</button><button class=${danger ? "danger" : "primary"}>${action}</button></div>
  </form>` }) === true;
}
