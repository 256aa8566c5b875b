// The report of a popup: what it did, when, by variant, and why it was not shown.
import { html, nothing, render } from "lit/html.js";
import { ApiError, get } from "../api.js";
import { load, t } from "../i18n.js";
import { live } from "../live.js";
import { experimentSection } from "../report/experiment.js";
import { funnelSection, variantsSection, chartsSection, isShown } from "../report/figures.js";
import { addressOf, intervalsOf, ranges, readAddress, spanOf, startOfDay } from "../report/span.js";
import { csvOf, whyNotSection } from "../report/whynot.js";
import { announce, badge, emptyState, field, notice, pageHead, popupTabs } from "../ui.js";

/** How often numbers are renewed at most, in ms. */
const renewEvery = 4000;

/** @param {HTMLElement} main @param {import("../console.js").Shell} shell */
export default async function report(main, shell) {
  await load("reasons", "chart");
  const key = shell.key, path = "popups/" + encodeURIComponent(key);
  let at = readAddress(location.search);
  /** @type {any} */
  let popup;
  /** @type {any} */
  let stats;
  /** @type {any} null: there is nothing to compare */
  let experiment;
  let csv = "";
  let asked = 0, answered = 0; // how often all was read: an answer that comes late is not shown

  /** Reads all anew. @param {boolean} [background] nobody asked for it */
  async function read(background) {
    const options = { background }, mine = ++asked;
    const goal = at.goal ? "?goal=" + at.goal : "";
    let [newPopup, newStats, newExperiment] = await Promise.all([
      get(path, options).then(({ body }) => body),
      get(`${path}/stats?${spanOf(at)}`, options).then(({ body }) => body),
      get(`${path}/experiment${goal}`, options).then(({ body }) => body, none),
    ]);
    if (!goal && newPopup.goal.event && newExperiment) newExperiment = (await get(path + "/experiment?goal=convert", options)).body;
    if (mine < answered) return;
    [answered, popup, stats, experiment] = [mine, newPopup, newStats, newExperiment];
    URL.revokeObjectURL(csv);
    document.title = `${popup.name || popup.key} · ${t("ui.tab.report")} · popupd`;
    csv = URL.createObjectURL(new Blob([csvOf(stats)], { type: "text/csv" }));
    draw();
  }

  /** Shows something else and keeps it in the address. @param {Partial<typeof at>} change */
  async function go(change) {
    const before = at;
    at = { ...at, ...change };
    try {
      await read();
    } catch (error) {
      at = before;
      return failed(error);
    }
    history.pushState(null, "", location.pathname + addressOf(at));
    announce(t("report.shown"));
  }

  const failed = (/** @type {unknown} */ error) => draw(!(error instanceof ApiError) ? String(error) : error.status === 400 ? t("report.wrongdays") : error.detail);

  let reading = false, again = false;
  /** Reads what has changed, one time after the other. What failed is read with the next change. */
  async function renew() {
    again = true;
    if (reading) return;
    reading = true;
    while (again) {
      again = false;
      await read(true).catch(failed);
      await new Promise((later) => setTimeout(later, renewEvery));
    }
    reading = false;
  }

  addEventListener("popstate", () => { at = readAddress(location.search); read().catch(failed); });

  const draw = (problem = "") => render(html`
    ${pageHead({
      title: html`${popup.name || popup.key} ${badge(popup.status)}`, back: { href: "/popups", text: t("report.back") }, tabs: popupTabs(key, "report"),
    })}
    ${problem ? notice("danger", problem) : nothing}
    ${toolbar()}
    ${body()}`, main);

  const toolbar = () => html`<form class="toolbar" @submit=${(/** @type {SubmitEvent} */ event) => event.preventDefault()}>
    ${field({ label: t("report.range"), name: "range", value: at.range, options: [...ranges, "custom"].map((value) => ({ value, text: t("report.range." + value) })), input: (range) => go(range === "custom" ? { range, from: stats.from, to: stats.to } : { range }) })}
    ${at.range === "custom" ? html`
      ${field({ label: t("report.from"), name: "from", type: "date", value: stats.from.slice(0, 10), input: (day) => setDays(day, lastDay()) })}
      ${field({ label: t("report.to"), name: "to", type: "date", value: lastDay(), input: (day) => setDays(stats.from.slice(0, 10), day) })}` : nothing}
    ${field({ label: t("report.interval"), name: "interval", value: stats.interval, options: intervalsOf(at).map((value) => ({ value, text: t("report.interval." + value) })), input: (interval) => go({ interval }) })}
    <p class="muted zone">${t("report.zone", { zone: stats.timezone })}</p>
    <p class="files"><a href=${csv} download="${key}.csv">${t("report.csv")}</a> <a href="/v1/admin/${path}/stats?${spanOf(at)}" download="${key}.json">${t("report.json")}</a></p>
  </form>`;

  /** The last day that is shown: `to` is exclusive. */
  const lastDay = () => new Intl.DateTimeFormat("sv-SE", { timeZone: stats.timezone }).format(Date.parse(stats.to) - 1);

  /** @param {string} first @param {string} last days, both shown */
  function setDays(first, last) {
    if (first < "2000" || last < "2000") return; // the year is not typed to its end
    const next = new Date(Date.parse(last) + 864e5).toISOString().slice(0, 10);
    void go({ from: startOfDay(first, stats.timezone), to: startOfDay(next, stats.timezone) });
  }

  function body() {
    const isControl = (/** @type {any} */ v) => v.key === "holdout" || popup.variants.some((/** @type {any} */ own) => own.key === v.key && own.control);
    const variants = stats.variants.map((/** @type {any} */ v) => ({ ...v, control: isControl(v) }));
    const whyNot = whyNotSection(stats, popup);
    if (!variants.some(isShown)) return html`${nothingShown()}${stats.why_not_sample.polls > 0 ? whyNot : nothing}`;
    return html`
      ${funnelSection(variants)}
      ${chartsSection(stats, variants)}
      ${variantsSection(variants)}
      ${experimentSection(experiment, popup, (goal) => go({ goal }))}
      ${whyNot}`;
  }

  /** What to do next where there are no impressions. */
  function nothingShown() {
    const edit = html`<a href="/popups/${key}">${t("report.empty.edit")}</a>`;
    if (popup.status !== "active") return emptyState({ title: t("report.empty"), text: t("report.empty." + popup.status), action: popup.status === "archived" ? nothing : edit });
    if (stats.why_not_sample.polls === 0) return emptyState({ title: t("report.empty"), text: t("report.empty.unasked", { placements: popup.placements.join(", ") }), action: edit });
    return emptyState({ title: t("report.empty"), text: t("report.empty.blocked") });
  }

  await read();
  live({ counts: renew, revision: renew });
}

/** There is no experiment: that is no error. @param {unknown} error */
function none(error) {
  if (error instanceof ApiError && error.code === "no_experiment") return null;
  throw error;
}
