// When it is shown: start and end, days and hours, and what they come to by other clocks.
import { guard } from "lit/directives/guard.js";
import { html, nothing } from "lit/html.js";
import { dateTimeIn, dayIn, load, t, weekday } from "../i18n.js";
import { announce, tick } from "../ui.js";
import { instantOf, isZone, ownZone, readWall, wallAt, writeTime, writeWall, zoneNames } from "../zones.js";
import { clockNotes, crossesMidnight, days, openSpans } from "./openings.js";

/** @typedef {import("./editor.js").Editor} Editor @typedef {import("./openings.js").Schedule} Schedule */

await load("schedule");

const dayMS = 86_400_000;

/** The zone by which times are shown. @param {Schedule} schedule */
const shownZone = ({ timezone }) => isZone(timezone) ? timezone : "UTC";

/** @param {Editor} editor */
export function scheduleSection(editor) {
  const schedule = /** @type {Schedule} */ (editor.at("/schedule"));
  return html`<section class="card schedule" aria-labelledby="schedule">
    <h2 id="schedule">${t("schedule.title")}</h2>
    <div class="fields">
      ${moment(editor, schedule, "start_at", t("schedule.start"), t("schedule.start.hint"))}
      ${moment(editor, schedule, "end_at", t("schedule.end"), t("schedule.end.hint"))}
      ${zoneField(editor, schedule)}
    </div>
    ${dayBoxes(editor, schedule)}
    ${hourRows(editor, schedule)}
    ${schedule.days.length + schedule.hours.length === 0 && !schedule.user_time ? nothing : html`
      ${tick({ label: t("schedule.user_time"), name: editor.id("/schedule/user_time"), checked: schedule.user_time, disabled: editor.readonly, hint: t("schedule.user_time.hint", { zone: shownZone(schedule) }), input: (checked) => editor.set("/schedule/user_time", checked) })}
      ${notes(editor, "/schedule/user_time")}`}
    ${guard([schedule, Math.floor(Date.now() / 60_000)], () => effect(schedule))}
  </section>`;
}

/** @param {Editor} editor @param {string} pointer */
const notes = (editor, pointer) => html`
  ${editor.error(pointer) ? html`<p class="note error">${editor.error(pointer)}</p>` : nothing}
  ${editor.warnings(pointer).map((text) => html`<p class="note warning">${text}</p>`)}`;

/** @param {Editor} editor @param {Schedule} schedule @param {"start_at" | "end_at"} name @param {string} label @param {string} hint */
function moment(editor, schedule, name, label, hint) {
  const pointer = "/schedule/" + name, id = editor.id(pointer), zone = shownZone(schedule), value = schedule[name], at = value === null ? NaN : Date.parse(value);
  const order = name === "end_at" && value !== null && schedule.start_at !== null && at <= Date.parse(schedule.start_at) ? t("schedule.order") : "";
  const error = editor.error(pointer) || order, warnings = editor.warnings(pointer), odd = oddities.get(editor)?.[name] ?? "";
  const set = (/** @type {Event} */ event) => {
    const input = /** @type {HTMLInputElement} */ (event.target), wall = readWall(input.value);
    if (input.validity.badInput || wall < 0) return; // half typed
    const found = Number.isNaN(wall) ? null : instantOf(zone, wall);
    oddities.set(editor, { ...oddities.get(editor), [name]: found && found.odd !== "" ? t("schedule." + found.odd, { zone, time: writeWall(wallAt(zone, found.at)).slice(11) }) : "" });
    editor.set(pointer, found && writeTime(found.at));
  };
  return html`<div class="field">
    <label for=${id}>${label}</label>
    <input id=${id} type="datetime-local" min="1970-01-01T00:00" max="9999-12-31T23:59" step=${at % 60_000 ? "1" : "60"} .value=${Number.isNaN(at) ? "" : writeWall(Math.floor(wallAt(zone, at) / 1000) * 1000)} ?disabled=${editor.readonly} aria-invalid=${error ? "true" : nothing} aria-describedby="${id}-notes" @change=${set}>
    <div id="${id}-notes">
      <p class="hint">${odd || hint}</p>
      ${error ? html`<p class="error">${error}</p>` : nothing}
      ${warnings.length > 0 ? html`<ul class="warning">${warnings.map((text) => html`<li>${text}</li>`)}</ul>` : nothing}
    </div>
  </div>`;
}

/** What was odd about the times that were typed last. @type {WeakMap<Editor, {start_at?: string, end_at?: string}>} */
const oddities = new WeakMap();

/** @param {Editor} editor @param {Schedule} schedule */
function zoneField(editor, schedule) {
  const pointer = "/schedule/timezone", id = editor.id(pointer);
  const error = editor.error(pointer) || (isZone(schedule.timezone) ? "" : t("schedule.zone.unknown"));
  const move = (/** @type {string} */ timezone) => {
    if (timezone === schedule.timezone) return;
    const next = { ...schedule, timezone }, before = shownZone(schedule), after = shownZone(next);
    for (const name of /** @type {const} */ (["start_at", "end_at"])) {
      const value = schedule[name];
      if (value !== null) next[name] = writeTime(instantOf(after, wallAt(before, Date.parse(value))).at);
    }
    oddities.delete(editor);
    editor.set("/schedule", next);
    if (before !== after && (next.start_at ?? next.end_at) !== null) announce(t("schedule.zone.moved", { zone: after }));
  };
  const value = (/** @type {Event} */ event) => /** @type {HTMLInputElement} */ (event.target).value.trim();
  return html`<div class="field">
    <label for=${id}>${t("schedule.zone")}</label>
    <input id=${id} list="${id}-names" .value=${schedule.timezone} autocomplete="off" spellcheck="false" ?disabled=${editor.readonly} aria-invalid=${error ? "true" : nothing} aria-describedby="${id}-hint ${id}-error"
      @input=${(/** @type {Event} */ event) => { if (isZone(value(event))) move(value(event)); }} @change=${(/** @type {Event} */ event) => move(value(event))}>
    <datalist id="${id}-names">${zoneNames().map((zone) => html`<option value=${zone}></option>`)}</datalist>
    <p class="hint" id="${id}-hint">${t("schedule.zone.hint")}</p>
    <p class="error" id="${id}-error">${error || nothing}</p>
  </div>`;
}

/** @param {Editor} editor @param {Schedule} schedule */
const dayBoxes = (editor, schedule) => html`<fieldset class="days" id=${editor.id("/schedule/days")} tabindex="-1">
  <legend>${t("schedule.days")}</legend>
  <div>${days.map((day, i) => html`<label><input type="checkbox" .checked=${schedule.days.includes(day)} ?disabled=${editor.readonly} @change=${(/** @type {Event} */ event) => {
    const checked = /** @type {HTMLInputElement} */ (event.target).checked;
    editor.set("/schedule/days", days.filter((other) => other === day ? checked : schedule.days.includes(other)));
  }}><span>${weekday(i)}</span></label>`)}</div>
  <p class="hint">${t("schedule.days.hint")}</p>
  ${notes(editor, "/schedule/days")}
</fieldset>`;

/** @param {Editor} editor @param {Schedule} schedule */
function hourRows(editor, { hours }) {
  const at = "/schedule/hours", id = editor.id(at);
  const add = () => {
    editor.set(at, [...hours, ["09:00", "18:00"]]);
    document.getElementById(editor.id(`${at}/${hours.length}/0`))?.focus();
  };
  const remove = (/** @type {number} */ i) => {
    editor.set(at, hours.toSpliced(i, 1));
    document.getElementById(hours.length > 1 ? editor.id(`${at}/${Math.min(i, hours.length - 2)}/0`) : id + "-add")?.focus();
  };
  return html`<fieldset class="hours" id=${id} tabindex="-1">
    <legend>${t("schedule.hours")}</legend>
    ${hours.length === 0 ? html`<p class="hint">${t("schedule.hours.none")}</p>` : html`<div class="rows">${hours.map((window, i) => hourRow(editor, window, `${at}/${i}`, t("schedule.hours.window", { n: i + 1 }), () => remove(i)))}</div>`}
    ${notes(editor, at)}
    ${editor.readonly ? nothing : html`<button type="button" id=${id + "-add"} ?disabled=${hours.length >= 32} @click=${add}>${t("schedule.hours.add")}</button>`}
  </fieldset>`;
}

/** @param {Editor} editor @param {[string, string]} window @param {string} at @param {string} name @param {() => void} remove */
function hourRow(editor, window, at, name, remove) {
  const [from, to] = window, end = to === "24:00" ? "00:00" : to; // fields know no 24:00
  const input = (/** @type {0 | 1} */ i, /** @type {string} */ label, /** @type {string} */ value) => html`
    <label for=${editor.id(`${at}/${i}`)}>${label}</label>
    <input id=${editor.id(`${at}/${i}`)} type="time" required .value=${value} ?disabled=${editor.readonly} aria-invalid=${editor.error(`${at}/${i}`) ? "true" : nothing} @change=${(/** @type {Event} */ event) => {
      const text = /** @type {HTMLInputElement} */ (event.target).value;
      if (text !== "") editor.set(`${at}/${i}`, i === 1 && text === "00:00" ? "24:00" : text);
    }}>`;
  return html`<div class="row" role="group" aria-label=${name}>
    ${input(0, t("schedule.hours.from"), from)} ${input(1, t("schedule.hours.to"), end)}
    <span class="hint">${end === "00:00" ? t("schedule.hours.midnight") : crossesMidnight(window) ? t("schedule.hours.next") : nothing}</span>
    ${editor.readonly ? nothing : html`<button type="button" class="quiet remove" aria-label=${t("schedule.hours.remove", { name })} @click=${remove}>×</button>`}
    ${editor.errorsBelow(at).map(({ detail }) => html`<p class="note error">${detail}</p>`)}
  </div>`;
}

/** What the schedule comes to: moments by the clocks of its zone, of the operator, and in UTC. @param {Schedule} schedule */
function effect(schedule) {
  const now = Date.now(), zone = schedule.user_time ? ownZone() : shownZone(schedule), hasWeek = schedule.days.length + schedule.hours.length > 0;
  const [start, end] = [schedule.start_at, schedule.end_at].map((text) => text === null ? null : Date.parse(text));
  /** @type {[string, number][]} */
  const moments = [];
  if (Number.isFinite(start)) moments.push([t("schedule.moment.start"), Number(start)]);
  if (Number.isFinite(end)) moments.push([t("schedule.moment.end"), Number(end)]);
  const isOver = end !== null && end <= now, from = Math.max(now, start ?? now);
  const spans = hasWeek && !isOver ? openSpans(schedule, zone, from, from + 60 * dayMS, 3) : [];
  for (const span of spans) {
    const isOpen = span.from === now;
    if (!isOpen) moments.push([t("schedule.moment.open"), span.from]);
    if (Number.isFinite(span.to)) moments.push([t(isOpen ? "schedule.moment.now" : "schedule.moment.close"), span.to]);
  }
  const nameOf = (/** @type {string} */ clock) => schedule.user_time && clock === zone ? t("schedule.visitor", { zone }) : clock === ownZone() && clock !== "UTC" ? t("schedule.own", { zone: clock }) : clock;
  const clocks = [...new Set([zone, ownZone(), "UTC"])];
  return html`<div class="effect"><h3>${t("schedule.effect")}</h3>
    ${isOver ? html`<p>${t("schedule.ended")}</p>` : hasWeek ? spans.length === 0 ? html`<p class="warning">${t("schedule.closed")}</p>` : nothing : start === null && end === null ? html`<p>${t("schedule.always")}</p>` : nothing}
    ${moments.length === 0 ? nothing : html`<div class="scroll" tabindex="0" role="region" aria-label=${t("schedule.table")}><table>
      <thead><tr><th scope="col">${t("schedule.moment")}</th>${clocks.map((clock) => html`<th scope="col">${nameOf(clock)}</th>`)}</tr></thead>
      <tbody>${moments.map(([name, at]) => html`<tr><th scope="row">${name}</th>${clocks.map((clock) => html`<td>${dateTimeIn(at, clock)}</td>`)}</tr>`)}</tbody></table></div>`}
    ${clockChangesOf(schedule, zone, now)}</div>`;
}

/** What the next changes of the clocks do to its hours. @param {Schedule} schedule @param {string} zone @param {number} now */
function clockChangesOf(schedule, zone, now) {
  const found = clockNotes(schedule, zone, now, now + 366 * dayMS);
  if (found.length === 0) return nothing;
  return html`<ul class="clocks">${found.slice(0, 6).map((note) => html`<li>${t("schedule.clock." + note.kind, {
    n: note.minutes, day: dayIn(note.wallFrom, "UTC"), from: writeWall(note.wallFrom).slice(11), to: writeWall(note.wallTo).slice(11), window: note.window.join("–"),
  })}</li>`)}</ul>`;
}
