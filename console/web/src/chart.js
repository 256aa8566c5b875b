// Charts over time: <time-chart>, drawn by uPlot, which is loaded with the first of them.
// What is drawn can be read without seeing it: by arrow keys, and as a table.
import { html, nothing, render, svg } from "lit/html.js";
import { t } from "./i18n.js";

/**
 * @typedef {object} Series
 * @property {string} name
 * @property {(number | null)[]} values one for each time; null: there is none
 * @property {string} total what the whole time comes to
 */

/**
 * @typedef {object} Chart
 * @property {string} title what is drawn
 * @property {string} unit of its values, in words
 * @property {number[]} times when each interval begins, in ms
 * @property {string} zone whose hours and days these are
 * @property {boolean} byDay the intervals are days, not hours
 * @property {boolean} [whole] there are whole numbers only
 * @property {Series[]} series the ninth looks like the first
 * @property {(value: number) => string} format
 * @property {(value: number) => string} tick the same at the axis, where there is little room
 */

const height = 180;
/** Series are told apart by their dashes, too. */
const dashes = [[], [6, 3], [2, 3], [8, 3, 2, 3], [12, 3], [4, 2, 1, 2], [1, 2], [10, 2, 2, 2, 2, 2]];
const wholeSteps = Array.from({ length: 13 }, (_, i) => [1, 2, 5].map((n) => n * 10 ** i)).flat();

class TimeChart extends HTMLElement {
  /** @type {Chart | null} */
  #chart = null;
  /** @type {import("uplot") | null} */
  #plot = null;
  /** The interval that is pointed at; null: none is. @type {number | null} */
  #at = null;
  #loading = false;
  #resized = new ResizeObserver(() => this.#plot?.setSize({ width: this.#area.clientWidth, height }));
  #scheme = matchMedia("(prefers-color-scheme: dark)");
  #recolored = () => this.#plot?.redraw(false);

  connectedCallback() {
    this.#scheme.addEventListener("change", this.#recolored);
    this.#update();
  }

  disconnectedCallback() {
    this.#scheme.removeEventListener("change", this.#recolored);
    this.#resized.disconnect();
    this.#plot?.destroy();
    this.#plot = null;
  }

  /** @param {Chart} chart */
  set chart(chart) {
    const before = this.#chart;
    this.#chart = chart;
    if (this.#at !== null && this.#at >= chart.times.length) this.#at = null;
    if (!this.isConnected) return;
    if (this.#plot && before && shape(before) === shape(chart)) {
      this.#redraw();
      this.#plot.setData(dataOf(chart));
      return;
    }
    this.#plot?.destroy();
    this.#plot = null;
    this.#update();
  }

  get #area() { return /** @type {HTMLElement} */ (this.querySelector(".plot")); }

  async #update() {
    if (!this.#chart) return;
    this.#redraw();
    if (this.#loading) return;
    this.#loading = true;
    const { default: UPlot } = await import("uplot");
    this.#loading = false;
    if (!this.isConnected || this.#plot) return;
    this.#plot = new UPlot(this.#options(UPlot), dataOf(this.#chart), this.#area);
    this.#resized.observe(this.#area);
  }

  /** @param {typeof import("uplot")} UPlot @returns {import("uplot").Options} */
  #options(UPlot) {
    const { zone, byDay, whole, series } = /** @type {Chart} */ (this.#chart);
    const style = (/** @type {string} */ of) => getComputedStyle(/** @type {HTMLElement} */ (this.querySelector(of)));
    const font = "12px system-ui, sans-serif";
    const axis = { font, stroke: () => style(".plot").color, grid: { stroke: () => style(".plot").borderTopColor, width: 1 }, ticks: { show: false } };
    const color = (/** @type {unknown} */ _, /** @type {number} */ i) => style(`.legend li:nth-child(${i}) svg`).color;
    const day = new Intl.DateTimeFormat(locale, { timeZone: zone, month: "short", day: "numeric" });
    const hour = new Intl.DateTimeFormat(locale, { timeZone: zone, hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
    return {
      width: this.#area.clientWidth, height, ms: 1, tzDate: (ms) => UPlot.tzDate(new Date(ms), zone),
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false }, points: { size: 7, stroke: color, fill: color } },
      scales: { y: { range: (_, __, max) => [0, max > 0 ? max * 1.08 : 1] } },
      axes: [
        { ...axis, grid: { show: false }, size: 28, gap: 8, space: 72, values: (_, at) => at.map((ms) => byDay || hour.format(ms) === "00:00" ? day.format(ms) : hour.format(ms)), ...(byDay ? { incrs: [1, 2, 7, 14, 28, 91, 182].map((n) => n * 864e5) } : {}) },
        { ...axis, size: 44, gap: 8, space: 32, values: (_, at) => at.map((value) => this.#chart?.tick(value) ?? ""), ...(whole ? { incrs: wholeSteps } : {}) },
      ],
      series: [{}, ...series.map((_, i) => ({ stroke: color, width: 1.5, dash: dashes[i % 8], points: { size: 5, fill: color } }))],
      hooks: { setCursor: [(plot) => { this.#at = plot.cursor.idx ?? null; this.#redraw(); }] },
    };
  }

  #redraw() {
    const chart = /** @type {Chart} */ (this.#chart);
    const at = this.#at, last = chart.times.length - 1, when = timesOf(chart);
    const valueAt = (/** @type {Series} */ s, /** @type {number} */ i) => { const value = s.values[i]; return value === null ? "–" : chart.format(value); };
    const said = at === null ? chart.series.map((s) => s.name + " " + s.total) : [when(at), ...chart.series.map((s) => s.name + " " + valueAt(s, at))];
    render(html`<figure>
      <figcaption>
        <h3>${chart.title}</h3>
        <span class="muted">${at === null ? chart.unit : when(at)}</span>
        <ul class="legend">${chart.series.map((s, i) => html`<li><svg class="series-${i % 8 + 1}" width="18" height="8" aria-hidden="true">${swatch(i)}</svg>${s.name} <b>${at === null ? s.total : valueAt(s, at)}</b></li>`)}</ul>
      </figcaption>
      <div class="plot" tabindex="0" role="slider" aria-label=${t("chart.label", { title: chart.title })} aria-valuemin="0" aria-valuemax=${last} aria-valuenow=${at ?? last} aria-valuetext=${said.join(", ")}
        @keydown=${(/** @type {KeyboardEvent} */ event) => this.#key(event)} @blur=${() => this.#point(null)}></div>
      <details @toggle=${() => this.#redraw()}><summary>${t("chart.table")}</summary>${this.querySelector("details")?.open ? html`
        <div class="scroll" tabindex="0" role="group" aria-label=${chart.title}><table>
          <caption class="hidden">${chart.title}, ${chart.unit}</caption>
          <thead><tr><th scope="col">${t("chart.time")}</th>${chart.series.map((s) => html`<th scope="col" class="number">${s.name}</th>`)}</tr></thead>
          <tbody>${chart.times.map((_, i) => html`<tr><th scope="row">${when(i)}</th>${chart.series.map((s) => html`<td class="number">${valueAt(s, i)}</td>`)}</tr>`)}</tbody>
        </table></div>` : nothing}
      </details>
    </figure>`, this);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const last = /** @type {Chart} */ (this.#chart).times.length - 1, now = this.#at ?? last + 1;
    /** @type {Record<string, number | null>} */
    const to = { ArrowLeft: now - 1, ArrowDown: now - 1, ArrowRight: now + 1, ArrowUp: now + 1, PageUp: now + 7, PageDown: now - 7, Home: 0, End: last, Escape: null };
    if (!(event.key in to)) return;
    event.preventDefault();
    const i = to[event.key];
    this.#point(i === null ? null : Math.max(0, Math.min(last, i)));
  }

  /** Points at an interval. @param {number | null} i */
  #point(i) {
    const plot = this.#plot;
    if (plot) plot.setCursor(i === null ? { left: -10, top: -10 } : { left: plot.valToPos(plot.data[0][i], "x"), top: 0 });
  }
}

customElements.define("time-chart", TimeChart);

const locale = document.documentElement.lang;

/** What a drawn chart cannot change. @param {Chart} chart */
const shape = (chart) => [chart.byDay, chart.zone, chart.title, ...chart.series.map((s) => s.name)].join("\n");

/** @param {Chart} chart @returns {import("uplot").AlignedData} */
const dataOf = (chart) => [chart.times, ...chart.series.map((s) => s.values)];

/** Returns what names the intervals. @param {Chart} chart */
function timesOf({ times, zone, byDay }) {
  const format = new Intl.DateTimeFormat(locale, { timeZone: zone, dateStyle: "medium", ...(byDay ? {} : { timeStyle: "short" }) });
  return (/** @type {number} */ i) => format.format(times[i]);
}

/** The line of a series. @param {number} i */
const swatch = (i) => svg`<line x1="0" y1="4" x2="18" y2="4" stroke="currentColor" stroke-width="2.5" stroke-dasharray=${dashes[i % 8].join(" ") || "none"} />`;

/**
 * A bar for a share. What it says stands beside it in words.
 * @param {number} share 0 to 1 @param {string} [kind] class
 */
export const bar = (share, kind = "") => html`<svg class="bar ${kind}" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true"><rect width="100" height="8" class="rest" /><rect width=${(100 * Math.min(1, share)).toFixed(2)} height="8" /></svg>`;
