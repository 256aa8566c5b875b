// What a popup did: the way from serving to converting, over time and by variant.
import { html, nothing } from "lit/html.js";
import "../chart.js";
import { bar } from "../chart.js";
import { compact, number, percent, t } from "../i18n.js";

/**
 * @typedef {{impressions: number, controls: number, clicks: number, dismisses: number, converts: number, views: number, releases: number, users: number, click_users: number, convert_users: number, control_users: number, ctr: number}} Counts
 * @typedef {{key: string, control: boolean, totals: Counts, series: ({at: string} & Counts)[]}} Variant
 */

/** Whether users saw the variant in this time. @param {Variant} v */
export const isShown = (v) => v.totals.impressions > 0;

/** A share in percent, a dash of nothing. @param {number} part @param {number} of */
export const share = (part, of) => of > 0 ? percent(part / of) : "–";

const ticks = new Intl.NumberFormat(document.documentElement.lang, { style: "percent", maximumFractionDigits: 1 });
const percentTick = (/** @type {number} */ x) => ticks.format(x);

/** What is counted of all variants that are shown: a control's users convert, too. @param {Variant[]} variants @param {keyof Counts} what */
const sum = (variants, what) => variants.filter(isShown).reduce((n, v) => n + v.totals[what], 0);

/** @param {Variant[]} variants */
export function funnelSection(variants) {
  const served = sum(variants, "impressions");
  const steps = [
    { name: "served", times: served, users: sum(variants, "users") },
    { name: "viewed", times: sum(variants, "views"), users: null },
    { name: "clicked", times: sum(variants, "clicks"), users: sum(variants, "click_users") },
    { name: "converted", times: sum(variants, "converts"), users: sum(variants, "convert_users") },
  ];
  const besides = [{ name: "dismissed", times: sum(variants, "dismisses") }, { name: "released", times: sum(variants, "releases") }, { name: "controls", times: variants.reduce((n, v) => n + v.totals.controls, 0) }];
  return html`<section class="card funnel" aria-labelledby="funnel">
    <h2 id="funnel">${t("report.funnel")}</h2>
    <div class="scroll" tabindex="0" role="group" aria-labelledby="funnel"><table>
      <thead><tr><th scope="col">${t("report.step")}</th><td class="wide"></td><th scope="col" class="number">${t("report.times")}</th><th scope="col" class="number">${t("report.ofserved")}</th><th scope="col" class="number">${t("report.users")}</th></tr></thead>
      <tbody>${steps.map((step) => html`<tr>
        <th scope="row">${t("report.step." + step.name)}</th><td class="wide">${bar(served > 0 ? step.times / served : 0)}</td>
        <td class="number">${number(step.times)}</td><td class="number">${share(step.times, served)}</td><td class="number">${step.users === null ? "–" : number(step.users)}</td></tr>`)}</tbody>
    </table></div>
    <dl class="besides">${besides.filter((b) => b.name === "dismissed" || b.times > 0).map((b) => html`<div><dt>${t("report.besides." + b.name)}</dt><dd>${number(b.times)}${b.name === "controls" ? nothing : html` <span class="muted">${share(b.times, served)}</span>`}</dd></div>`)}</dl>
    ${steps[1].times === 0 ? html`<p class="muted">${t("report.noviews")}</p>` : nothing}
  </section>`;
}

/**
 * @param {{timezone: string, interval: string, series: {at: string}[]}} stats
 * @param {Variant[]} variants
 */
export function chartsSection(stats, variants) {
  const times = stats.series.map((p) => Date.parse(p.at)), byDay = stats.interval === "day";
  const shown = variants.filter(isShown);
  const chart = (/** @type {string} */ name, /** @type {boolean} */ whole, /** @type {Variant[]} */ of, /** @type {(c: Counts) => number | null} */ value) => html`<time-chart .chart=${{
    title: t("report.chart." + name), unit: t("report.unit." + name), times, byDay, zone: stats.timezone, whole, format: whole ? number : percent, tick: whole ? compact : percentTick,
    series: of.map((v) => { const total = value(v.totals); return { name: v.key, values: v.series.map(value), total: total === null ? "–" : whole ? number(total) : percent(total) }; }),
  }}></time-chart>`;
  return html`<section class="card" aria-labelledby="charts"><h2 id="charts">${t("report.charts")}</h2><div class="charts">
    ${chart("shown", true, shown, (c) => c.impressions)}
    ${chart("clicks", true, shown, (c) => c.clicks)}
    ${chart("ctr", false, shown, (c) => c.impressions > 0 ? c.clicks / c.impressions : null)}
    ${variants.some((v) => v.totals.converts > 0) ? chart("converted", true, variants, (c) => c.converts) : nothing}
  </div></section>`;
}

/** @param {Variant[]} variants */
export const variantsSection = (variants) => html`<section class="card flush" aria-labelledby="variants">
  <h2 id="variants">${t("report.variants")}</h2>
  <div class="scroll" tabindex="0" role="group" aria-labelledby="variants"><table>
    <thead><tr><th scope="col">${t("report.variant")}</th>${["shown", "users", "views", "clicks", "ctr", "dismisses", "converts"].map((name) => html`<th scope="col" class="number">${t("report.column." + name)}</th>`)}</tr></thead>
    <tbody>${variants.map(({ key, control, totals: c }) => html`<tr>
      <th scope="row"><span class="name">${key}</span> ${control ? html`<span class="badge">${key === "holdout" ? t("report.holdout") : t("report.control")}</span>` : nothing}</th>
      ${control
        ? html`<td class="number muted">${t("report.notshown", { n: c.controls })}</td><td class="number">${number(c.control_users)}</td><td class="number">–</td><td class="number">–</td><td class="number">–</td><td class="number">–</td>`
        : html`<td class="number">${number(c.impressions)}</td><td class="number">${number(c.users)}</td><td class="number">${number(c.views)}</td><td class="number">${number(c.clicks)}</td><td class="number">${share(c.clicks, c.impressions)}</td><td class="number">${number(c.dismisses)}</td>`}
      <td class="number">${number(c.converts)}</td></tr>`)}</tbody>
  </table></div>
</section>`;
