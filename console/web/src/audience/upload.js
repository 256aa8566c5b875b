// Sends a list of user ids. fetch does not tell how much was sent: XMLHttpRequest does.
import { ApiError } from "../api.js";
import { t } from "../i18n.js";
import { logInAgain } from "../login.js";

/**
 * @typedef {object} Options
 * @property {boolean} csv
 * @property {string} [match] version that it replaces; without it there must be none
 * @property {(sent: number) => void} progress bytes that were sent
 * @property {AbortSignal} signal
 */

/**
 * Resolves once the list is in force. When the session has ended the operator logs in again,
 * and all of it is sent anew.
 * @param {string} key @param {Blob} list @param {Options} options
 * @returns {Promise<any>} @throws {ApiError}, or an AbortError
 */
export async function upload(key, list, options) {
  for (;;) {
    const answer = await once(key, list, options);
    if (answer.status !== 401) return answer.body;
    if (answer.body.code === "several_sessions") throw new ApiError(401, answer.body); // no log-in helps
    await logInAgain();
  }
}

/** @param {string} key @param {Blob} list @param {Options} options @returns {Promise<{status: number, body: any}>} */
function once(key, list, { csv, match, progress, signal }) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const stop = () => request.abort();
    request.open("PUT", "/v1/admin/audiences/" + encodeURIComponent(key));
    request.setRequestHeader("Accept", "application/json");
    request.setRequestHeader("Content-Type", csv ? "text/csv" : "text/plain");
    if (match === undefined) request.setRequestHeader("If-None-Match", "*");
    else request.setRequestHeader("If-Match", `"${match}"`);
    request.upload.onprogress = (event) => progress(event.loaded);
    request.onloadend = () => signal.removeEventListener("abort", stop);
    request.onabort = () => reject(new DOMException("cancelled", "AbortError"));
    request.onerror = () => reject(new ApiError(0, { code: "upload_cut", detail: t("list.cut") }));
    request.onload = () => {
      const isJSON = request.getResponseHeader("Content-Type")?.includes("json");
      const body = isJSON ? JSON.parse(request.responseText) : { detail: request.statusText };
      if (request.status < 400 || request.status === 401) resolve({ status: request.status, body });
      else reject(new ApiError(request.status, body));
    };
    signal.addEventListener("abort", stop);
    if (signal.aborted) return request.abort();
    request.send(list);
  });
}
