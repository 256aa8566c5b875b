// The editor of a popup, and of a new one.
import { html, nothing, render } from "lit/html.js";
import { ApiError, get } from "../api.js";
import { ago, load, t } from "../i18n.js";
import { badge, emptyState, notice, pageHead, popupTabs } from "../ui.js";
import { archive, pause, publish, resume, saveDraft } from "../editor/actions.js";
import { basicsSection } from "../editor/basics.js";
import { contentSection } from "../editor/content.js";
import { Editor } from "../editor/editor.js";
import { frequencySection } from "../editor/frequency.js";
import { jsonSection, openJSON } from "../editor/json.js";
import { previewPane } from "../editor/preview.js";
import { doesHarm, reviewBeforePublish } from "../editor/publish.js";
import { scheduleSection } from "../editor/schedule.js";
import { targetingSection } from "../editor/targeting.js";
import { translationsSection } from "../editor/translations.js";
import { variantsSection } from "../editor/variants.js";

/** @typedef {import("../console.js").Shell} Shell */

/** The sections, in their order. */
const sections = [basicsSection, contentSection, variantsSection, translationsSection, targetingSection, scheduleSection, frequencySection, jsonSection];

/** Files of messages of the sections. @type {string[]} */
const texts = ["content", "variants", "translations", "preview", "problem"];

/** Asks before something is published that visitors see already, or that does harm. @param {Editor} editor */
const review = async (editor) => editor.status === "draft" && !await doesHarm(editor) || await reviewBeforePublish(editor);

/** @param {HTMLElement} main @param {Shell} shell */
export default async function page(main, shell) {
  const [saved] = await Promise.all([read(shell.key), load(...texts)]);
  if (saved === null) {
    render(html`${pageHead({ title: shell.key, back: { href: "/popups", text: t("shell.nav.popups") } })}
      ${emptyState({ title: t("editor.none"), text: t("editor.none.text"), action: html`<a href="/popups">${t("editor.none.list")}</a>` })}`, main);
    return;
  }
  const editor = new Editor(shell, saved ?? null, () => draw(main, editor));
  await restore(editor);
  draw(main, editor);
  addEventListener("keydown", (event) => shortcut(editor, event));
  addEventListener("beforeunload", (event) => {
    editor.unsaved.write();
    if (editor.obstacle || !editor.unsaved.works) event.preventDefault(); // all else is there again when the operator comes back
  });
  if (!editor.saved) document.getElementById(editor.id("/key"))?.focus();
}

/** @param {string} key @returns {Promise<import("../editor/editor.js").Popup | null | undefined>} null if there is none, undefined without a key */
async function read(key) {
  if (key === "") return undefined;
  try {
    return (await get("popups/" + encodeURIComponent(key))).body;
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return null;
    throw error;
  }
}

/** Brings back what was typed and not saved; to who begins a new popup it is offered. @param {Editor} editor */
async function restore(editor) {
  const left = editor.readonly ? null : await editor.unsaved.find();
  if (left === null) return;
  const server = editor.saved, fresh = editor.popup, { base, popup, at } = left.entry;
  const take = () => {
    editor.unsaved.adopt(left);
    editor.saved = base && server ? { ...base, status: server.status } : server;
    editor.replace(popup);
  };
  const say = (/** @type {"info" | "warning"} */ kind, /** @type {string} */ text, /** @type {[string, () => void][]} */ ...actions) => {
    editor.notice = { kind, text: t(text, { ago: ago(at) }), actions: actions.map(([name, act]) => ({ text: t(name), do: () => { editor.notice = null; act(); editor.update(); } })) };
  };
  const discard = () => {
    const { popup: typed, saved } = editor;
    editor.saved = server;
    editor.replace(fresh);
    say("info", "editor.discarded", ["editor.conflict.back", () => { editor.saved = saved; editor.replace(typed); }]);
  };
  const [how] = /** @type {PerformanceNavigationTiming[]} */ (performance.getEntriesByType("navigation"));
  if (server === null && how?.type === "navigate") return say("info", "editor.restored.offer", ["editor.restored.take", take], ["editor.restored.discard", () => editor.unsaved.drop(left)]);
  take();
  if (!editor.isDirty) return;
  if (server !== null && editor.version !== server.version) say("warning", "editor.restored.stale", ["editor.restored.discard", discard]);
  else say("info", "editor.restored", ["editor.restored.discard", discard]);
}

/** Ctrl+S saves, Ctrl+Enter publishes. @param {Editor} editor @param {KeyboardEvent} event */
function shortcut(editor, event) {
  if (!(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey || document.querySelector("dialog[open]")) return;
  const action = event.key === "s" ? may(editor).save && (() => saveDraft(editor)) : event.key === "Enter" ? may(editor).publish && (() => publish(editor, review)) : false;
  if (action === false) return;
  event.preventDefault();
  action();
}

/** What the role and the status allow. @param {Editor} editor */
function may(editor) {
  const publisher = editor.shell.may("publisher"), { status } = editor;
  return {
    save: !editor.readonly,
    publish: publisher && status !== "archived",
    pause: publisher && status === "active",
    resume: publisher && status === "paused",
    archive: editor.saved !== null && !editor.readonly,
  };
}

/** @param {HTMLElement} main @param {Editor} editor */
function draw(main, editor) {
  const { saved } = editor, title = saved ? saved.name || saved.key : t("editor.new");
  if (saved && location.pathname === "/new") history.replaceState(null, "", "/popups/" + saved.key);
  document.title = title + " · popupd";
  const view = () => render(html`
    ${pageHead({ title: html`${title} ${saved ? badge(editor.status) : nothing}`, back: { href: "/popups", text: t("shell.nav.popups") }, tabs: saved ? popupTabs(saved.key, "edit") : undefined })}
    <div class="editor-bar"><p id="standing">${standing(editor)} ${may(editor).publish && (editor.isDirty || saved && editor.status !== "active")
      ? html`<button type="button" class="link" @click=${() => publish(editor, reviewBeforePublish)}>${t("editor.button.review")}</button>` : nothing}</p>${buttons(editor)}</div>
    ${noticeOf(editor)} ${problems(editor)}
    <div class="editor"><div class="sections">${sections.map((section) => section(editor))}</div><aside>${previewPane(editor)}</aside></div>`, main);
  view();
  if (editor.errors.length + editor.noted.length > 0) view(); // problems are named by the labels of the fields, which are there now
}

/** Where it stands: who sees what. @param {Editor} editor */
function standing(editor) {
  const { saved, isDirty, version } = editor;
  if (isDirty && !editor.unsaved.works) return t("editor.unkept");
  if (editor.readonly && saved === null) return t("editor.standing.readonly.new");
  if (editor.readonly && editor.status !== "archived") return t("editor.standing.readonly." + (editor.status === "draft" ? "draft" : "live"), { version });
  if (saved === null) return t(isDirty ? "editor.standing.new.dirty" : "editor.standing.new");
  return t("editor.standing." + editor.status + (isDirty && !editor.readonly ? ".dirty" : ""), { version });
}

/** @param {Editor} editor */
function buttons(editor) {
  const { save, publish: live, pause: stop, resume: go, archive: end } = may(editor);
  const button = (/** @type {string} */ name, /** @type {() => void} */ click, kind = "", keys = "") => html`<button type="button" class=${kind} aria-disabled=${editor.busy !== "" ? "true" : nothing} aria-keyshortcuts=${keys || nothing} title=${keys ? keys.replace("Control", "Ctrl") : nothing} @click=${click}>${t("editor.button." + name)}</button>`;
  const isPaused = editor.status === "paused" && !editor.isDirty, isPrimary = !isPaused && (editor.status !== "active" || editor.isDirty);
  return html`<div class="actions" aria-busy=${editor.busy !== "" ? "true" : "false"}>
    ${end ? button("archive", () => archive(editor), "quiet") : nothing}
    ${stop ? button("pause", () => pause(editor)) : nothing}
    ${go ? button("resume", () => resume(editor), isPaused ? "primary" : "") : nothing}
    ${save ? button("save", () => saveDraft(editor), "", "Control+S") : nothing}
    ${live ? button("publish", () => publish(editor, review), isPrimary ? "primary" : "", "Control+Enter") : nothing}
  </div>`;
}

/** @param {Editor} editor */
const noticeOf = ({ notice: said }) => said === null ? nothing
  : notice(said.kind, html`${said.text} ${said.actions.map((action) => html`<button type="button" class="link" @click=${action.do}>${action.text}</button> `)}`);

/** What the server said of the last change, with links to the fields. @param {Editor} editor */
function problems(editor) {
  const list = (/** @type {import("../editor/editor.js").Note[]} */ notes) => html`<ul>${notes.map((note) => {
    const input = fieldOf(editor, note.pointer), name = nameOf(input, note.pointer), words = (name ? name + ": " : "") + note.detail;
    return html`<li><a href="#${input?.id ?? "json"}" @click=${(/** @type {Event} */ event) => { event.preventDefault(); if (input) reveal(input); else openJSON(editor, note.pointer); }}>${words}</a></li>`;
  })}</ul>`;
  return html`
    ${editor.errors.length === 0 ? nothing : html`<div class="notice danger" id="problems" tabindex="-1" role="alert"><strong>${t("editor.problems", { n: editor.errors.length })}</strong>${list(editor.errors)}</div>`}
    ${editor.noted.length === 0 ? nothing : html`<div class="notice warning"><strong>${t("editor.warnings", { n: editor.noted.length })}</strong>${list(editor.noted)}</div>`}`;
}

/** The field of a pointer, or of what it is in; null if there is none. @param {Editor} editor @param {string} pointer */
function fieldOf(editor, pointer) {
  for (let outer = pointer; outer !== ""; outer = outer.slice(0, outer.lastIndexOf("/"))) {
    const input = document.getElementById(editor.id(outer));
    if (input) return input;
  }
  return null;
}

/** What a field is called; a pointer if there is none. @param {HTMLElement | null} input @param {string} pointer */
const nameOf = (input, pointer) => input?.ariaLabel ?? /** @type {HTMLInputElement | null} */ (input)?.labels?.[0]?.textContent ?? pointer.slice(1).replaceAll("/", " › ");

/** @param {HTMLElement} input */
function reveal(input) {
  for (let outer = input.closest("details"); outer; outer = outer.parentElement?.closest("details") ?? null) outer.open = true;
  input.scrollIntoView({ block: "center" });
  input.focus({ preventScroll: true });
}
