// In the frame of the preview: shows by the SDK what the page around it sends. The frame
// has no origin and answers to that page alone, whose address is the frame's own.

/**
 * What to show.
 * @typedef {object} Scene
 * @property {number} turn goes into the reports
 * @property {Record<string, any> | null} popup as a poll would have it; null shows none
 * @property {"light" | "dark"} scheme of the visitor's system
 * @property {string} lang of the page
 * @property {"ltr" | "rtl"} dir of the page
 */

/**
 * What became of it; "ready" once, when there is something to show it with.
 * @typedef {{turn: number, event: "ready" | "show" | "click" | "dismiss" | "error", detail?: string}} Report
 */

const { popupd } = /** @type {{popupd: typeof import("../../../sdk/popupd.js")}} */ (/** @type {unknown} */ (window));
/** @type {{mock: (first: object) => {fetch: typeof fetch}}} */
const { mock } = await import(new URL("popupd.mock.mjs", import.meta.url).href);

/** @param {Report} report */
const tell = (report) => parent.postMessage(report, location.origin);

/** @type {{destroy: () => void} | undefined} */
let client;

/** @param {Scene} scene */
function show({ turn, popup, scheme, lang, dir }) {
  client?.destroy();
  client = undefined;
  Object.assign(document.documentElement, { lang, dir });
  document.documentElement.style.colorScheme = scheme;
  scrollTo(0, 0);
  if (popup === null) return;
  const server = mock({ popups: [{ popup, token: "" }] });
  const made = popupd.init({ uid: "preview", placement: popup.placement, frame: true, storage: "none", fetch: server.fetch, container: "#inline", locale: lang });
  client = made;
  for (const event of /** @type {const} */ (["show", "click", "dismiss"])) {
    made.on(event, () => {
      if (event === "show") document.querySelector("#inline > *")?.scrollIntoView({ block: "center" });
      tell({ turn, event });
    });
  }
  made.on("error", (/** @type {{error: Error}} */ { error }) => tell({ turn, event: "error", detail: error.message }));
}

addEventListener("message", ({ source, origin, data }) => {
  if (source === parent && origin === location.origin) show(data);
});

// A popup that opens takes no focus from who is typing in the page around: what is inert can't have it.
const { showModal } = HTMLDialogElement.prototype;
HTMLDialogElement.prototype.showModal = function () {
  this.inert = !document.hasFocus();
  showModal.call(this);
  setTimeout(() => { this.inert = false; });
};

// Tab leads on to the page around: the SDK keeps it in a modal popup.
addEventListener("keydown", (event) => { if (event.key === "Tab") event.stopImmediatePropagation(); }, true);

// A link is pressed and leads nowhere.
for (const type of ["click", "auxclick"]) addEventListener(type, (event) => event.preventDefault(), true);

tell({ turn: 0, event: "ready" });
