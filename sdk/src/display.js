// Shows one popup in a <popupd-host> of its own. Whatever the operator wrote becomes text
// or a checked address, never markup.
import { adoptStyle } from "./style.js";

/** @typedef {import("./content.js").Read} Read */

/**
 * @param {Read} content
 * @param {Element | null} container of an inline popup
 * @param {{click(leaving: boolean): void, dismiss(): void, failed(error: Error): void}} on
 */
export function display(content, container, on) {
  const { kind } = content;
  const modal = kind === "modal";
  const host = document.createElement("popupd-host");
  if (content.dir) {
    host.dir = content.dir;
  }
  if (content.lang) {
    host.lang = content.lang;
  }
  host.setAttribute("theme", content.theme || (matchMedia("(prefers-color-scheme:dark)").matches ? "dark" : "light"));
  const root = host.attachShadow({ mode: "closed" });
  adoptStyle(root);

  const wrap = element(modal ? "dialog" : kind === "toast" ? "div" : "section", kind + " wrap");
  const card = element("div", "card");
  const scroll = element("div", "scroll");
  const zh = /^zh/i.test(content.lang || document.documentElement.lang || navigator.language);
  if (content.label) {
    scroll.append(element("span", "label", content.label));
  }
  if (content.image) {
    const image = /** @type {HTMLImageElement} */ (element("img", "image"));
    if (content.width && content.height) {
      image.width = content.width;
      image.height = content.height;
      image.style.aspectRatio = content.width + "/" + content.height;
    }
    image.alt = content.alt;
    image.onerror = () => {
      image.remove();
      on.failed(new Error("image does not load: " + content.image));
    };
    image.src = content.image;
    scroll.append(image);
  }
  const title = element("h2", "title", content.title);
  title.id = "title";
  scroll.append(title);
  if (content.body) {
    const body = element("p", "body", content.body);
    body.id = "body";
    scroll.append(body);
    if (modal) {
      wrap.setAttribute("aria-describedby", "body");
    }
  }
  const actions = element("div", "actions");
  if (content.link) {
    const link = /** @type {HTMLAnchorElement} */ (element("a", "cta", content.cta || (zh ? "查看" : "Learn more")));
    link.href = content.link;
    link.rel = "noopener";
    link.onclick = () => on.click(true);
    link.onauxclick = (event) => event.button === 1 && on.click(true);
    actions.append(link);
  } else if (content.cta) {
    actions.append(button("cta", content.cta, () => on.click(false)));
  }
  if (content.dismiss) {
    actions.append(button("dismiss", content.dismiss, on.dismiss));
  }
  if (actions.firstChild) {
    scroll.append(actions);
  }
  const close = button("close", "\u00d7", on.dismiss);
  close.setAttribute("aria-label", zh ? "关闭" : "Close");
  card.append(scroll, close);
  wrap.append(card);
  root.append(wrap);

  if (kind === "toast") {
    wrap.setAttribute("role", "status");
  } else {
    wrap.setAttribute("aria-labelledby", "title");
  }
  place(wrap, content);
  for (const type of ["keydown", "keyup", "keypress"]) {
    root.addEventListener(type, (event) => event.stopPropagation());
  }
  wrap.onkeydown = (event) => {
    if (event.key === "Escape" && !event.isComposing) {
      event.preventDefault();
      on.dismiss();
    } else if (modal && event.key === "Tab") {
      cycle(event, root, wrap);
    }
  };
  (container || document.body).append(host);
  if (modal) {
    const dialog = /** @type {HTMLDialogElement} */ (wrap);
    dialog.tabIndex = -1;
    dialog.oncancel = (event) => {
      event.preventDefault();
      on.dismiss();
    };
    dialog.onclick = (event) => event.target === dialog && on.dismiss();
    dialog.showModal();
    dialog.focus(); // and no button: Enter must not follow a link that has just appeared
  }
  if (scroll.scrollHeight > scroll.clientHeight) {
    scroll.tabIndex = 0; // so that keys can scroll it
  }
  return {
    card,
    host,
    remove() {
      if (modal) {
        /** @type {HTMLDialogElement} */ (wrap).close(); // gives the focus back
      }
      host.remove();
    },
  };
}

/** @param {string} tag @param {string} classes the last one is its part, too @param {string} [text] @returns {HTMLElement} */
function element(tag, classes, text = "") {
  const made = document.createElement(tag);
  made.className = classes;
  made.setAttribute("part", classes.split(" ").pop() || "");
  made.textContent = text;
  return made;
}

/** @param {string} part @param {string} text @param {() => void} onclick */
function button(part, text, onclick) {
  const made = /** @type {HTMLButtonElement} */ (element("button", part, text));
  made.type = "button";
  made.onclick = onclick;
  return made;
}

/** Puts the card where the content says. @param {HTMLElement} wrap @param {Read} content */
function place({ style }, { kind, position }) {
  const named = position.length ? position : kind === "modal" ? ["center"] : kind === "banner" ? ["top"] : ["bottom", "end"];
  const has = (/** @type {string[]} */ ...names) => names.find((name) => named.includes(name));
  style.alignItems = has("top") ? "start" : has("bottom") ? "end" : "center";
  style.justifyContent = has("start", "end", "left", "right") || "center";
}

/** Keeps Tab inside of a modal popup. @param {KeyboardEvent} event @param {ShadowRoot} root @param {Element} wrap */
function cycle(event, root, wrap) {
  const stops = /** @type {NodeListOf<HTMLElement>} */ (root.querySelectorAll('a,button,[tabindex="0"]'));
  const [first, last] = [stops[0], stops[stops.length - 1]];
  const at = root.activeElement;
  if (event.shiftKey ? at === first || at === wrap || !at : at === last) {
    event.preventDefault();
    (event.shiftKey ? last : first).focus();
  }
}
