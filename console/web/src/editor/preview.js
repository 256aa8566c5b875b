// The preview: the popup as the SDK shows it, in a frame that has no origin of its own.
import { html, nothing } from "lit/html.js";
import { ref } from "lit/directives/ref.js";
import { t } from "../i18n.js";
import { field } from "../ui.js";
import { choiceOf, choose, record, text, translationsOf, variantsOf } from "./choice.js";
import { imageOf, withImage } from "./content.js";
import { directionOf, languageName } from "./locale.js";
import { shareDialog } from "./share.js";

/** @typedef {import("./editor.js").Editor} Editor */
/** @typedef {import("../frame.js").Scene} Scene */
/** @typedef {import("../frame.js").Report} Report */

/** Windows of visitors, in px. */
const pages = { phone: { width: 375, height: 667 }, desktop: { width: 1024, height: 640 } };
const tallest = 560; // px that the pane gives to a window

/** @type {WeakMap<Editor, Preview>} */
const previews = new WeakMap();

/** @param {Editor} editor */
export function previewPane(editor) {
  const { variant: i, tag, page, scheme } = choiceOf(editor), variant = variantsOf(editor)[i], tags = Object.keys(translationsOf(editor, i));
  const preview = previews.get(editor) ?? new Preview(editor.update);
  previews.set(editor, preview);
  preview.show(sceneOf(editor), page);
  return html`<section class="preview" aria-labelledby="preview">
    <header><h2 id="preview">${t("preview.title")}${variantsOf(editor).length > 1 ? html` <code>${variant?.key}</code>` : nothing}</h2>
      ${editor.shell.may("editor") ? html`<button type="button" @click=${() => shareDialog(editor)}>${t("preview.share")}</button>` : nothing}</header>
    <div class="tools">
      ${switcher(editor, "page", page, ["desktop", "phone"])}
      ${switcher(editor, "scheme", scheme, ["light", "dark"])}
      ${tags.length === 0 ? nothing : field({
        label: t("preview.language"), bare: true, name: "preview-language", value: tag, input: (chosen) => choose(editor, { tag: chosen }),
        options: [{ value: "", text: t("preview.language.content") }, ...tags.map((each) => ({ value: each, text: `${languageName(each)} (${each})` }))],
      })}
    </div>
    <div class="window" ${ref(preview.stage)}><iframe src="/preview" sandbox="allow-scripts" title=${t("preview.frame")} ${ref(preview.frame)}></iframe></div>
    <div class="told" role="status">${[...notesOf(editor), ...preview.told].map((note) => html`<p>${note}</p>`)}</div>
    ${preview.ended ? html`<button type="button" @click=${() => preview.again()}>${t("preview.again")}</button>` : nothing}
  </section>`;
}

/** @param {Editor} editor @param {"page" | "scheme"} name @param {string} value @param {string[]} options */
const switcher = (editor, name, value, options) => html`<div class="switch" role="group" aria-label=${t("preview." + name)}>${options.map((option) => html`
  <button type="button" aria-pressed=${option === value ? "true" : "false"} @click=${() => choose(editor, { [name]: option })}>${t(`preview.${name}.${option}`)}</button>`)}</div>`;

/** What a visitor of the chosen language gets. @param {Editor} editor @returns {Record<string, any>} */
function contentOf(editor) {
  const { variant, tag } = choiceOf(editor);
  return { ...record(variantsOf(editor)[variant]?.content), ...(tag ? record(translationsOf(editor, variant)[tag]) : {}) };
}

/** @param {Editor} editor @returns {Omit<Scene, "turn">} */
function sceneOf(editor) {
  const { variant: i, tag, scheme } = choiceOf(editor), variant = variantsOf(editor)[i], content = contentOf(editor);
  const src = imageOf(content.image).src;
  const shown = { ...content, theme: text(content.theme) || scheme, ...(src ? { image: withImage(content.image, { src: imageHere(src) }) } : {}) };
  const popup = { key: editor.popup.key, variant: variant?.key, placement: "preview", content: shown, ...(tag && { locale: tag }) };
  return {
    popup: variant === undefined || variant.control === true ? null : popup, scheme, lang: tag || document.documentElement.lang,
    dir: tag ? directionOf(tag) : content.dir === "rtl" ? "rtl" : "ltr",
  };
}

/** An image that the visitor's page has is not here: a picture stands for it. @param {string} src */
function imageHere(src) {
  if (isOfPage(src)) return new URL(document.body.dataset.assets + "picture.svg", location.origin).href;
  return src.trim().replace(/^\/\//, "https://");
}

/** Whether an address is relative to the page. @param {string} address */
const isOfPage = (address) => !/^\s*([a-z][a-z\d+.-]*:|\/\/)/i.test(address);

/** What is another on the visitor's page. @param {Editor} editor @returns {string[]} */
function notesOf(editor) {
  const { variant } = choiceOf(editor), { src } = imageOf(contentOf(editor).image);
  if (variantsOf(editor)[variant]?.control) return [t("preview.control")];
  return src && isOfPage(src) ? [t("preview.picture")] : [];
}

/** A frame, and what has been shown in it. */
class Preview {
  /** @type {string[]} what became of the popup */
  told = [];
  /** whether the popup has gone */
  ended = false;

  /** @type {HTMLIFrameElement | undefined} */
  #frame;
  #turn = 0;
  #isReady = false;
  #shown = "";
  #timer = 0;
  /** @type {Omit<Scene, "turn"> | undefined} */
  #scene;
  /** @type {keyof typeof pages} */
  #page = "desktop";
  #sizes = new ResizeObserver(() => requestAnimationFrame(() => this.#fit()));

  /** @param {() => void} redraw */
  constructor(redraw) {
    this.redraw = redraw;
    addEventListener("message", ({ source, data }) => {
      if (source !== null && source === this.#frame?.contentWindow) this.#hear(data);
    });
  }

  frame = (/** @type {Element | undefined} */ element) => {
    this.#frame = /** @type {HTMLIFrameElement | undefined} */ (element);
    this.#isReady = false;
    this.#fit();
  };

  stage = (/** @type {Element | undefined} */ element) => {
    this.#sizes.disconnect();
    if (element) this.#sizes.observe(element);
  };

  /** Shows a scene, once what is typed has come to rest. @param {Omit<Scene, "turn">} scene @param {keyof typeof pages} page */
  show(scene, page) {
    this.#scene = scene;
    if (page !== this.#page) {
      this.#page = page;
      this.#shown = ""; // the SDK places a popup when it shows it
      requestAnimationFrame(() => this.#fit());
    }
    if (JSON.stringify(scene) === this.#shown) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#send(), 120);
  }

  again() {
    this.#shown = "";
    this.#send();
  }

  #send() {
    if (!this.#isReady || !this.#frame || !this.#scene) return;
    const shown = JSON.stringify(this.#scene);
    if (shown === this.#shown) return;
    this.#shown = shown;
    this.#frame.contentWindow?.postMessage({ ...this.#scene, turn: ++this.#turn }, "*"); // an origin of its own has no name; the policy lets only this server's pages into the frame
    if (this.told.length > 0 || this.ended) this.#tell([], false);
  }

  /** @param {unknown} data what came from the frame: it may be anything */
  #hear(data) {
    const { turn, event, detail } = /** @type {Report} */ (record(data));
    if (event === "ready") {
      this.#isReady = true;
      this.#shown = "";
      this.#send();
    }
    if (turn !== this.#turn) return;
    if (event === "click") this.#tell([this.#clicked()], true);
    if (event === "dismiss") this.#tell([t("preview.dismissed")], true);
    if (event === "error") {
      const [, part = ""] = /: bad (kind|title|image|link)\b/.exec(text(detail)) ?? [];
      const note = part ? t("preview.bad." + part) : t("preview.bad", { detail: text(detail).slice(0, 200) });
      this.#tell([...this.told.filter((other) => other !== note), note], this.ended);
    }
  }

  #clicked() {
    const link = text(this.#scene?.popup?.content.link);
    return link ? t("preview.clicked.link", { link }) : t("preview.clicked");
  }

  /** @param {string[]} told @param {boolean} ended */
  #tell(told, ended) {
    this.told = told;
    this.ended = ended;
    this.redraw();
  }

  /** Gives the frame the size of the visitor's window, and makes it fit into the pane. */
  #fit() {
    const frame = this.#frame, stage = frame?.parentElement;
    if (!frame || !stage || stage.clientWidth === 0) return;
    const { width, height } = pages[this.#page], scale = Math.min(1, stage.clientWidth / width, tallest / height);
    frame.style.width = width + "px";
    frame.style.height = height + "px";
    frame.style.transform = `scale(${scale})`;
    frame.style.insetInlineStart = Math.max(0, (stage.clientWidth - width * scale) / 2) + "px";
    stage.style.blockSize = height * scale + "px";
  }
}
