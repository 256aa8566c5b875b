// One audience: who is in it, who names it, and what may be done with it.
import { html, nothing, render } from "lit/html.js";
import { ApiError, get, send } from "../api.js";
import { listForm, wordsOf } from "../audience/list.js";
import { RuleForm } from "../audience/rule.js";
import { useLinks, usesOf } from "../audience/use.js";
import { diffView, fieldDiff } from "../diff.js";
import { conditionRows } from "../editor/targeting.js";
import { ago, dateTime, load, number, t } from "../i18n.js";
import { announce, confirmDialog, dialog, emptyState, notice, pageHead } from "../ui.js";

/** @param {HTMLElement} main @param {import("../console.js").Shell} shell */
export default async function audience(main, shell) {
  await load("problem", "list", "audiences");
  const path = "audiences/" + encodeURIComponent(shell.key);
  const back = { href: "/audiences", text: t("audiences.back") };
  /** @type {import("../audience/use.js").Audience} */
  let stored;
  try {
    stored = (await get(path)).body;
  } catch (error) {
    if (!(error instanceof ApiError && error.status === 404)) throw error;
    render(html`${pageHead({ title: shell.key, back })}${emptyState({ title: t("audience.gone"), text: t("audience.gone.text") })}`, main);
    return;
  }

  const list = listForm({ key: () => stored.key, match: () => String(stored.version), done: (now) => { stored = now; rule.take(now.rule); draw(); } }, () => draw());

  const rule = new RuleForm(shell, () => draw(), stored.rule);
  /** @type {unknown} */
  let failure = null;
  let busy = false;

  /** @returns {Promise<void>} */
  const save = async (/** @type {number} */ version) => {
    busy = true;
    failure = null;
    draw();
    try {
      stored = (await send("PUT", path, rule.document, { match: String(version) })).body;
      rule.take(stored.rule);
      announce(t("audience.saved"));
    } catch (error) {
      if (error instanceof ApiError && error.status === 412) {
        busy = false;
        return settle();
      }
      failure = error;
      if (error instanceof ApiError) rule.errors = error.errors;
      announce(wordsOf(error));
    }
    busy = false;
    draw();
  };

  /** Somebody else has changed it meanwhile: asks whose rule holds. @returns {Promise<void>} */
  const settle = async () => {
    const theirs = (await get(path)).body;
    const mine = await dialog({ name: t("list.conflict"), wide: true, body: (/** @type {(mine?: boolean) => void} */ close) => html`
      <p>${t("list.conflict.text", { who: theirs.updated_by, when: ago(theirs.updated_at) })} ${theirs.rule ? t("audience.conflict.text") : t("list.conflict.members", { n: theirs.members })}</p>
      ${theirs.rule ? diffView(fieldDiff({ rule: theirs.rule }, rule.document)) : nothing}
      <div class="buttons"><button type="button" @click=${() => close(false)}>${t("list.conflict.keep")}</button><button type="button" class="primary" @click=${() => close(true)}>${t("list.conflict.replace")}</button></div>` });
    if (mine === undefined) return draw();
    if (mine) return save(theirs.version);
    stored = theirs;
    rule.take(theirs.rule);
    draw();
  };
  addEventListener("beforeunload", (event) => { if (rule.isDirty) event.preventDefault(); });

  const remove = async () => {
    if (usesOf(stored.used_by) > 0) return inUse(stored.used_by);
    if (!await confirmDialog({ name: t("audience.delete.which", { key: stored.key }), text: html`<p>${t(stored.kind === "list" ? "audience.delete.list" : "audience.delete.rule")}</p>`, action: t("audience.delete"), danger: true })) return;
    try {
      await send("DELETE", path, undefined, { match: String(stored.version) });
      location.href = "/audiences";
    } catch (error) {
      if (error instanceof ApiError && error.code === "audience_in_use") await inUse(error.problem.used_by);
      else await say(wordsOf(error));
      if (error instanceof ApiError && error.status !== 0 && error.status !== 404) stored = (await get(path)).body;
      draw();
    }
  };

  const draw = () => {
    const a = stored;
    render(html`${pageHead({ title: a.key, back, actions: shell.may("editor") ? html`<button type="button" class="danger" @click=${remove}>${t("audience.delete")}</button>` : nothing })}
      <section class="card"><dl class="facts">
        <div><dt>${t("audiences.kind")}</dt><dd>${t("audiences.kind." + a.kind)}</dd></div>
        ${a.kind === "list" ? html`<div><dt>${t("audiences.members")}</dt><dd>${number(a.members)}</dd></div>` : nothing}
        <div><dt>${t("audiences.changed")}</dt><dd><time datetime=${a.updated_at} title=${ago(a.updated_at)}>${dateTime(a.updated_at)}</time> ${t("audiences.by", { who: a.updated_by })}</dd></div>
        <div><dt>${t("audience.version")}</dt><dd>${number(a.version)} · <a href="/audit?${new URLSearchParams({ kind: "audience", object: "audience:" + a.key })}">${t("audience.history")}</a></dd></div>
        <div><dt>${t("audiences.used")}</dt><dd>${usesOf(a.used_by) === 0 ? html`<span class="muted">${t("audience.unused", { key: a.key })}</span>` : useLinks(a.used_by)}</dd></div>
      </dl></section>
      ${a.upload ? notice("info", t("audience.uploading", { n: a.upload.lines })) : nothing}
      ${a.kind === "rule" ? rulePart() : listPart()}`, main);
  };

  const listPart = () => html`<section class="card narrow" aria-labelledby="list-title"><h2 id="list-title">${t(shell.may("editor") ? "audience.replace" : "audience.list")}</h2>
    <p class="muted">${t("audience.list.text")}</p>
    ${shell.may("editor") ? list(t("audience.replace.button")) : nothing}</section>`;

  const rulePart = () => html`<section class="card" aria-labelledby="rule-title"><h2 id="rule-title">${t("audience.rule")}</h2>
    ${conditionRows(rule, "/rule")}
    ${failure !== null ? notice("danger", wordsOf(failure)) : nothing}
    ${rule.readonly ? nothing : html`
      ${rule.isDirty && usesOf(stored.used_by) > 0 ? notice("warning", html`${t("audience.means")} ${useLinks(stored.used_by)}`) : nothing}
      <div class="buttons"><button type="button" ?disabled=${!rule.isDirty || busy} @click=${() => { rule.take(stored.rule); failure = null; draw(); }}>${t("audience.discard")}</button>
        <button type="button" class="primary" ?disabled=${!rule.isDirty || busy} @click=${() => save(stored.version)}>${t("audience.save")}</button></div>`}
  </section>`;

  draw();
}

/** Says what did not work. @param {string} text */
function say(text) {
  announce(text);
  return dialog({ name: t("audience.failed"), body: (close) => html`<p>${text}</p><div class="buttons"><button type="button" class="primary" @click=${() => close()}>${t("shell.close")}</button></div>` });
}

/** Says who names an audience that was to be deleted. @param {import("../audience/use.js").Use} use */
const inUse = (use) => dialog({ name: t("audience.inuse"), body: (close) => html`<p>${t("audience.inuse.text")}</p>${useLinks(use)}
  <div class="buttons"><button type="button" class="primary" @click=${() => close()}>${t("shell.close")}</button></div>` });
