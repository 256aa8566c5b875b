// A link that shows the popup on the operator's own page, before anybody else sees it.
import { html, nothing } from "lit/html.js";
import { ApiError, send } from "../api.js";
import { ago, dateTime, has, t } from "../i18n.js";
import { announce, dialog, field } from "../ui.js";
import { choiceOf, choose, variantsOf } from "./choice.js";

/** @typedef {import("./editor.js").Editor} Editor */
/** @typedef {{address: string, token: string, ends: string, error: string[], code: boolean[][] | null, coded: string}} State code: of the link in coded */

const remembered = "popupd.page"; // in localStorage: the page of the last preview
const longest = 1200; // characters of a link that cameras read off a screen

/** Asks for a token, and shows links and codes with it until it is closed. @param {Editor} editor */
export async function shareDialog(editor) {
  /** @type {State} */
  const state = { address: recall(), token: "", ends: "", error: [], code: null, coded: "" };
  let redraw = () => {};
  const renew = async () => {
    await ask(editor, state);
    redraw();
  };
  renew();
  const clock = setInterval(() => redraw(), 10_000);
  await dialog({ name: t("preview.share"), wide: true, body: (_, again) => {
    redraw = again;
    return view(editor, state, renew, redraw);
  } });
  clearInterval(clock);
  redraw = () => {};
}

/** @param {Editor} editor @param {State} state */
async function ask(editor, state) {
  const { key } = editor.popup, path = /^[a-z\d][a-z\d-]{0,63}$/.test(key) ? key : "draft";
  const variant = variantsOf(editor)[choiceOf(editor).variant]?.key;
  try {
    const { body } = await send("POST", `popups/${path}/preview`, { variant, popup: { ...editor.popup, key: path } });
    Object.assign(state, { token: body.token, ends: body.expires_at, error: [] });
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    const errors = error.errors.map(({ pointer, detail }) => placeOf(pointer) + ": " + detail);
    Object.assign(state, { token: "", error: errors.length > 0 ? errors : [error.detail] });
  }
}

/** Names the field of a pointer in the request; without a field it is the path. @param {string} pointer */
function placeOf(pointer) {
  const path = pointer.split("/").slice(pointer.startsWith("/popup/") ? 2 : 1), name = "content." + path.slice(3).join(".");
  return path[0] === "variants" && has(name) ? t(name) : path.join(" › ");
}

/** @param {Editor} editor @param {State} state @param {() => void} renew @param {() => void} redraw */
function view(editor, state, renew, redraw) {
  const shown = variantsOf(editor).map(({ key, control }, i) => ({ value: String(i), text: key, control })).filter(({ control }) => !control);
  const link = linkOf(state), isOver = state.ends !== "" && Date.parse(state.ends) <= Date.now();
  return html`<div class="share">
    <p>${t("preview.share.text")}</p>
    <div class="fields">
      ${field({ label: t("preview.share.page"), name: "share-page", type: "url", value: state.address, placeholder: "https://www.example.com/", hint: t("preview.share.page.hint"),
        error: state.address !== "" && link === "" && state.token !== "" ? t("preview.share.page.wrong") : "", input: (value) => { state.address = value; remember(value); redraw(); } })}
      ${shown.length < 2 ? nothing : field({ label: t("content.variant"), name: "share-variant", value: String(choiceOf(editor).variant), options: shown, input: (i) => { choose(editor, { variant: Number(i) }); renew(); } })}
    </div>
    ${state.error.length > 0 ? html`<div class="notice danger" role="alert">${t("preview.share.wrong")}<ul>${state.error.map((line) => html`<li>${line}</li>`)}</ul></div>` : nothing}
    ${isOver ? html`<p class="notice warning" role="alert">${t("preview.share.over", { time: dateTime(state.ends) })} <button type="button" @click=${renew}>${t("preview.share.renew")}</button></p>` : link === "" ? nothing : linkView(state, link, redraw)}
    <details><summary>${t("preview.share.lines")}</summary><p class="muted">${t("preview.share.lines.text")}</p><pre tabindex="0">${lines}</pre></details>
  </div>`;
}

/** @param {State} state @param {string} link @param {() => void} redraw */
function linkView(state, link, redraw) {
  drawCode(state, link, redraw);
  return html`<div class="result">
    <div>
      ${field({ label: t("preview.share.link"), name: "share-link", value: link, readonly: true })}
      <p class="buttons"><a href=${link} target="_blank" rel="noopener noreferrer">${t("preview.share.open")}</a><button type="button" class="primary" @click=${() => copy(link)}>${t("preview.share.copy")}</button></p>
      <p>${t("preview.share.ends", { time: dateTime(state.ends), ago: ago(state.ends) })}</p>
      <p class="muted">${t("preview.share.anybody")}</p>
    </div>
    ${link.length > longest ? html`<p class="muted">${t("preview.share.long")}</p>` : state.code === null || state.coded !== link ? html`<div class="qr"></div>` : codeView(state.code)}
  </div>`;
}

/** The address of the page with the token, "" without a page or a token. @param {State} state */
function linkOf({ address, token }) {
  const typed = address.trim();
  if (token === "" || typed === "") return "";
  try {
    const url = new URL(/^[a-z][a-z\d+.-]*:\/\//i.test(typed) ? typed : "https://" + typed);
    if (!["https:", "http:"].includes(url.protocol)) return "";
    url.searchParams.set("popupd_preview", token);
    return url.href;
  } catch {
    return "";
  }
}

/** @param {State} state @param {string} link @param {() => void} redraw */
async function drawCode(state, link, redraw) {
  if (state.coded === link || link.length > longest) return;
  state.coded = link;
  state.code = null;
  const { encodeQR } = await import("qr");
  if (state.coded !== link) return;
  state.code = encodeQR(link, "raw", { ecc: "low", border: 4 });
  redraw();
}

/** @param {boolean[][]} code */
const codeView = (code) => html`<svg class="qr" viewBox="0 0 ${code.length} ${code.length}" role="img" aria-label=${t("preview.share.code")} shape-rendering="crispEdges">
  <path d=${code.flatMap((row, y) => row.map((dark, x) => dark ? `M${x} ${y}h1v1h-1z` : "")).join("")}></path></svg>`;

/** @param {string} link */
async function copy(link) {
  try {
    await navigator.clipboard.writeText(link);
  } catch { // where the console is not a secure context
    const input = /** @type {HTMLInputElement} */ (document.getElementById("share-link"));
    input.select();
    document.execCommand("copy");
  }
  announce(t("preview.share.copied"));
}

function recall() {
  try {
    return localStorage.getItem(remembered) ?? "";
  } catch {
    return "";
  }
}

/** @param {string} address */
function remember(address) {
  try {
    localStorage.setItem(remembered, address);
  } catch {
    // It is asked again.
  }
}

/** What a page needs to show previews: as in docs/frontend.md. */
const lines = `const preview = new URLSearchParams(location.search).get("popupd_preview");
popupd.init({ uid: "USER", placement: "home", ...(preview && {
  storage: "none",
  fetch: (url, o) => fetch(url, { ...o, body: JSON.stringify({ ...JSON.parse(o.body), preview }) }),
}) });`;
