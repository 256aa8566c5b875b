// What popupd doctor finds: what is not as wanted, with why and how, and that the rest is well.
import { html, nothing } from "lit/html.js";
import { t } from "../i18n.js";
import { time } from "./amounts.js";
import { notice } from "../ui.js";

/** @typedef {{status: "critical" | "warn" | "unknown" | "ok", check: string, found: string, wanted: string, why: string, source?: string, change?: string, rollback?: string}} Finding */
/** @typedef {{at_ms: number, error?: string, kernel: string, findings: Finding[]}} Findings */

const tones = { critical: "away", warn: "paused", unknown: "draft", ok: "active" };

/**
 * @param {Findings | null} found null: it is being looked for
 * @param {{ageMS: number, checking: boolean, again: () => void}} how
 */
export function findingList(found, { ageMS, checking, again }) {
  const bad = found?.findings.filter((finding) => finding.status !== "ok") ?? [];
  const good = found?.findings.filter((finding) => finding.status === "ok") ?? [];
  return html`<section class="findings" aria-labelledby="findings">
    <header class="section"><div><h2 id="findings">${t("system.findings")}</h2>
      <p class="muted">${found === null ? t("system.findings.first") : ageMS < 1000 ? t("system.findings.lead.now") : t("system.findings.lead", { time: time(ageMS) })}</p></div>
      <button type="button" ?disabled=${checking} @click=${again}>${t(checking ? "system.findings.checking" : "system.findings.again")}</button></header>
    ${found?.error ? notice("warning", t("system.findings.failed", { error: found.error })) : nothing}
    ${bad.length > 0 ? html`<ul class="card flush">${bad.map(entry)}</ul>`
      : found && !found.error ? notice("good", t("system.findings.none", { n: good.length })) : nothing}
    ${good.length > 0 ? html`<details class="card"><summary>${t("system.findings.good", { n: good.length })}</summary>
      <dl class="good" lang="en">${good.map((finding) => html`<div><dt>${finding.check}</dt><dd>${finding.found}</dd></div>`)}</dl></details>` : nothing}
  </section>`;
}

/** @param {Finding} f */
const entry = (f) => html`<li><details ?open=${f.status === "critical"}>
  <summary><span class="badge ${tones[f.status] ?? ""}">${t("system.finding." + f.status)}</span> <span class="check" lang="en">${f.check}</span> <span class="found muted" lang="en">${f.found}</span></summary>
  <dl>
    ${line("found", f.found)}${line("wanted", f.wanted)}${line("why", f.why)}
    ${line("change", f.change)}${line("rollback", f.rollback)}
    ${f.source ? html`<div><dt>${t("system.finding.source")}</dt><dd><a href=${f.source} rel="noreferrer" target="_blank">${f.source}</a></dd></div>` : nothing}
  </dl>
</details></li>`;

const command = /^(sysctl|echo|chown|mount|unset|CONFIG SET|SET |GRANT|REVOKE|ALTER) ?/;

/** @param {string} name @param {string | undefined} text */
const line = (name, text) => (text
  ? html`<div><dt>${t("system.finding." + name)}</dt><dd lang="en">${command.test(text) ? html`<code>${text}</code>` : text}</dd></div>` : nothing);
