// What holds for all popups together: the least gap, caps, the holdout; and all of it as files.
import { html, nothing, render } from "lit/html.js";
import { ApiError, get, send } from "../api.js";
import { chipsField } from "../chips.js";
import { ago, has, load, percent, t } from "../i18n.js";
import { inWords } from "../problem.js";
import { settle } from "../settings/conflict.js";
import { files } from "../settings/files.js";
import { formOf, mostCaps, settingsOf } from "../settings/form.js";
import { capText, entries, meaning } from "../settings/words.js";
import { spanOf } from "../span.js";
import { spanField } from "../spanfield.js";
import { announce, confirmDialog, field, notice, pageHead, settingsTabs } from "../ui.js";

/** @typedef {import("../settings/form.js").Settings} Settings */
/** @typedef {import("../settings/form.js").CapForm} CapForm */

/** @param {HTMLElement} main @param {import("../console.js").Shell} shell */
export default async function settings(main, shell) {
  const texts = load("problem", "span");
  /** @type {Settings & {version: number, updated_at: string | null}} */
  let saved = (await get("settings")).body;
  await texts;
  let form = formOf(saved);
  let tried = false, busy = false;
  /** @type {{pointer: string, code: string, detail: string}[]} */
  let warnings = [];
  /** @type {unknown} */
  let failure = null;
  /** @type {{polls?: number, before?: number, after?: number, problem?: string, running?: boolean} | null} */
  let trial = null;
  /** @type {string[]} */
  let known = [];

  const bare = (/** @type {Settings} */ { min_gap_sec, caps, holdout }) => ({ min_gap_sec, caps, holdout });
  const isDirty = () => JSON.stringify(form) !== JSON.stringify(formOf(saved));
  const set = (/** @type {Partial<typeof form>} */ change) => {
    form = { ...form, ...change };
    warnings = [];
    failure = trial = null;
    draw();
  };
  const setCap = (/** @type {number} */ i, /** @type {Partial<CapForm>} */ change) => set({ caps: form.caps.map((cap, at) => at === i ? { ...cap, ...change } : cap) });
  const take = (/** @type {typeof saved} */ now) => {
    saved = now;
    form = formOf(now);
    tried = false;
    failure = trial = null;
  };
  const part = files(shell, () => draw(), async () => {
    if (!isDirty()) take((await get("settings")).body);
    draw();
  });

  /** Whether a key is still to be entered: that is no mistake yet. @param {string} pointer */
  const isBlank = (pointer) => form.caps.some((cap, i) => pointer === `/caps/${i}/key` && cap.key === "");

  const save = async () => {
    tried = true;
    const { settings, errors } = settingsOf(form);
    draw();
    if (errors.size > 0) {
      /** @type {HTMLElement | null} */ (main.querySelector("[aria-invalid]"))?.focus();
      return announce(t("problem.invalid_fields"));
    }
    if (settings.holdout.percent === 100 && saved.holdout.percent !== 100 &&
      !await confirmDialog({ name: t("settings.all.title"), text: html`<p>${t("settings.means.holdout.all")}</p>`, action: t("settings.save"), danger: true })) return;
    busy = true;
    failure = null;
    draw();
    try {
      const { body } = await send("PUT", "settings", settings, { match: String(saved.version) });
      take(body);
      warnings = body.warnings;
      announce(t(warnings.length > 0 ? "settings.saved.warned" : "settings.saved"));
    } catch (error) {
      if (error instanceof ApiError && error.status === 412) await conflict(settings);
      else failure = error;
    }
    busy = false;
    draw();
  };

  const conflict = async (/** @type {Settings} */ mine) => {
    const theirs = (await get("settings")).body;
    const merged = await settle(bare(saved), mine, theirs);
    if (merged === undefined) return;
    take(theirs);
    form = formOf(merged);
    announce(t(isDirty() ? "settings.conflict.merged" : "settings.conflict.taken"));
  };

  const tryOut = async () => {
    trial = { running: true };
    draw();
    try {
      const { body } = await send("POST", "simulate", { settings: settingsOf(form).settings });
      trial = { polls: body.polls, before: body.answered_before, after: body.answered_after };
    } catch (error) {
      trial = { problem: error instanceof ApiError && error.code === "no_sample" ? t("settings.try.none") : error instanceof ApiError && error.code === "busy" ? t("settings.try.busy") : inWords(error) };
    }
    draw();
  };

  const draw = () => {
    const { settings, errors } = settingsOf(form);
    /** @param {string} pointer */
    const error = (pointer) => (errors.has(pointer) && (tried || !isBlank(pointer)) ? t("settings.error." + errors.get(pointer)) : undefined) ?? (failure instanceof ApiError ? failure.errors.find((e) => e.pointer === pointer)?.detail : undefined) ?? "";
    const warned = (/** @type {string} */ pointer) => warnings.filter((w) => w.pointer === pointer || w.pointer.startsWith(pointer + "/")).map((w) => has("settings.warning." + w.code) ? t("settings.warning." + w.code) : w.detail);
    render(html`${pageHead({ title: t("shell.nav.settings"), tabs: settingsTabs("settings"), lead: html`${t("settings.lead")} <a href="/audit?kind=config">${saved.updated_at ? t("settings.version", { n: saved.version, when: ago(saved.updated_at) }) : t("settings.version.none")}</a>` })}
      ${shell.may("publisher") ? html`<div class="settings">
        <form class="parts" novalidate @submit=${(/** @type {Event} */ event) => { event.preventDefault(); save(); }}>
          <section class="card" aria-labelledby="gap-title"><h2 id="gap-title">${t("settings.gap")}</h2>
            ${spanField({ label: t("settings.gap.label"), name: "gap", span: form.gap, hint: t("settings.gap.hint"), error: error("/min_gap_sec"), input: (gap) => set({ gap }) })}
          </section>
          <section class="card" aria-labelledby="caps-title"><h2 id="caps-title">${t("settings.caps")}</h2>
            <p class="muted">${t("settings.caps.text")}</p>
            ${form.caps.map((cap, i) => capPart(cap, i, { error, warned }))}
            <button type="button" ?disabled=${form.caps.length >= mostCaps} @click=${addCap}>${t("settings.caps.add")}</button>
            ${form.caps.length >= mostCaps ? html`<span class="muted">${t("settings.caps.most")}</span>` : nothing}
          </section>
          <section class="card" aria-labelledby="holdout-title"><h2 id="holdout-title">${t("settings.holdout")}</h2>
            <p class="muted">${t("settings.holdout.text")}</p>
            <div class="fields">
              ${field({ label: t("settings.holdout.label"), name: "percent", type: "number", min: 0, max: 100, step: 0.01, value: form.percent, hint: t("settings.holdout.hint"), error: error("/holdout/percent"), warnings: warned("/holdout/percent"), input: (percent) => set({ percent }) })}
              ${field({ label: t("settings.salt"), name: "salt", value: form.salt, hint: t("settings.salt.hint"), error: error("/holdout/salt"), input: (salt) => set({ salt }) })}
            </div>
          </section>
        </form>
        ${changesPart(settings, errors)}
      </div>` : readPart()}
      ${part()}`, main);
  };

  const capPart = (/** @type {CapForm} */ cap, /** @type {number} */ i, /** @type {{error: (at: string) => string, warned: (at: string) => string[]}} */ { error, warned }) => {
    const at = "/caps/" + i, name = "cap-" + i;
    const text = settingsOf(form).settings.caps[i];
    const isWhole = Number.isInteger(text.max) && Number.isInteger(text.per_sec) && text.per_sec > 0;
    return html`<fieldset class="cap"><legend>${cap.key ? t("settings.cap.named", { key: cap.key }) : t("settings.cap.new")}</legend>
      <div class="capline">
        ${field({ label: t("settings.cap.key"), name: name + "-key", value: cap.key, error: error(at + "/key"), input: (key) => setCap(i, { key }) })}
        ${field({ label: t("settings.cap.max"), name: name + "-max", type: "number", min: 1, max: 20, value: cap.max, error: error(at + "/max"), input: (max) => setCap(i, { max }) })}
        ${spanField({ label: t("settings.cap.per"), name: name + "-per", span: cap.per, error: error(at + "/per_sec"), input: (per) => setCap(i, { per }) })}
      </div>
      ${chipsField({ label: t("settings.cap.tags"), name: name + "-tags", values: cap.tags, known: known.map((value) => ({ value })), hint: t("settings.cap.tags.hint"), invalid: error(at + "/tags") !== "", describedby: name + "-tags-notes", input: (tags) => setCap(i, { tags }) })}
      <div class="notes" id="${name}-tags-notes">${error(at + "/tags") ? html`<p class="error">${error(at + "/tags")}</p>` : nothing}${warned(at + "/tags").map((text) => html`<p class="warning">${text}</p>`)}</div>
      ${warnings.filter((w) => w.pointer === at).map((w) => html`<p class="warning">${has("settings.warning." + w.code) ? t("settings.warning." + w.code) : w.detail}</p>`)}
      <div class="capfoot"><span class="muted">${isWhole ? capText(text) : nothing}</span>
        <button type="button" class="quiet" aria-label=${t("settings.caps.remove.which", { key: cap.key })} @click=${() => set({ caps: form.caps.filter((_, other) => other !== i) })}>${t("settings.caps.remove")}</button></div>
    </fieldset>`;
  };

  const addCap = () => {
    set({ caps: [...form.caps, { key: form.caps.length === 0 ? "daily" : "", max: "3", per: spanOf(86400), tags: [] }] });
    document.getElementById(`cap-${form.caps.length - 1}-key`)?.focus();
  };

  const changesPart = (/** @type {Settings} */ settings, /** @type {Map<string, string>} */ errors) => {
    const dirty = isDirty();
    const says = dirty && errors.size === 0 ? meaning(bare(saved), settings) : [];
    return html`<aside class="card means" aria-labelledby="means-title"><h2 id="means-title">${t("settings.means")}</h2>
      <div aria-live="polite">${!dirty ? html`<p class="muted">${t("settings.means.nothing")}</p>`
        : errors.size > 0 ? html`<p class="muted">${t("settings.means.errors")}</p>`
          : html`<ul>${says.map((each) => html`<li class=${each.grave ? "grave" : ""}>${each.text}</li>`)}</ul>`}</div>
      ${failure !== null ? notice("danger", inWords(failure)) : nothing}
      ${dirty && errors.size === 0 ? html`<div class="trial" role="status">
        ${trial?.polls !== undefined ? trial.polls === 0 ? t("settings.try.empty") : t("settings.try.result", { n: trial.polls, before: percent((trial.before ?? 0) / trial.polls), after: percent((trial.after ?? 0) / trial.polls) })
          : trial?.problem ?? (trial?.running ? t("settings.try.running") : html`<button type="button" class="quiet" @click=${tryOut}>${t("settings.try")}</button>`)}</div>` : nothing}
      <div class="buttons">
        <button type="button" ?disabled=${!dirty || busy} @click=${() => { take(saved); warnings = []; draw(); announce(t("settings.discarded")); }}>${t("settings.discard")}</button>
        <button type="button" class="primary" ?disabled=${!dirty || busy} @click=${save}>${t("settings.save")}</button>
      </div></aside>`;
  };

  const readPart = () => html`<section class="card"><dl class="facts">
      ${[...entries(bare(saved))].map(([, { label, text }]) => html`<div><dt>${label}</dt><dd>${text}</dd></div>`)}
    </dl><p class="muted">${t("settings.read", { role: t("shell.role.publisher") })}</p></section>`;

  addEventListener("beforeunload", (event) => { if (isDirty()) event.preventDefault(); });
  draw();
  if (shell.may("publisher")) {
    const popups = await get("popups?limit=500", { background: true }).catch(() => null); // without them no tags are proposed
    known = [...new Set(/** @type {string[]} */ (popups?.body.items.flatMap((/** @type {{tags: string[]}} */ popup) => popup.tags) ?? []))].sort();
    draw();
  }
}
