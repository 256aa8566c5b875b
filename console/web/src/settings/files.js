// The whole configuration as a file: download it, compare a file with what is in force, apply it.
import { html, nothing } from "lit/html.js";
import { ApiError, get, send } from "../api.js";
import { diffView } from "../diff.js";
import { t } from "../i18n.js";
import { inWords } from "../problem.js";
import { steps } from "../pointer.js";
import { announce, confirmDialog, notice } from "../ui.js";
import { capText } from "./words.js";

/** @typedef {{kind: "popup" | "settings" | "audience", key: string, action: "create" | "update" | "archive" | "unchanged", from_version: number, to_version: number,
 *   changes: {pointer: string, from?: any, to?: any}[], more: number, warnings: {pointer: string, detail: string}[]}} Change */
/** @typedef {{revision: number, summary: {create: number, update: number, archive: number, unchanged: number}, objects: Change[]}} Plan */

const largest = 64 << 20;
const mostShown = 200;

/**
 * Returns what draws the part of the page.
 * @param {import("../console.js").Shell} shell @param {() => void} draw @param {() => Promise<void>} applied called when an import is in force
 */
export function files(shell, draw, applied) {
  let name = "", text = "", match = "", busy = "", stale = false;
  /** @type {Plan | null} */
  let plan = null;
  /** @type {unknown} */
  let failure = null;

  /** Does one thing at a time, and keeps what went wrong. @param {string} doing @param {() => Promise<void>} what */
  const run = async (doing, what) => {
    if (busy !== "") return;
    busy = doing;
    failure = null;
    draw();
    try {
      await what();
    } catch (error) {
      failure = error;
    }
    busy = "";
    draw();
  };

  const download = () => run("export", async () => {
    const { body, etag } = await get("export", { text: true });
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([body], { type: "application/json" }));
    link.download = `popupd-${location.hostname}-${etag.split(".")[0]}.json`;
    link.click();
    URL.revokeObjectURL(link.href);
    announce(t("settings.files.exported", { name: link.download }));
  });

  const choose = async (/** @type {Event} */ event) => {
    const input = /** @type {HTMLInputElement} */ (event.target);
    const file = input.files?.[0];
    input.value = ""; // the same file may be chosen again, once it is mended
    if (!file) return;
    plan = null;
    stale = false;
    name = file.name;
    await run("compare", async () => {
      if (/\.ya?ml$/i.test(name)) throw new ApiError(0, { detail: t("settings.files.yaml") });
      if (file.size > largest) throw new ApiError(413, { code: "body_too_large" });
      text = await file.text();
      await compare();
    });
  };

  const compare = async () => {
    const { body, etag } = await send("PUT", "import?dry_run=1", text, { type: "application/json" });
    plan = body;
    match = etag;
    const n = body.summary.create + body.summary.update + body.summary.archive;
    announce(n === 0 ? t("settings.files.same") : t("settings.files.differs", { n }));
  };

  /** Compares without the versions in the file: it replaces what was changed since, too. */
  const compareAnyway = () => run("compare", () => {
    text = withoutVersions(text);
    return compare();
  });

  const apply = async () => {
    if (plan === null) return;
    const archived = plan.objects.filter((o) => o.action === "archive").map((o) => o.key);
    const yes = await confirmDialog({
      name: t("settings.files.apply.title"), action: t("settings.files.apply"), danger: archived.length > 0,
      text: html`<p>${summary(plan)}</p><p>${t("settings.files.apply.text")}</p>${archived.length > 0 ? notice("warning", t("settings.files.apply.archives", { keys: archived.slice(0, 20).join(", "), n: archived.length })) : nothing}`,
    });
    if (!yes) return;
    await run("apply", async () => {
      try {
        const { body } = await send("PUT", "import", text, { type: "application/json", match });
        plan = null;
        announce(t("settings.files.applied", { n: body.revision }));
        await applied();
      } catch (error) {
        if (!(error instanceof ApiError && error.code === "stale_revision")) throw error;
        stale = true;
        plan = null;
        await compare();
      }
    });
  };

  const summary = (/** @type {Plan} */ { summary: n }) => t("settings.files.summary", { create: n.create, update: n.update, archive: n.archive, unchanged: n.unchanged });

  const planPart = () => {
    if (plan === null) return nothing;
    const file = JSON.parse(text);
    const changed = plan.objects.filter((o) => o.action !== "unchanged");
    if (changed.length === 0) return notice("good", t("settings.files.same"));
    return html`<div class="plan">
      ${stale ? notice("warning", t("settings.files.stale")) : nothing}
      <p class="summary">${summary(plan)}</p>
      <ul class="objects">${changed.slice(0, mostShown).map((o) => object(o, file))}</ul>
      ${changed.length > mostShown ? html`<p class="muted">${t("settings.files.more", { n: changed.length - mostShown })}</p>` : nothing}
      ${shell.may("admin")
        ? html`<div class="buttons"><button type="button" @click=${() => { plan = null; draw(); }}>${t("settings.discard")}</button><button type="button" class="primary" ?disabled=${busy !== ""} @click=${apply}>${t("settings.files.apply")}</button></div>`
        : notice("info", t("settings.files.admin", { role: t("shell.role.admin") }))}
    </div>`;
  };

  return () => html`<section class="card files" aria-labelledby="files-title"><h2 id="files-title">${t("settings.files")}</h2>
    <p class="muted">${t("settings.files.text")}</p>
    <div class="two">
      <div><h3>${t("settings.files.export")}</h3><p class="muted">${t("settings.files.export.text")}</p>
        <button type="button" ?disabled=${busy !== ""} @click=${download}>${t(busy === "export" ? "settings.files.busy" : "settings.files.download")}</button></div>
      <div><h3>${t("settings.files.import")}</h3><p class="muted">${t("settings.files.import.text")}</p>
        <label class="file" for="import-file">${t("settings.files.choose")}</label>
        <input type="file" id="import-file" accept=".json,application/json" ?disabled=${busy !== ""} @change=${choose}></div>
    </div>
    <div aria-live="polite">${busy === "compare" || busy === "apply" ? html`<p class="notice">${t("settings.files.busy." + busy, { name })}</p>` : nothing}</div>
    ${failure === null ? nothing : notice("danger", html`${problem(name, failure)}${mistakes(failure, text)}
      ${failure instanceof ApiError && failure.code === "stale_version" ? html`<button type="button" @click=${compareAnyway}>${t("settings.files.anyway")}</button>` : nothing}`)}
    ${plan !== null ? html`<h3 class="plan-title">${t("settings.files.plan", { name })}</h3>` : nothing}
    ${planPart()}
  </section>`;
}

/** What went wrong, and what the server says of where. @param {string} name @param {unknown} error */
function problem(name, error) {
  const code = error instanceof ApiError ? error.code : "";
  const text = code === "stale_version" ? t("settings.files.versions") : code === "invalid_fields" ? t("settings.files.mistakes") : inWords(error);
  return html`<p>${name ? html`<b>${name}</b>: ` : nothing}${text}${code === "malformed_json" ? " " + /** @type {ApiError} */ (error).detail : nothing}</p>`;
}

/** The mistakes in a file, each with the object that it is in. @param {unknown} error @param {string} text */
function mistakes(error, text) {
  if (!(error instanceof ApiError) || error.errors.length === 0) return nothing;
  return html`<ul class="mistakes">${error.errors.map(({ pointer, detail }) => html`<li><code>${pointer || "/"}</code> ${keyAt(text, pointer)} ${detail}</li>`)}</ul>`;
}

/** The key of the popup or audience that a pointer leads into. @param {string} text @param {string} pointer */
function keyAt(text, pointer) {
  const [, list, i] = pointer.split("/");
  try {
    const key = JSON.parse(text)[list][i].key;
    return typeof key === "string" ? html`<b>${key}</b>` : nothing;
  } catch {
    return nothing;
  }
}

/** A configuration without the versions that its objects must have. @param {string} text */
function withoutVersions(text) {
  const json = /** @type {any} */ (JSON); // numbers stay as they are written where the browser can do that
  const whole = json.rawJSON ? json.parse(text, (/** @type {string} */ _, /** @type {unknown} */ value, /** @type {{source: string}} */ { source }) => typeof value === "number" ? json.rawJSON(source) : value) : JSON.parse(text);
  for (const object of [whole.settings, ...whole.popups ?? [], ...whole.audiences ?? []]) delete object?.version;
  return JSON.stringify(whole);
}

/**
 * The members on the way to a change. Elements are named by their keys, as in the file.
 * @param {Change} o @param {Change["changes"][0]} change @param {any} file
 */
function namesOf(o, { pointer, from, to }, file) {
  let at = o.kind === "settings" ? file?.settings : file?.[o.kind + "s"]?.find?.((/** @type {any} */ one) => one?.key === o.key);
  const path = steps(pointer);
  return path.map((step, i) => {
    at = i === path.length - 1 && to === undefined ? from : at?.[step]; // of what is removed the file has nothing
    return /^\d+$/.test(step) && typeof at?.key === "string" ? at.key : step;
  });
}

/** A value of a change; a cap in words. @param {any} value */
const said = (value) => typeof value?.per_sec === "number" && Array.isArray(value.tags) ? capText(value) : value;

/** An object that an import changes. @param {Change} o @param {any} file */
function object(o, file) {
  const href = o.kind === "settings" ? "/settings" : `/${o.kind}s/${o.key}`;
  const title = html`<span class="badge ${{ create: "active", update: "draft", archive: "paused", unchanged: "" }[o.action]}">${t("settings.files.action." + o.action)}</span>
    ${t("settings.files.kind." + o.kind)} ${o.kind === "settings" ? nothing : html`<b>${o.key}</b>`}`;
  const rest = html`${o.changes.length > 0 ? diffView(o.changes.map((change) => ({ pointer: change.pointer, names: namesOf(o, change, file), before: said(change.from), after: said(change.to) }))) : nothing}
    ${o.more > 0 ? html`<p class="muted">${t("settings.files.changes.more", { n: o.more })}</p>` : nothing}
    ${o.warnings.length > 0 ? html`<ul class="warning">${o.warnings.map((w) => html`<li><code>${w.pointer}</code> ${w.detail}</li>`)}</ul>` : nothing}
    ${o.action === "create" ? nothing : html`<p><a href=${href}>${t("settings.files.open")}</a></p>`}`;
  if (o.action === "create" && o.warnings.length === 0) return html`<li class="object">${title}</li>`;
  return html`<li class="object"><details><summary>${title} <span class="muted">${o.changes.length > 0 ? t("settings.files.changes", { n: o.changes.length + o.more }) : nothing}</span></summary>${rest}</details></li>`;
}
