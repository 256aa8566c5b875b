// The named tokens of people and programs: who has one, what it may do, until when.
import { html, nothing, render } from "lit/html.js";
import { ApiError, get, send } from "../api.js";
import { ago, dateTime, load, t } from "../i18n.js";
import { errorAt, inWords } from "../problem.js";
import { announce, confirmDialog, dialog, emptyState, field, notice, pageHead, settingsTabs } from "../ui.js";

/** @typedef {{id: string, name: string, role: string, created_at: string, created_by: string, expires_at: string, last_used_at: string | null}} Token */

const roles = ["viewer", "editor", "publisher", "admin"];
const day = 86400e3;
const longest = 366;
const lives = [7, 30, 90, 365];

/** @param {HTMLElement} main @param {import("../console.js").Shell} shell */
export default async function tokens(main, shell) {
  await load("problem");
  const head = (/** @type {import("../ui.js").Part} */ actions) => pageHead({ title: t("shell.nav.settings"), tabs: settingsTabs("tokens"), actions });
  if (!shell.may("admin")) {
    render(html`${head(nothing)}${emptyState({ title: t("tokens.admins"), text: t("tokens.admins.text", { role: t("shell.role." + shell.role) }) })}`, main);
    return;
  }
  /** @type {Token[]} */
  let items = [];
  const read = async () => { items = (await get("tokens")).body.items; };
  const draw = () => render(html`${head(html`<button type="button" class="primary" @click=${create}>${t("tokens.new")}</button>`)}
    <p class="lead token-lead">${t("tokens.lead")}</p>
    ${items.length === 0
      ? emptyState({ title: t("tokens.empty"), text: t("tokens.empty.text"), action: html`<button type="button" @click=${create}>${t("tokens.new")}</button>` })
      : html`<div class="card flush"><table class="tokens stack">
          <caption class="hidden">${t("ui.tab.tokens")}</caption>
          <thead><tr><th scope="col">${t("tokens.name")}</th><th scope="col">${t("tokens.role")}</th><th scope="col">${t("tokens.made")}</th><th scope="col">${t("tokens.used")}</th><th scope="col">${t("tokens.ends")}</th><td></td></tr></thead>
          <tbody>${items.map(row)}</tbody></table></div>`}`, main);

  const row = (/** @type {Token} */ token) => html`<tr>
    <th scope="row">${token.name}${token.name === shell.user ? html` <span class="badge">${t("tokens.yours")}</span>` : nothing}</th>
    <td data-label=${t("tokens.role")}>${t("shell.role." + token.role)}</td>
    <td data-label=${t("tokens.made")}>${t("tokens.made.by", { when: dateTime(token.created_at), who: token.created_by })}</td>
    <td data-label=${t("tokens.used")}>${token.last_used_at ? html`<time datetime=${token.last_used_at} title=${dateTime(token.last_used_at)}>${ago(token.last_used_at)}</time>` : html`<span class="muted">${t("tokens.never")}</span>`}</td>
    <td data-label=${t("tokens.ends")}>${ends(token.expires_at)}</td>
    <td class="act"><button type="button" class="quiet" aria-label=${t("tokens.delete.which", { name: token.name })} @click=${() => remove(token)}>${t("tokens.delete")}</button></td>
  </tr>`;

  const create = async () => {
    const made = await dialog({ name: t("tokens.new"), body: form() });
    if (made === undefined) return;
    items = [...items, made].sort((a, b) => a.name < b.name ? -1 : 1);
    draw();
    await show(made);
    announce(t("tokens.created", { name: made.name }));
  };

  const remove = async (/** @type {Token} */ token) => {
    const yes = await confirmDialog({
      name: t("tokens.delete.which", { name: token.name }), action: t("tokens.delete"), danger: true,
      text: html`<p>${t("tokens.delete.text")}</p>
        <p>${token.last_used_at ? t("tokens.delete.used", { when: ago(token.last_used_at) }) : t("tokens.delete.unused")}</p>
        ${token.name === shell.user ? notice("warning", t("tokens.delete.yours")) : nothing}`,
    });
    if (!yes) return;
    try {
      await send("DELETE", "tokens?name=" + encodeURIComponent(token.name));
      announce(t("tokens.deleted", { name: token.name }));
    } catch (error) {
      announce(inWords(error));
      if (!(error instanceof ApiError && error.status === 404)) return;
    }
    items = items.filter((other) => other.id !== token.id);
    draw();
  };

  await read();
  draw();
}

/** When a token ends, and whether that is soon or over. @param {string} at */
function ends(at) {
  const left = new Date(at).getTime() - Date.now();
  if (left <= 0) return html`<span class="badge">${t("tokens.ended", { when: ago(at) })}</span>`;
  return html`${dateTime(at)} ${left < 14 * day ? html`<span class="badge paused">${ago(at)}</span>` : html`<span class="muted">${ago(at)}</span>`}`;
}

/** The form of a new token. It closes its dialog with what the server made. */
function form() {
  let name = "", role = "viewer", life = "90", until = "", busy = false;
  /** @type {unknown} */
  let error = null;
  const inputDate = (/** @type {number} */ days) => new Date(Date.now() + days * day - new Date().getTimezoneOffset() * 60e3).toISOString().slice(0, 10);

  /** @param {(made?: Token & {token: string}) => void} close @param {() => void} redraw */
  return (close, redraw) => {
    const submit = async (/** @type {SubmitEvent} */ event) => {
      event.preventDefault();
      if (busy) return;
      busy = true;
      error = null;
      redraw();
      // A day that was chosen counts to its end, where the operator is.
      const end = life === "date" ? new Date(until + "T23:59:59") : new Date(Date.now() + Number(life) * day);
      try {
        close((await send("POST", "tokens", { name: name.trim(), role, expires_at: end.toISOString() })).body);
      } catch (caught) {
        error = caught;
        busy = false;
        redraw();
      }
    };
    const nameError = errorAt(error, "/name") !== "" ? t("tokens.name.error") : error instanceof ApiError && error.code === "name_exists" ? inWords(error) : "";
    const endError = errorAt(error, "/expires_at") !== "" ? t("tokens.end.error") : "";
    return html`<form method="dialog" @submit=${submit}>
      ${field({ label: t("tokens.name"), name: "name", value: name, hint: t("tokens.name.hint"), error: nameError, required: true, input: (value) => { name = value; } })}
      <fieldset class="choices"><legend>${t("tokens.role")}</legend>
        ${roles.map((each) => html`<label class="choice"><input type="radio" name="role" value=${each} .checked=${each === role} aria-describedby="role-${each}" @change=${() => { role = each; }}>
          <span><b>${t("shell.role." + each)}</b><span class="hint" id="role-${each}">${t("tokens.may." + each)}</span></span></label>`)}
      </fieldset>
      <div class="fields">
        ${field({ label: t("tokens.end"), name: "life", value: life, options: [...lives.map((days) => ({ value: String(days), text: t("tokens.days", { n: days }) })), { value: "date", text: t("tokens.date") }],
          error: life === "date" ? "" : endError, input: (value) => { life = value; redraw(); } })}
        ${life === "date" ? field({ label: t("tokens.until"), name: "until", type: "date", value: until, min: inputDate(0), max: inputDate(longest - 1), required: true, error: endError, input: (value) => { until = value; } }) : nothing}
      </div>
      ${error !== null && nameError === "" && endError === "" ? notice("danger", inWords(error)) : nothing}
      <div class="buttons"><button type="button" @click=${() => close()}>${t("shell.cancel")}</button><button class="primary" ?disabled=${busy}>${t("tokens.create")}</button></div>
    </form>`;
  };
}

/** Shows a token, once: it can't be left by mistake. @param {Token & {token: string}} made */
function show(made) {
  let copied = "";
  return dialog({ name: t("tokens.made.title", { name: made.name }), stay: true, body: (close, redraw) => {
    const copy = async () => {
      try {
        await navigator.clipboard.writeText(made.token);
        copied = t("tokens.copied");
      } catch { // the page came by plain HTTP from another host, or the browser was told not to
        /** @type {HTMLInputElement} */ (document.getElementById("made")).select();
        copied = document.execCommand("copy") ? t("tokens.copied") : t("tokens.copy.yourself");
      }
      redraw();
      announce(copied);
    };
    return html`<p>${t("tokens.once")}</p>
      <div class="field token-made"><label for="made">${t("shell.login.token")}</label>
        <input id="made" class="mono" readonly .value=${made.token} @focus=${(/** @type {Event} */ event) => /** @type {HTMLInputElement} */ (event.target).select()}>
        <p class="hint">${copied || t("tokens.made.hint", { n: made.token.length, role: t("shell.role." + made.role), when: dateTime(made.expires_at) })}</p></div>
      <div class="buttons"><button type="button" @click=${copy}>${t("tokens.copy")}</button><button type="button" class="primary" @click=${() => close()}>${t("tokens.kept")}</button></div>`;
  } });
}
