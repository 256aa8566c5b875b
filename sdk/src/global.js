// What /sdk.js runs: the global popupd, the calls that came before it, and the client
// that the attributes of the script tag ask for.
import { init as initClient } from "./client.js";
import { version } from "./index.js";

/** @typedef {import("../popupd").Options} Options */

const page = /** @type {any} */ (window);
const early = page.popupd;
if (!early?.version) { // else the script is in the page twice
  const script = /** @type {HTMLScriptElement | null} */ (document.currentScript);
  const endpoint = script?.src ? new URL(".", script.src).href : "";
  const init = (/** @type {Options} */ options) => initClient({ endpoint, ...options });
  page.popupd = { version, init };
  for (const options of early?.q || []) {
    init(options);
  }
  const { placement, ...data } = script ? script.dataset : /** @type {DOMStringMap} */ ({});
  if (data.uid || placement) {
    init(/** @type {any} */ ({ ...data, placement: placement && placement.split(/[ ,]+/) }));
  }
}
