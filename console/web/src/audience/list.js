// The form that uploads a list of user ids: choosing it, its way to the server, what came of it.
import { html, nothing } from "lit/html.js";
import { ApiError, get } from "../api.js";
import { ago, duration, number, percent, size, t } from "../i18n.js";
import { inWords } from "../problem.js";
import { announce, dialog, field, notice } from "../ui.js";
import { firstField, firstIds, linesOf, looksLikeCSV, refusal } from "./file.js";
import { upload } from "./upload.js";

/**
 * @typedef {object} Target
 * @property {() => string} key of the audience, "" if it can't be one: then it says so itself
 * @property {() => string | undefined} match version that is replaced; undefined: it must be new
 * @property {(stored: any) => void} done the list is in force
 * @property {(error: ApiError) => boolean} [refused] takes an error that is not of the list
 */

/**
 * Returns what draws the form. There is one on a page.
 * @param {Target} target @param {() => void} draw
 */
export function listForm(target, draw) {
  /** @type {File | null} */
  let file = null;
  let pasted = "", from = "file", csv = false, wrong = "";
  /** @type {string[]} */
  let ids = [];
  /** @type {{stop: AbortController, began: number, size: number, sent: number, lines: number} | null} */
  let running = null;
  /** @type {unknown} */
  let failure = null;
  /** @type {Map<number, string>} */
  let broken = new Map();
  let cancelled = "";

  const source = () => from === "paste" ? new Blob([pasted]) : file;
  const leave = (/** @type {BeforeUnloadEvent} */ event) => event.preventDefault();

  const look = async () => {
    const list = source();
    failure = null;
    cancelled = "";
    const why = list === null ? "" : await refusal(list);
    wrong = why === "" ? "" : t("list.refused." + why);
    ids = list === null || wrong !== "" ? [] : await firstIds(list, csv);
    draw();
  };

  const choose = (/** @type {File | undefined} */ chosen) => {
    if (!chosen) return;
    file = chosen;
    csv = looksLikeCSV(chosen);
    look();
  };

  const send = async () => {
    const list = source(), key = target.key();
    cancelled = "";
    if (list === null || (list.size === 0 && from === "paste")) wrong = t(from === "paste" ? "list.refused.empty" : "list.choose");
    draw();
    if (key === "" || list === null || wrong !== "" || running !== null) return;
    failure = null;
    const stop = new AbortController();
    running = { stop, began: Date.now(), size: list.size, sent: 0, lines: 0 };
    addEventListener("beforeunload", leave);
    const watching = setInterval(() => watch(key), 1000);
    draw();
    const match = target.match();
    try {
      const stored = await upload(key, list, { csv, match, signal: stop.signal, progress: (sent) => { if (running) running.sent = sent; draw(); } });
      file = null;
      pasted = "";
      ids = [];
      announce(t("list.done", { n: stored.members }) + (stored.duplicates > 0 ? " " + t("list.duplicates", { n: stored.duplicates }) : ""));
      target.done(stored);
    } catch (error) {
      await failed(error, key, match, list);
    } finally {
      clearInterval(watching);
      removeEventListener("beforeunload", leave);
      running = null;
      draw();
    }
  };

  /** How far the server has come: it reads while it receives. @param {string} key */
  const watch = async (key) => {
    const { body } = await get("audiences", { background: true }).catch(() => ({ body: {} }));
    if (running && body.upload?.key === key) {
      running.lines = body.upload.lines;
      draw();
    }
  };

  const failed = async (/** @type {unknown} */ error, /** @type {string} */ key, /** @type {string | undefined} */ match, /** @type {Blob} */ list) => {
    if (error instanceof DOMException) {
      // What was sent to its end may be in force all the same.
      const now = await get("audiences/" + key, { background: true }).catch(() => null);
      if (now && now.etag !== match) {
        cancelled = t("list.late");
        target.done(now.body);
      } else {
        cancelled = t("list.cancelled");
      }
      return announce(cancelled);
    }
    if (error instanceof ApiError && error.code === "stale_version") {
      const again = await replaceAnyway(key);
      running = null;
      return again ? send() : undefined;
    }
    if (error instanceof ApiError && target.refused?.(error)) return;
    failure = error;
    broken = error instanceof ApiError && error.problem.lines ? await linesOf(list, error.problem.lines.map((/** @type {{line: number}} */ l) => l.line)).catch(() => new Map()) : new Map();
    announce(inWords(error));
  };

  /** Somebody else has uploaded meanwhile: asks which list is to stay. @param {string} key */
  const replaceAnyway = async (key) => {
    const { body } = await get("audiences/" + key);
    const yes = await dialog({ name: t("list.conflict"), body: (/** @type {(yes?: boolean) => void} */ close) => html`
      <p>${t("list.conflict.text", { who: body.updated_by, when: ago(body.updated_at) })} ${body.kind === "list" ? t("list.conflict.members", { n: body.members }) : t("list.conflict.rule")}</p>
      <div class="buttons"><button type="button" @click=${() => close(false)}>${t("list.conflict.keep")}</button><button type="button" class="primary" @click=${() => close(true)}>${t("list.conflict.replace")}</button></div>` });
    target.done(body); // its version is the one to replace from now on
    return yes === true;
  };

  const progressPart = () => {
    if (running === null) return nothing;
    const { sent, size: all, began, lines } = running;
    const isSent = sent >= all, sec = (Date.now() - began) / 1000;
    const left = sent > 0 && sec > 2 ? Math.ceil((all - sent) / (sent / sec)) : 0;
    return html`<div class="progress">
      <label for="list-progress">${t(isSent ? "list.reading" : "list.sending")}</label>
      <progress id="list-progress" max=${all} value=${isSent ? nothing : sent}></progress>
      <p class="muted">${isSent ? t("list.sent", { size: size(all) }) : t("list.progress", { sent: size(sent), size: size(all), share: percent(sent / all) })}
        ${lines > 0 ? t("list.lines", { n: lines }) : nothing} ${!isSent && left > 0 ? t("list.left", { time: duration(left < 60 ? left : 60 * Math.ceil(left / 60)) }) : nothing}</p>
      <button type="button" @click=${() => running?.stop.abort()}>${t("shell.cancel")}</button>
    </div>`;
  };

  const linesPart = () => {
    if (!(failure instanceof ApiError) || !failure.problem.lines) return undefined;
    const { lines, broken_lines: total } = failure.problem;
    return html`<p>${t("list.broken", { n: total })} ${total > lines.length ? t("list.broken.first", { n: lines.length }) : nothing}</p>
      <div class="scroll" tabindex="0" role="region" aria-label=${t("list.broken.title")}><table class="broken">
        <thead><tr><th scope="col" class="number">${t("list.line")}</th><th scope="col">${t("list.text")}</th><th scope="col">${t("list.why")}</th></tr></thead>
        <tbody>${lines.map((/** @type {{line: number, detail: string}} */ { line, detail }) => html`<tr><td class="number">${number(line)}</td><td><code>${visible(broken.get(line))}</code></td><td>${whyOf(broken.get(line), csv, detail)}</td></tr>`)}</tbody></table></div>`;
  };

  return (/** @type {string} */ action) => html`<form class="upload" novalidate @submit=${(/** @type {Event} */ event) => { event.preventDefault(); send(); }}
      @dragover=${(/** @type {Event} */ event) => event.preventDefault()} @drop=${(/** @type {DragEvent} */ event) => { event.preventDefault(); from = "file"; if (running === null) choose(event.dataTransfer?.files[0]); }}>
    <fieldset class="sources" ?disabled=${running !== null}><legend class="hidden">${t("list.source")}</legend>
      ${["file", "paste"].map((each) => html`<label><input type="radio" name="source" value=${each} .checked=${from === each} @change=${() => { from = each; csv = each === "file" && file !== null && looksLikeCSV(file); look(); }}> ${t("list.from." + each)}</label>`)}
    </fieldset>
    ${from === "file"
      ? html`<div class="field drop"><label for="list-file">${t("list.file")}</label>
          <input type="file" id="list-file" accept=".txt,.csv,text/plain,text/csv" ?disabled=${running !== null} aria-invalid=${wrong ? "true" : nothing} aria-describedby="list-file-hint${wrong ? " list-error" : ""}"
            @change=${(/** @type {Event} */ event) => choose(/** @type {HTMLInputElement} */ (event.target).files?.[0])}>
          <p class="hint" id="list-file-hint">${t("list.file.hint")}</p>
          ${file ? html`<p><b>${file.name}</b> <span class="muted">${size(file.size)}</span></p>` : nothing}</div>`
      : field({ label: t("list.paste"), name: "list-paste", rows: 8, value: pasted, disabled: running !== null, input: (value) => { pasted = value; look(); } })}
    ${wrong ? html`<p class="error" id="list-error" role="alert">${wrong}</p>` : nothing}
    ${source() !== null && wrong === "" ? html`
      ${field({ label: t("list.format"), name: "list-format", value: csv ? "csv" : "text", disabled: running !== null, hint: csv ? t("list.format.csv.hint") : t("list.format.text.hint"),
        options: [{ value: "text", text: t("list.format.text") }, { value: "csv", text: t("list.format.csv") }], input: (value) => { csv = value === "csv"; look(); } })}
      ${ids.length > 0 ? html`<p class="first">${t("list.first")} ${ids.map((id) => html`<code>${visible(id)}</code> `)}</p>` : nothing}` : nothing}
    ${progressPart()}
    ${cancelled ? notice("info", cancelled) : nothing}
    ${failure !== null ? notice("danger", linesPart() ?? html`<p>${wordsOf(failure)}</p>`) : nothing}
    ${running === null ? html`<div class="buttons"><button class="primary">${action}</button></div>` : nothing}
  </form>`;
}

/** @param {unknown} error */
export const wordsOf = (error) => error instanceof ApiError && error.code === "role_required" ? t("list.role", { role: t("shell.role." + error.problem.role) }) : inWords(error);

/** A text with what can't be seen in it made visible, cut to what fits. @param {string | undefined} text */
function visible(text) {
  if (text === undefined) return "";
  const shown = text.replace(/[\u0000-\u001f\u007f-\u009f]/g, (c) => "\\x" + c.charCodeAt(0).toString(16).padStart(2, "0")).replaceAll(" ", "·");
  return shown.length > 80 ? shown.slice(0, 80) + "…" : shown;
}

/** Why a line holds no id, as can be seen from here; else as the server says it. @param {string | undefined} text @param {boolean} csv @param {string} detail */
function whyOf(text, csv, detail) {
  if (text === undefined) return detail;
  const id = csv ? firstField(text) : text, bytes = new TextEncoder().encode(id).length;
  if (csv && text.includes('"') && !/^("([^"]|"")*"|[^",]*)(,|$)/.test(text)) return t("list.why.quote");
  if (id === "") return t("list.why.empty");
  if (id.includes("\ufffd")) return t("list.why.utf8");
  if (bytes > 128) return t("list.why.long", { n: bytes });
  if (/[\u0000-\u001f\u007f-\u009f]/.test(id)) return t("list.why.control");
  return detail;
}
