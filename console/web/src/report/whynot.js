// Why a popup was not shown, and the report as a file.
import { html } from "lit/html.js";
import { bar } from "../chart.js";
import { percent, t } from "../i18n.js";
import { advice, reasonText } from "../reasons.js";

/**
 * What stopped the popup, most often first, with what can be done about it.
 * @param {{why_not: Record<string, number>, why_not_sample: {polls: number, sampled: number, rate: number}}} stats
 * @param {{key: string}} popup
 */
export function whyNotSection({ why_not, why_not_sample: sample }, popup) {
  const reasons = Object.entries(why_not).sort((x, y) => y[1] - x[1]);
  if (sample.polls === 0) {
    return html`<section class="card" aria-labelledby="whynot"><h2 id="whynot">${t("report.whynot")}</h2><p class="muted">${t("report.whynot.unasked")}</p></section>`;
  }
  return html`<section class="card whynot" aria-labelledby="whynot">
    <h2 id="whynot">${t("report.whynot")}</h2>
    <p class="muted">${reasons.length === 0 ? t("report.whynot.none", { polls: sample.polls }) : t("report.whynot.lead", { polls: sample.polls })}
      ${sample.sampled < sample.polls ? t("report.whynot.sample", { sampled: sample.sampled, rate: percent(sample.rate) }) : t("report.whynot.all")}</p>
    <ul>${reasons.map(([reason, polls]) => html`<li>
      <p class="reason">${reasonText(reason)}</p>
      <p class="counts"><b>${percent(polls / sample.polls)}</b> <span class="muted">${t("report.polls", { n: polls })}</span></p>
      ${bar(polls / sample.polls)}
      <p class="muted advice">${advice(reason, popup.key)}</p>
    </li>`)}</ul>
    <p><a href="/users?popup=${popup.key}">${t("report.whynot.user")}</a></p>
  </section>`;
}

const columns = /** @type {const} */ (["impressions", "users", "views", "clicks", "click_users", "dismisses", "converts", "convert_users", "releases", "controls", "control_users"]);

/** The series of each variant as CSV. @param {{variants: import("./figures.js").Variant[]}} stats */
export function csvOf({ variants }) {
  const lines = [["at", "variant", ...columns].join(",")];
  for (const v of variants) for (const p of v.series) lines.push([p.at, v.key, ...columns.map((c) => p[c])].join(","));
  return lines.join("\r\n") + "\r\n";
}
