// The state of the editor: what is being edited, what the server has, and what it said.
import { at, equal, isWithin, put, steps } from "../pointer.js";
import { Unsaved } from "./autosave.js";
import { differences, merged } from "./merge.js";
import { empty } from "./shape.js";

/**
 * A popup in REST form. The store adds id, version, updated_at and source.
 * @typedef {Record<string, any> & {key: string, name: string, status: "draft" | "active" | "paused" | "archived"}} Popup
 * @typedef {{pointer: string, detail: string}} Note what is wrong, or has no effect, and where
 * @typedef {import("../console.js").Shell} Shell
 */

/** The part of an answer that operators write. @param {Record<string, any>} answer @returns {Popup} */
export function written({ id, version, updated_at, source, warnings, ...popup }) {
  return /** @type {Popup} */ (popup);
}

/** What sections draw from, and tell what was typed. */
export class Editor {
  /** @type {Popup} what is being edited; never changed in place */
  popup;
  /** @type {Popup | null} what the server has; null for a new one */
  saved;
  /** what is going on: the name of a button, "" if nothing */
  busy = "";
  /** @type {Note[]} of the last change that was refused */
  errors = [];
  /** @type {Note[]} of the last change that was made */
  noted = [];
  /** @type {Note | null} what was typed and can't be read: nothing is saved until it can */
  obstacle = null;
  /** @type {{kind: "info" | "warning" | "danger", text: string, actions: {text: string, do: () => void}[]} | null} what to know before going on */
  notice = null;

  /**
   * @param {Shell} shell
   * @param {Popup | null} saved answer of the server
   * @param {() => void} draw
   */
  constructor(shell, saved, draw) {
    this.shell = shell;
    this.saved = saved;
    this.popup = saved ? written(saved) : empty;
    this.update = draw;
    this.unsaved = new Unsaved(saved?.key ?? "", draw);
  }

  /** Version that the changes are based on; 0 for a new one. */
  get version() { return this.saved?.version ?? 0; }

  /** @returns {Popup["status"]} */
  get status() { return this.saved?.status ?? "draft"; }

  /** Whether it can't be changed: it is archived, or the role does not allow it. Editors change drafts alone. */
  get readonly() { return this.status === "archived" || !this.shell.may(this.status === "draft" ? "editor" : "publisher"); }

  /** Whether something was typed that the server does not have. */
  get isDirty() { return !equal(this.popup, this.saved ? written(this.saved) : empty); }

  /**
   * Writes a value into the popup; undefined removes what is there.
   * @param {string} pointer "/frequency/after_click_sec"
   * @param {any} value
   */
  set(pointer, value) {
    this.popup = put(this.popup, pointer, value);
    const touched = (/** @type {Note} */ note) => isWithin(note.pointer, pointer) || (note.pointer !== "" && isWithin(pointer, note.pointer));
    this.errors = this.errors.filter((note) => !touched(note));
    this.noted = this.noted.filter((note) => !touched(note));
    this.keep();
  }

  /** What was typed into fields whose values are not texts. @type {Map<string, string>} */
  #typed = new Map();

  /** Writes what a text that was typed means. @param {string} pointer @param {string} typed @param {any} value */
  type(pointer, typed, value) {
    this.#typed.set(pointer, typed);
    this.set(pointer, value);
  }

  /**
   * The text of such a field: as it was typed while that is what the popup says.
   * @param {string} pointer @param {(typed: string) => any} read @param {(value: any) => string} write
   */
  typed(pointer, read, write) {
    const typed = this.#typed.get(pointer), value = this.at(pointer);
    return typed !== undefined && equal(read(typed), value) ? typed : value === undefined ? "" : write(value);
  }

  /** Puts another popup into the form, as typed. Its status stays: that is what the buttons are for. @param {Popup} popup */
  replace(popup) {
    this.popup = { ...popup, status: this.status };
    this.errors = this.noted = [];
    this.keep();
  }

  /** Keeps what is unsaved in the browser, and draws. */
  keep() {
    if (this.isDirty) this.unsaved.keep({ popup: this.popup, base: this.saved });
    else this.unsaved.forget();
    this.update();
  }

  /** Takes what the server has now. What is in the form stays if it was changed. @param {Popup & {warnings?: Note[]}} answer */
  accept(answer) {
    if (answer.warnings) this.noted = answer.warnings;
    const { status, ...now } = written(answer);
    const { status: _, ...before } = written(this.saved ?? empty);
    if (!this.isDirty) this.popup = written(answer);
    else if (!equal(now, before)) return this.#standing(status); // somebody else's change: saving asks what to do with it
    this.saved = answer;
    this.popup = { ...this.popup, status };
    this.keep();
  }

  /**
   * The server has what was sent. What was typed since stays, unsaved.
   * @param {Popup & {warnings?: Note[]}} answer @param {Popup} [sent]
   */
  acceptSaved(answer, sent = this.popup) {
    const saved = written(answer);
    this.saved = answer;
    this.popup = /** @type {Popup} */ (merged(saved, this.popup, differences(sent, this.popup)));
    this.errors = [];
    this.noted = answer.warnings ?? [];
    this.notice = null;
    this.unsaved.rename(answer.key);
    this.keep();
  }

  /** Makes a new popup of what is in the form. */
  copy() {
    this.saved = this.notice = null;
    this.errors = this.noted = [];
    this.popup = { ...this.popup, key: "", status: "draft" };
    this.unsaved.rename("");
    history.pushState(null, "", "/new");
    this.keep();
  }

  /** @param {Popup["status"]} status */
  #standing(status) {
    this.saved = { .../** @type {Popup} */ (this.saved), status };
    this.popup = { ...this.popup, status };
    this.keep();
  }

  /** The words of what is wrong there, "" if nothing. @param {string} pointer */
  error(pointer) { return this.errors.filter((note) => note.pointer === pointer).map((note) => note.detail).join(" "); }

  /** What is wrong there or in what is below. @param {string} pointer */
  errorsBelow(pointer) { return this.errors.filter((note) => isWithin(note.pointer, pointer)); }

  /** What is valid there and has no effect. @param {string} pointer */
  warnings(pointer) { return this.noted.filter((note) => note.pointer === pointer).map((note) => note.detail); }

  /** The value there. @param {string} pointer */
  at(pointer) { return at(this.popup, pointer); }

  /** The id, and name, of the field that edits what is there: errors lead to it. @param {string} pointer */
  id(pointer) { return ["popup", ...steps(pointer)].join("-"); }
}
