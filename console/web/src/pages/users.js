// One user: why they do or do not see a popup, what is remembered of them, and how to forget it.
import { html, nothing, render } from "lit/html.js";
import { ApiError, get, send } from "../api.js";
import { load, t } from "../i18n.js";
import { erasurePage } from "../users/erasure.js";
import { answerView } from "../users/explain.js";
import { bodyOf, questionForm, questionOf, searchOf } from "../users/question.js";
import { recentSection, statesSection } from "../users/state.js";
import { confirmDialog, emptyState, field, notice, pageHead } from "../ui.js";

/** @param {HTMLElement} main @param {import("../console.js").Shell} shell */
export default async function users(main, shell) {
  await load("reasons");
  const address = new URLSearchParams(location.search);
  const erasure = address.get("erasure");
  if (erasure !== null) return erasurePage(main, erasure);

  const uid = address.get("uid") ?? "";
  if (uid === "") return render(html`${pageHead({ title: t("users.title"), lead: t("users.lead") })}${search(address, "")}${emptyState({ title: t("users.none"), text: t("users.none.text") })}`, main);

  /** @type {any} */
  let user;
  /** @type {any} */
  let answer = null;
  /** @type {ApiError | null} of the question */
  let problem = null;
  let question = questionOf(address);
  let all = false;
  /** @type {import("../users/explain.js").Known[]} */
  let popups;
  try {
    [user, popups] = await Promise.all([get("users?" + new URLSearchParams({ uid })).then(({ body }) => body), get("popups?status=active&limit=200").then(({ body }) => body.items)]);
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 400) throw error;
    return render(html`${pageHead({ title: t("users.title"), lead: t("users.lead") })}${search(address, t("users.uid.wrong"))}`, main);
  }
  const names = new Map(popups.map((p) => [p.key, p.name || p.key]));
  const placements = [...new Set(popups.flatMap((p) => p.placements))].sort();
  if (question.placement === "" && placements.length > 0) {
    const latest = [...user.states].sort((x, y) => Date.parse(y.last_action_at) - Date.parse(x.last_action_at)).find((s) => names.has(s.popup));
    const asked = popups.find((p) => p.key === (question.popup || latest?.popup))?.placements ?? placements;
    question.placement = asked.includes("default") ? "default" : asked[0];
  }

  async function ask() {
    problem = null;
    try {
      answer = (await send("POST", "explain?limit=200", bodyOf(uid, question))).body;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      answer = null;
      problem = error;
    }
    draw();
  }

  async function askAgain() {
    history.pushState(null, "", "/users" + searchOf(uid, question));
    all = false;
    await ask();
    /** @type {HTMLElement | null} */ (main.querySelector("#answer, [aria-invalid=true]"))?.focus();
  }
  addEventListener("popstate", () => { question = questionOf(new URLSearchParams(location.search)); void ask(); });

  async function reset() {
    const typed = /^[!-~]{1,40}$/.test(uid) ? uid : t("users.reset.word"); // what can be typed
    if (!await confirmDialog({ name: t("users.reset.ask"), text: html`<p>${t("users.reset.what")}</p>`, action: t("users.reset"), danger: true, typed })) return;
    try {
      const { body } = await send("DELETE", "users?" + new URLSearchParams({ uid }));
      location.assign("/users?erasure=" + body.id);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      render(notice("danger", error.detail), /** @type {HTMLElement} */ (document.getElementById("reset-problem")));
    }
  }

  const draw = () => render(html`
    ${pageHead({ title: html`<bdi class="uid">${visible(uid)}</bdi>`, back: { href: "/users", text: t("users.other") } })}
    <section class="card" aria-labelledby="why">
      <h2 id="why">${t("users.why")}</h2>
      ${questionForm(question, { popups, placements, problem, change: (next) => { question = next; draw(); }, submit: askAgain })}
    </section>
    ${answer === null ? nothing : answerView(answer, question, { names, all, showAll: () => { all = true; draw(); } })}
    ${statesSection(user, names)}
    ${recentSection(user, names)}
    ${shell.may("admin") ? html`<section class="card" aria-labelledby="reset">
      <h2 id="reset">${t("users.reset.title")}</h2>
      <p class="muted">${t("users.reset.what")}</p>
      <div id="reset-problem"></div>
      <div class="buttons"><button type="button" class="danger" @click=${reset}>${t("users.reset.open")}</button></div>
    </section>` : nothing}`, main);
  document.title = `${uid} · ${t("shell.nav.users")} · popupd`;
  await ask();
}

/** A user id with what can't be seen in it, or turns what follows, by its code. @param {string} uid */
const visible = (uid) => uid.split(/([\p{Cf}\p{Zl}\p{Zp}]|(?! )\p{Zs}|^ | $)/u).map((part, i) => i % 2 === 0 ? part : html`<span class="code">U+${part.codePointAt(0)?.toString(16).toUpperCase().padStart(4, "0")}</span>`);

/** The field with which users are looked up. What else the address asks stays. @param {URLSearchParams} address @param {string} error */
const search = (address, error) => html`<form class="lookup" action="/users" role="search">
  ${[...address].filter(([name]) => name !== "uid").map(([name, value]) => html`<input type="hidden" name=${name} value=${value}>`)}
  ${field({ label: t("users.uid"), name: "uid", value: address.get("uid") ?? "", error, hint: t("users.uid.hint"), required: true })}
  <button class="primary">${t("users.look")}</button></form>`;
