// What went wrong, in the operator's words.
import { ApiError } from "./api.js";
import { has, t } from "./i18n.js";

/**
 * Says what an error means: by its code where messages/LANG/problem.json has it, else as the
 * server does. Load these messages before.
 * @param {unknown} error
 * @param {Record<string, string | number>} [values] that the text of a page needs
 */
export function inWords(error, values = {}) {
  if (!(error instanceof ApiError)) return String(error);
  const key = "problem." + error.code;
  if (!has(key)) return error.detail;
  const role = "shell.role." + error.problem.role;
  return t(key, { role: has(role) ? t(role) : "", ...values });
}

/** What is wrong with a member of what was sent, "" if nothing. @param {unknown} error @param {string} pointer */
export const errorAt = (error, pointer) => error instanceof ApiError ? error.errors.find((e) => e.pointer === pointer)?.detail ?? "" : "";
