// How many of the polls that popupd keeps fit some conditions.
import { html, nothing } from "lit/html.js";
import { ApiError, send } from "../api.js";
import { bar } from "../chart.js";
import { dateTime, number, percent, t } from "../i18n.js";
import { wrong } from "../operators.js";

/** @typedef {import("./known.js").Form} Form @typedef {import("../operators.js").Condition} Condition */
/** @typedef {{users: number, polls: number, from: string, fit: {users: number, polls: number}}} Sample */
/** @typedef {{asked: string, timer: number, abort: AbortController | null, state: "" | "waiting" | "none" | "empty" | "refused" | "away", sample: Sample | null}} Fit */

const afterMS = 500; // of silence
const againMS = 3000; // while another simulation runs

/** @type {WeakMap<Form, Fit>} */
const fits = new WeakMap();

/** The line that tells it, for the targeting at a pointer. @param {Form} form @param {string} pointer */
export function fitLine(form, pointer) {
  if (form.readonly || !form.shell.may("editor")) return nothing;
  let fit = fits.get(form);
  if (!fit) fits.set(form, fit = { asked: "", timer: 0, abort: null, state: "waiting", sample: null });
  const { all, any, none } = form.at(pointer), conditions = /** @type {Condition[]} */ ([...all, ...any, ...none]);
  const isComplete = conditions.every((condition) => condition.attr !== "" && wrong(condition) === "");
  const asked = JSON.stringify({ all, any, none });
  if (isComplete && asked !== fit.asked) ask(form, fit, asked);
  return html`<div class="fit" role="status">${isComplete ? told(fit) : html`<p class="muted">${t("targeting.fit.incomplete")}</p>`}</div>`;
}

/** Asks once nothing was typed for a moment. @param {Form} form @param {Fit} fit @param {string} targeting */
function ask(form, fit, targeting, after = afterMS) {
  clearTimeout(fit.timer);
  fit.abort?.abort();
  fit.asked = targeting;
  fit.abort = new AbortController();
  const { signal } = fit.abort;
  fit.timer = setTimeout(async () => {
    try {
      const { body } = await send("POST", "simulate", { popups: [{ key: "fit", status: "draft", targeting: JSON.parse(targeting) }], reach_days: 0 }, { background: true, signal });
      fit.sample = { ...body, fit: body.popups.find((/** @type {any} */ popup) => popup.key === "fit").fit };
      fit.state = body.polls === 0 ? "empty" : "";
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof ApiError)) throw error;
      fit.state = error.code === "no_sample" ? "none" : error.status === 422 ? "refused" : "away";
      if (error.status === 503) ask(form, fit, targeting, againMS);
    }
    form.update();
  }, after);
}

/** @param {Fit} fit */
function told({ state, sample }) {
  if (state !== "" || sample === null) return html`<p class="muted">${t("targeting.fit." + state)}</p>`;
  const { fit, users, polls, from } = sample, share = users === 0 ? 0 : fit.users / users;
  return html`<p><strong>${t("targeting.fit", { n: users, fit: number(fit.users), share: percent(share) })}</strong></p>
    ${bar(share)}
    <p class="hint">${t("targeting.fit.sample", { n: polls, fit: number(fit.polls), from: dateTime(from) })}</p>`;
}
