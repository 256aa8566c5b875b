// The REST API, as pages call it.
import { logInAgain } from "./login.js";
import { t } from "./i18n.js";

/** An answer that is an error (RFC 9457), or none: status 0. */
export class ApiError extends Error {
  /**
   * @param {number} status
   * @param {{code?: string, title?: string, detail?: string, errors?: {pointer: string, detail: string}[]} & Record<string, any>} problem
   */
  constructor(status, problem) {
    super(problem.detail || problem.title || problem.code || String(status));
    this.status = status;
    this.code = problem.code ?? "";
    this.detail = this.message;
    this.errors = problem.errors ?? [];
    this.problem = problem;
  }
}

/**
 * @typedef {object} Options
 * @property {string} [match] If-Match: the version that the change is based on
 * @property {boolean} [fresh] If-None-Match: nothing must be there yet
 * @property {boolean} [background] nobody asked for it: it does not keep the session alive
 * @property {string} [type] Content-Type; without one the body is sent as JSON
 * @property {boolean} [text] the answer is given as it came: numbers of JSON that JavaScript can't hold stay what they are
 * @property {AbortSignal} [signal]
 */

/**
 * Reads a path below /v1/admin.
 * @param {string} path "popups?limit=50" @param {Options} [options]
 * @returns {Promise<{body: any, etag: string}>} @throws {ApiError}
 */
export const get = (path, options) => send("GET", path, undefined, options);

/**
 * Sends a request to a path below /v1/admin, or to one that begins with a slash. When the
 * session has ended it lets the operator log in again, and then goes on: nothing that was
 * typed is lost.
 * @param {string} method @param {string} path @param {unknown} [body] @param {Options} [options]
 * @returns {Promise<{body: any, etag: string}>} body is null for 204 @throws {ApiError}
 */
export async function send(method, path, body, options = {}) {
  /** @type {Record<string, string>} */
  const headers = { Accept: "application/json" };
  if (options.match !== undefined) headers["If-Match"] = `"${options.match}"`;
  if (options.fresh) headers["If-None-Match"] = "*";
  if (options.background) headers["Popupd-Background"] = "1";
  if (body !== undefined) headers["Content-Type"] = options.type ?? "application/json";
  const init = { method, headers, signal: options.signal, body: body === undefined ? undefined : options.type ? /** @type {BodyInit} */ (body) : JSON.stringify(body) };
  for (;;) {
    let response, text;
    try {
      response = await fetch(path.startsWith("/") ? path : "/v1/admin/" + path, init);
      text = await response.text();
    } catch (error) {
      if (options.signal?.aborted) throw error;
      throw new ApiError(0, { code: "offline", detail: t("shell.offline") });
    }
    const json = text !== "" && response.headers.get("Content-Type")?.includes("json");
    if (!response.ok) {
      const error = new ApiError(response.status, json ? JSON.parse(text) : { detail: response.statusText });
      if (error.status !== 401 || error.code === "several_sessions") throw error; // of several cookies no log-in helps
      await logInAgain();
      continue;
    }
    return { body: text === "" ? null : json && !options.text ? JSON.parse(text) : text, etag: (response.headers.get("ETag") ?? "").replaceAll('"', "") };
  }
}
