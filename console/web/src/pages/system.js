// How popupd is: the way of the events, the servers, and what host and stores lack, live.
import { html, nothing, render } from "lit/html.js";
import { ApiError, send } from "../api.js";
import { number, t } from "../i18n.js";
import { live } from "../live.js";
import { bytes, time } from "../system/amounts.js";
import { findingList } from "../system/findings.js";
import { meter, pipeline } from "../system/pipeline.js";
import { problems } from "../system/problems.js";
import { newest, serverTable } from "../system/servers.js";
import { announce, notice, pageHead } from "../ui.js";

/** @typedef {import("../system/problems.js").System} System */
/** @typedef {import("../system/problems.js").Server} Server */

const staleAfter = 6000; // ms without news
const behindAfter = 15000; // ms for which others may have newer popups

/** @param {HTMLElement} main */
export default async function page(main) {
  /** @type {System | null} */
  let system = null;
  let toldAt = performance.now();
  /** @type {import("../system/findings.js").Findings | null} */
  let findings = null;
  let checking = false, failed = "";
  /** When a server was first seen with old popups. @type {Map<string, number>} */
  const behind = new Map();
  /** Which problems there are. @type {Set<string> | null} */
  let known = null;

  const draw = () => render(view(), main);

  function view() {
    const silent = performance.now() - toldAt;
    return html`${pageHead({ title: t("system.title"), lead: t("system.lead") })}
      ${silent > staleAfter ? notice("warning", system ? t("system.stale", { time: time(silent) }) : t("system.noanswer")) : nothing}
      ${system ? body(system) : html`<p class="muted">${t("system.loading")}</p>`}`;
  }

  /** @param {System} s */
  const body = (s) => html`
    ${summary(s)}
    <section aria-labelledby="pipeline"><header class="section"><div><h2 id="pipeline">${t("system.pipeline")}</h2><p class="muted">${t("system.pipeline.lead")}</p></div></header>
      ${pipeline(s)}</section>
    <section><header class="section"><h2 id="servers">${t("system.servers")}</h2></header>${serverTable(s)}</section>
    <section aria-labelledby="users"><header class="section"><div><h2 id="users">${t("system.users")}</h2><p class="muted">${t("system.users.lead")}</p></div></header>
      <div class="card memory"><p class="figure"><strong>${number(s.users.entries)}</strong> ${t("system.users.entries", { n: s.users.entries })}</p>
        ${meter(t("system.users.used"), s.users.bytes, s.users.max_bytes)}
        <p class="muted">${t("system.of", { part: bytes(s.users.bytes), whole: bytes(s.users.max_bytes) })}</p></div></section>
    ${failed ? notice("danger", failed) : nothing}
    ${findingList(findings, { ageMS: findings ? Math.max(0, s.at_ms - findings.at_ms) : 0, checking: checking || findings === null, again: check })}`;

  /** @param {System} s */
  function summary(s) {
    const all = problems(s, isBehind, critical());
    if (all.length === 0) return notice("good", t("system.well"));
    return html`<ul class="problems">${all.map((problem) => html`<li class="notice ${problem.kind}">
      <strong>${t(`system.problem.${problem.key}`, problem.values)}</strong> ${t(`system.problem.${problem.key}.do`, problem.values)}</li>`)}</ul>`;
  }

  const critical = () => findings?.findings.filter((finding) => finding.status === "critical").length ?? 0;

  /** @param {Server} server */
  const isBehind = (server) => performance.now() - (behind.get(server.id) ?? Infinity) > behindAfter;

  /** Notes which servers have old popups, and tells of what has begun to go wrong. @param {System} s */
  function note(s) {
    const top = newest(s.servers ?? []);
    for (const server of s.servers ?? []) {
      if (server.state !== "ready" || server.revision >= top) behind.delete(server.id);
      else if (!behind.has(server.id)) behind.set(server.id, performance.now());
    }
    const now = problems(s, isBehind, critical());
    const before = known;
    known = new Set(now.map((problem) => problem.key));
    if (before === null) return; // the page has just been opened
    const fresh = now.find((problem) => !before.has(problem.key));
    if (fresh) announce(t(`system.problem.${fresh.key}`, fresh.values));
    else if (before.size > 0 && now.length === 0) announce(t("system.well"));
    const isBack = [...before].some((key) => key.endsWith("_down") && !known?.has(key));
    if (isBack && critical() > 0 && !checking) check(); // what was found no longer holds
  }

  async function check() {
    checking = true;
    failed = "";
    draw();
    try {
      await send("POST", "/live/findings");
    } catch (error) {
      checking = false;
      failed = error instanceof ApiError ? error.detail : String(error);
      draw();
    }
  }

  draw();
  live({
    system(told) {
      system = told;
      toldAt = performance.now();
      note(told);
      draw();
    },
    findings(told) {
      findings = told;
      if (checking) announce(t("system.findings.done"));
      checking = false;
      draw();
    },
  }, { system: true });
  document.addEventListener("visibilitychange", () => { toldAt = performance.now(); }); // a hidden page is told nothing
  setInterval(draw, 2000);
}
