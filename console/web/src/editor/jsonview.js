// The text of the popup's JSON in CodeMirror, with what is wrong by line.
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { json } from "@codemirror/lang-json";
import { bracketMatching, ensureSyntaxTree, foldGutter, foldKeymap, HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import { lintGutter, setDiagnostics } from "@codemirror/lint";
import { EditorState } from "@codemirror/state";
import { drawSelection, EditorView, highlightActiveLine, keymap, lineNumbers } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { html, nothing, render } from "lit/html.js";
import { t } from "../i18n.js";
import { equal, steps } from "../pointer.js";
import { complete } from "./shape.js";

/** @typedef {import("./editor.js").Editor} Editor @typedef {import("./editor.js").Note} Note */
/** @typedef {import("@lezer/common").SyntaxNode} SyntaxNode @typedef {{from: number, to: number, message: string}} Mark */

const colours = HighlightStyle.define([
  { tag: tags.propertyName, color: "var(--accent)" },
  { tag: tags.string, color: "var(--good)" },
  { tag: [tags.number, tags.bool, tags.null], color: "var(--warn)" },
]);

/** The JSON of an editor's popup. What is typed goes into the form as soon as it can be read. */
export class JSONView {
  /** @type {any} the popup that the text says, or said before it was changed */
  #shown;
  /** @type {Mark[]} why it can't be read */
  #unreadable = [];

  /** @param {Editor} editor @param {HTMLElement} host */
  constructor(editor, host) {
    this.editor = editor;
    this.list = document.createElement("div");
    this.view = new EditorView({
      doc: textOf(editor.popup),
      extensions: [
        lineNumbers(), foldGutter(), lintGutter(), history(), drawSelection(), bracketMatching(), highlightActiveLine(), json(), syntaxHighlighting(colours), EditorView.lineWrapping,
        keymap.of([...defaultKeymap.filter((binding) => binding.key !== "Mod-Enter"), ...historyKeymap, ...foldKeymap]),
        EditorView.cspNonce.of(document.body.dataset.nonce ?? ""),
        EditorView.contentAttributes.of({ id: editor.id("/json"), tabindex: "0", "aria-label": t("editor.json"), "aria-describedby": "json-problems" }),
        EditorState.readOnly.of(editor.readonly), EditorView.editable.of(!editor.readonly),
        EditorView.domEventHandlers({ beforeinput: typeOver }),
        EditorView.updateListener.of((update) => { if (update.docChanged && update.transactions.some((tr) => tr.isUserEvent("input") || tr.isUserEvent("delete") || tr.isUserEvent("move") || tr.isUserEvent("undo") || tr.isUserEvent("redo"))) this.#typed(); }),
      ],
    });
    this.#shown = editor.popup;
    host.append(this.view.dom, this.list);
    this.#mark();
  }

  /** Shows what the form has, unless it is what was typed here, or that can't be read. */
  show() {
    if (this.editor.popup !== this.#shown && this.#unreadable.length === 0 && !equal(this.#read()?.popup, this.editor.popup)) this.#write();
    this.#shown = this.editor.popup;
    this.#mark();
  }

  #write() {
    this.view.dispatch({ changes: { from: 0, to: this.view.state.doc.length, insert: textOf(this.editor.popup) } });
  }

  /** Takes what the form has for what was typed. */
  #discard() {
    this.#unreadable = [];
    this.editor.obstacle = null;
    this.#write();
    this.editor.update();
  }

  /** What the text says, null if it is no JSON. */
  #read() {
    try {
      const { popup, errors } = complete(JSON.parse(this.view.state.doc.toString()));
      return { popup: { ...popup, status: this.editor.status }, errors };
    } catch {
      return null;
    }
  }

  #typed() {
    const read = this.#read();
    this.#unreadable = read === null ? [this.#syntaxError()] : read.errors.map((note) => ({ ...this.#place(note.pointer), message: t("editor.json.kind." + note.detail) }));
    const { editor } = this, [first] = this.#unreadable;
    editor.obstacle = first ? { pointer: "/json", detail: t("editor.json.line", { line: this.#line(first.from), text: first.message }) } : null;
    if (read === null || first) return this.#mark();
    this.#shown = read.popup;
    editor.replace(read.popup);
    this.#shown = editor.popup;
  }

  /** @returns {Mark} */
  #syntaxError() {
    const { state } = this.view;
    let from = state.doc.length;
    ensureSyntaxTree(state, state.doc.length, 200)?.iterate({ enter: (node) => { if (node.type.isError) from = Math.min(from, node.from); } });
    return { from, to: from, message: t("editor.json.syntax") };
  }

  /** Where a pointer is in the text, or what it is in. @param {string} pointer */
  #place(pointer) {
    const { state } = this.view;
    /** @type {SyntaxNode | null | undefined} */
    let node = ensureSyntaxTree(state, state.doc.length, 200)?.topNode.firstChild, name = node;
    for (const step of steps(pointer)) {
      const property = node?.getChildren("Property").find((property) => keyOf(state, property) === step);
      const inside = node?.name === "Array" ? elements(node)[Number(step)] : property?.lastChild;
      if (!inside) break;
      [node, name] = [inside, property?.getChild("PropertyName") ?? inside];
    }
    return name ? { from: name.from, to: Math.min(name.to, state.doc.lineAt(name.from).to) } : { from: 0, to: 0 };
  }

  /** @param {number} position */
  #line(position) { return this.view.state.doc.lineAt(Math.min(position, this.view.state.doc.length)).number; }

  /** Marks what is wrong in the text and lists it below, and what has no effect. */
  #mark() {
    const of = (/** @type {Note[]} */ notes) => notes.filter((note) => note.pointer !== "/json").map((note) => ({ ...this.#place(note.pointer), message: note.detail }));
    const errors = this.#unreadable.length > 0 ? this.#unreadable : of(this.editor.errors), warnings = of(this.editor.noted);
    const marks = [...errors.map((mark) => ({ ...mark, severity: /** @type {const} */ ("error") })), ...warnings.map((mark) => ({ ...mark, severity: /** @type {const} */ ("warning") }))];
    this.view.dispatch(setDiagnostics(this.view.state, marks));
    render(html`<ul id="json-problems">${marks.map((mark) => html`<li class=${mark.severity === "error" ? "error" : "warning"}>
        <button type="button" class="link" @click=${() => this.#go(mark.from)}>${t("editor.json.line", { line: this.#line(mark.from), text: mark.message })}</button></li>`)}</ul>
      ${this.#unreadable.length === 0 ? nothing : html`<p>${t("editor.json.behind")} <button type="button" class="link" @click=${() => this.#discard()}>${t("editor.json.discard")}</button></p>`}`, this.list);
  }

  /** Leads to what a pointer names. @param {string} pointer */
  go(pointer) { this.#go(this.#place(pointer).from); }

  /** @param {number} position */
  #go(position) {
    this.view.dispatch({ selection: { anchor: position }, scrollIntoView: true });
    this.view.focus();
    this.view.dom.scrollIntoView({ block: "nearest" });
  }
}

/**
 * Types over a selection. Chromium, left to itself, keeps the look of what was there by a
 * style attribute, which the policy of the page forbids and reports.
 * @param {InputEvent} event @param {EditorView} view
 */
function typeOver(event, view) {
  if (event.inputType !== "insertText" || event.data === null || event.isComposing || view.state.readOnly || view.state.selection.main.empty) return false;
  view.dispatch({ ...view.state.replaceSelection(event.data), userEvent: "input.type", scrollIntoView: true });
  event.preventDefault();
  return true;
}

/** The elements of a list. @param {SyntaxNode} list */
function elements(list) {
  const found = [];
  for (let node = list.firstChild; node; node = node.nextSibling) if (!["[", ",", "]", "⚠"].includes(node.name)) found.push(node);
  return found;
}

/** The name of a member. @param {EditorState} state @param {SyntaxNode} property */
function keyOf(state, property) {
  const name = property.getChild("PropertyName");
  try { return name && JSON.parse(state.sliceDoc(name.from, name.to)); } catch { return null; }
}

/** The text of a popup: its status is what the buttons are for. @param {import("./editor.js").Popup} popup */
const textOf = ({ status, ...popup }) => JSON.stringify(popup, null, 2);
