// The rule of an audience while it is edited: a form of conditions, as the targeting of a popup.
import { at, equal, isWithin, put } from "../pointer.js";

/** @typedef {import("../operators.js").Condition} Condition @typedef {{all: Condition[], any: Condition[], none: Condition[]}} Rule */
/** @typedef {{pointer: string, detail: string}} Note */

/** @type {Rule} */
const nobody = { all: [], any: [], none: [] };

export class RuleForm {
  /** @type {Note[]} of the last change that was refused */
  errors = [];

  /**
   * @param {import("../console.js").Shell} shell @param {() => void} update draws it anew
   * @param {Rule} [rule] in force; without one it is new
   */
  constructor(shell, update, rule) {
    this.shell = shell;
    this.update = update;
    this.readonly = !shell.may("editor");
    this.take(rule);
  }

  /** Begins anew with the rule that is in force. @param {Rule} [rule] */
  take(rule = nobody) {
    this.saved = this.document = { rule: { ...nobody, ...rule } };
    this.errors = [];
  }

  get isDirty() { return !equal(this.saved, this.document); }

  /** @param {string} pointer */
  at(pointer) { return at(this.document, pointer); }

  /** @param {string} pointer @param {any} value */
  set(pointer, value) {
    this.document = put(this.document, pointer, value);
    this.errors = this.errors.filter((note) => !isWithin(note.pointer, pointer) && !isWithin(pointer, note.pointer));
    this.update();
  }

  /** @param {string} pointer */
  error(pointer) { return this.errors.find((note) => note.pointer === pointer)?.detail ?? ""; }

  /** @param {string} pointer */
  errorsBelow(pointer) { return this.errors.filter((note) => isWithin(note.pointer, pointer)); }

  /** The server warns of popups alone. @returns {string[]} */
  warnings() { return []; }

  /** @param {string} pointer */
  id(pointer) { return "audience" + pointer.replaceAll("/", "-"); }
}
