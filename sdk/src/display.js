// Shows one popup in a <popupd-host> of its own. Whatever the operator wrote becomes text
// or a checked address, never markup.
import { isSafe, kindOf, own, text } from "./content.js";
import { css } from "./style.js";
import { listen, watchView } from "./watch.js";

/**
 * Throws if the content can be nothing sensible; what is wrong and can be left out goes
 * to failed.
 * @param {import("../popupd").Popup} popup
 * @param {() => Element} findContainer of an inline popup
 * @param {{view(): void, click(leaving?: boolean): void, dismiss(): void}} on
 * @param {(error: Error) => void} failed
 * @param {AbortSignal} signal ends it
 */
export function display(popup, findContainer, on, failed, signal) {
  const content = own(popup.content);
  const kind = kindOf(popup);
  const modal = kind === "modal";
  const fault = (/** @type {string} */ name) => new Error(`popup ${popup.key}: bad ${name}`);
  if (!/^(modal|banner|toast|inline)$/.test(kind)) {
    throw fault("kind");
  }
  if (!text(content.title)) {
    throw fault("title");
  }
  const host = document.createElement("popupd-host");
  host.dir = text(content.dir);
  host.lang = text(popup.locale) || document.documentElement.lang;
  host.setAttribute("theme", text(content.theme) || (matchMedia("(prefers-color-scheme:dark)").matches ? "dark" : "light"));
  const root = host.attachShadow({ mode: "closed" });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(css);
  root.adoptedStyleSheets = [sheet];

  const zh = /^zh/i.test(host.lang || navigator.language);
  const scroll = element("div", "scroll");
  /** Adds an element if there is a text for it. @param {string} tag @param {string} name @param {unknown} value */
  const add = (tag, name, value, to = scroll) => {
    const made = element(tag, name, text(value));
    made.textContent && to.append(made);
    return made;
  };
  add("span", "label", content.label);
  const src = text(content.image) || text(own(content.image).src);
  if (src && isSafe(src)) {
    const { alt, width, height } = own(content.image);
    const image = /** @type {HTMLImageElement} */ (element("img", "image"));
    if (width > 0 && height > 0) {
      image.width = width;
      image.height = height;
    }
    image.alt = text(alt);
    image.onerror = () => {
      image.remove();
      failed(new Error("image does not load: " + src));
    };
    image.src = src;
    scroll.append(image);
  } else if (src) {
    failed(fault("image"));
  }
  add("h2", "title", content.title);
  const body = add("p", "body", content.body);
  const actions = element("div", "actions");
  const link = text(content.link);
  if (link && isSafe(link)) {
    const made = /** @type {HTMLAnchorElement} */ (add("a", "cta", content.cta || (zh ? "查看" : "Learn more"), actions));
    made.href = link;
    made.rel = "noopener";
    made.onclick = made.onauxclick = (event) => event.button < 2 && on.click(true); // the left and the middle one
  } else {
    link && failed(fault("link"));
    add("button", "cta", content.cta, actions).onclick = () => on.click();
  }
  add("button", "dismiss", content.dismiss, actions).onclick = on.dismiss;
  actions.firstChild && scroll.append(actions);
  const card = element("div", "card");
  card.append(scroll);
  const close = add("button", "close", "\u00d7", card);
  close.setAttribute("aria-label", zh ? "关闭" : "Close");
  close.onclick = on.dismiss;
  const wrap = element(modal ? "dialog" : "section", "wrap");
  wrap.classList.add(kind);
  wrap.append(card);
  root.append(wrap);
  wrap.setAttribute("aria-labelledby", "title");
  if (kind === "toast") {
    wrap.setAttribute("role", "status");
  }

  const at = text(content.position) || (modal ? "" : kind === "banner" ? "top" : "bottom-end");
  wrap.style.alignItems = /top/.test(at) ? "start" : /bottom/.test(at) ? "end" : "center";
  wrap.style.justifyContent = (/start|end|left|right/.exec(at) || ["center"])[0];

  listen(root, "keydown keyup keypress", (event) => event.stopPropagation());
  wrap.onkeydown = (event) => {
    if (event.key === "Escape") {
      event.preventDefault();
      on.dismiss();
    } else if (modal && event.key === "Tab") { // which would leave for the browser's own buttons
      event.preventDefault();
      const stops = /** @type {NodeListOf<HTMLElement>} */ (root.querySelectorAll('a,button,[tabindex="0"]'));
      const now = [...stops].indexOf(/** @type {HTMLElement} */ (root.activeElement));
      stops[event.shiftKey ? (now < 1 ? stops.length : now) - 1 : (now + 1) % stops.length].focus();
    }
  };
  (kind === "inline" ? findContainer() : document.body).append(host);
  const dialog = /** @type {HTMLDialogElement} */ (wrap);
  if (modal) {
    body.isConnected && dialog.setAttribute("aria-describedby", "body");
    dialog.tabIndex = -1;
    dialog.oncancel = on.dismiss;
    dialog.onclick = (event) => event.target === dialog && on.dismiss();
    dialog.showModal();
    dialog.focus(); // and no button: Enter must not follow a link that has just appeared
  }
  if (scroll.scrollHeight > scroll.clientHeight) {
    scroll.tabIndex = 0; // so that keys can scroll it
  }
  watchView(card, on.view, signal);
  listen(signal, "abort", () => {
    modal && dialog.close(); // gives the focus back
    host.remove();
  });
  return host;
}

/** @param {string} tag @param {string} name its class, id and part @param {string} [text] @returns {HTMLElement} */
function element(tag, name, text) {
  const made = document.createElement(tag);
  made.className = made.id = name;
  made.setAttribute("part", name);
  made.append(text || "");
  return made;
}
