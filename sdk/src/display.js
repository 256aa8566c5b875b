// Shows one popup in a <popupd-host> of its own. Whatever the operator wrote becomes text
// or a checked address, never markup.
import { isSafe, kindOf, own, text } from "./content.js";
import { css } from "./style.js";
import { listen, watchView } from "./watch.js";

/**
 * Throws if the content can be nothing sensible; what is wrong and can be left out goes
 * to failed.
 * @param {import("../popupd").Popup} popup
 * @param {(placement: string) => Element} findContainer of an inline popup
 * @param {import("../popupd").Actions} on
 * @param {() => void} begun
 * @param {(error: Error, quiet: boolean, popup: import("../popupd").Popup) => void} failed
 * @param {AbortSignal} signal ends it
 */
export function display(popup, findContainer, on, begun, failed, signal) {
  const content = own(popup.content);
  const kind = kindOf(popup);
  const modal = kind === "modal";
  const fault = (/** @type {string} */ name) => new Error(`popup ${popup.key}: bad ${name}`);
  if (!/^(modal|banner|toast|inline)$/.test(kind)) {
    throw fault("kind");
  }
  const host = document.createElement("popupd-host");
  host.dir = text(content.dir);
  host.lang = text(popup.locale) || document.documentElement.lang;
  host.style.colorScheme = text(content.theme); // else what the user's system has
  const root = host.attachShadow({ mode: "closed" });
  if (!sheet) {
    sheet = new CSSStyleSheet();
    sheet.replaceSync(css);
  }
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
  /** Returns an address if it may be shown. @param {unknown} value @param {string} name */
  const address = (value, name) => {
    const found = text(value);
    if (!found || isSafe(found)) {
      return found;
    }
    failed(fault(name + " " + found), false, popup);
  };
  const { src: given = content.image, alt, width, height } = own(content.image);
  const src = address(given, "image");
  if (src) {
    const image = /** @type {HTMLImageElement} */ (element("img", "image"));
    image.style.aspectRatio = width + "/" + height; // what is no ratio changes nothing
    image.alt = text(alt);
    image.onerror = () => {
      image.remove();
      failed(fault("image " + src), false, popup);
    };
    image.src = src;
    scroll.append(image);
  }
  if (!add("h2", "title", content.title).textContent) {
    throw fault("title");
  }
  add("p", "body", content.body);
  const actions = element("div", "actions");
  const href = address(content.link, "link");
  const cta = /** @type {HTMLAnchorElement} */ (add(href ? "a" : "button", "cta", content.cta || (href && (zh ? "查看" : "Learn more")), actions));
  cta.onclick = on.click;
  if (href) {
    cta.href = href;
    cta.rel = "noopener";
    cta.onauxclick = ({ button }) => button === 1 && on.click(); // the middle one opens a tab
  }
  add("button", "dismiss", content.dismiss, actions).onclick = on.dismiss;
  actions.firstChild && scroll.append(actions);
  const card = element("div", "card", scroll);
  const close = add("button", "close", "\u00d7", card);
  close.setAttribute("aria-label", zh ? "关闭" : "Close");
  close.onclick = on.dismiss;
  const wrap = /** @type {HTMLDialogElement} */ (element(modal ? "dialog" : "section", "wrap", card));
  wrap.classList.add(kind);
  root.append(wrap);
  wrap.setAttribute("aria-labelledby", "title");
  text(content.body) && wrap.setAttribute("aria-describedby", "body");
  if (kind === "toast") {
    wrap.setAttribute("role", "status");
  }

  const at = text(content.position) || { banner: "top", toast: "bottom-end" }[kind] || "";
  wrap.style.alignItems = /top/.test(at) ? "start" : /bottom/.test(at) ? "end" : "center";
  wrap.style.justifyContent = (/start|end|left|right/.exec(at) || ["center"])[0];

  listen(root, "keydown keyup keypress", (event) => event.stopPropagation());
  wrap.onkeydown = (event) => {
    if (event.key === "Escape") {
      on.dismiss();
    } else if (modal && event.key === "Tab") { // which would leave for the browser's own buttons
      event.preventDefault();
      const stops = /** @type {HTMLElement[]} */ ([...root.querySelectorAll('a,button,[tabindex="0"]')]);
      const now = stops.indexOf(/** @type {HTMLElement} */ (root.activeElement));
      stops[(event.shiftKey ? Math.max(now, 0) + stops.length - 1 : now + 1) % stops.length].focus();
    }
  };
  if (modal) {
    wrap.tabIndex = -1;
    wrap.oncancel = on.dismiss;
  }
  (kind === "inline" ? findContainer(popup.placement) : document.body).append(host);
  // The browser computes style and layout in a task of its own; showModal and focus would compute them in ours.
  requestAnimationFrame(() => setTimeout(() => {
    if (signal.aborted) {
      return;
    }
    if (modal) {
      wrap.showModal();
      wrap.focus(); // and no button: Enter must not follow a link that has just appeared
    }
    if (scroll.scrollHeight > scroll.clientHeight) {
      scroll.tabIndex = 0; // so that keys can scroll it
    }
    watchView(card, on.view, signal);
    begun();
  }));
  listen(signal, "abort", () => {
    modal && wrap.close(); // gives the focus back
    host.remove();
  });
  return host;
}

/** @type {CSSStyleSheet | undefined} */
let sheet; // of all popups

/** @param {string} tag @param {string} name its class, id and part @param {string | Node} [inside] @returns {HTMLElement} */
function element(tag, name, inside = "") {
  const made = document.createElement(tag);
  made.id = made.className = /** @type {any} */ (made).part = name;
  made.append(inside);
  return made;
}
