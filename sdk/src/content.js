// Reads the content of a popup. It was written by an operator, and the page may have
// polluted Object.prototype: only own members of the right type count.

/** @typedef {import("../popupd").Popup} Popup */

export const kinds = ["modal", "banner", "toast", "inline"];

/** @param {any} object @param {string} name */
export const own = (object, name) => (object && Object.prototype.hasOwnProperty.call(object, name) ? object[name] : undefined);

/**
 * Returns what is rendered. It throws if that can be nothing sensible; what is wrong and
 * can be left out goes to warn.
 * @param {Popup} popup @param {(error: Error) => void} warn
 */
export function readContent(popup, warn) {
  const content = own(popup, "content");
  const fault = (/** @type {string} */ name) => new Error(`popup ${popup.key}: bad ${name}`);
  /** @param {string} name @param {any} [from] @returns {string} */
  const text = (name, from = content) => {
    const value = own(from, name);
    return typeof value === "string" ? value.trim() : "";
  };
  /** @param {string} name @param {(url: URL) => any} fits */
  const url = (name, fits, from = content) => {
    const value = text(name, from);
    try {
      const parsed = new URL(value, location.href);
      if (!value || fits(parsed)) {
        return value && parsed.href;
      }
    } catch {
      // Told below.
    }
    warn(fault(name));
    return "";
  };
  const kind = own(content, "kind") ?? "modal";
  if (!kinds.includes(kind)) {
    throw fault("kind");
  }
  if (!text("title")) {
    throw fault("title");
  }
  const image = own(content, "image");
  const sized = typeof image === "object" && image;
  const size = (/** @type {string} */ name) => (own(sized, name) > 0 ? Math.round(own(sized, name)) : 0);
  return {
    kind,
    position: text("position").split("-").filter(Boolean),
    title: text("title"),
    body: text("body"),
    image: sized ? url("src", isOurs, sized) : url("image", isOurs),
    alt: text("alt", sized),
    width: size("width"),
    height: size("height"),
    link: url("link", (to) => to.protocol === "mailto:" || isOurs(to)),
    cta: text("cta"),
    dismiss: text("dismiss"),
    dir: text("dir"),
    label: text("label"),
    theme: text("theme"),
    lang: text("locale", popup),
  };
}

/** @typedef {ReturnType<typeof readContent>} Read */

/** Only https and what the page's own origin serves: nothing runs as a script. */
const isOurs = (/** @type {URL} */ url) =>
  url.protocol === "https:" || (url.protocol === "http:" && url.origin === location.origin);
