// The client of one endpoint: it ties what asks, shows, watches and reports.
import { display } from "./display.js";
import { kindOf, own } from "./content.js";
import { newOutbox } from "./outbox.js";
import { newPoller } from "./poller.js";
import { newStorage, randomID } from "./storage.js";
import { currentPath, isVisible, listen, newTriggers, watchRoute, watchView } from "./watch.js";

/** @typedef {import("../popupd").Popup} Popup */
/** @typedef {import("../popupd").Client} Client */
/** @typedef {"view" | "click" | "dismiss" | "convert" | "release"} Action */
/** @typedef {{popup: Popup, token: string, modal: boolean, done: Set<Action>, remove?: () => void, host?: Element}} Shown remove is there while it is on screen */

/** @type {Map<string, Client>} */
const clients = new Map();

/** @type {typeof import("../popupd").init} */
export function init(options) {
  const endpoint = (options.endpoint || "").replace(/\/$/, "");
  const present = clients.get(endpoint);
  if (present) {
    return present;
  }
  const client = newClient(endpoint, options);
  clients.set(endpoint, client);
  if (options.autoStart !== false) {
    client.start();
  }
  return client;
}

/** @param {string} endpoint @param {import("../popupd").Options} options @returns {Client} */
function newClient(endpoint, options) {
  options = own(options); // the page may have polluted Object.prototype
  const isPage = globalThis.document && "timeout" in AbortSignal && window === window.top; // no server, no frame, no old browser
  const store = newStorage(options.storage);
  const placements = [options.placement || "default"].flat();
  const end = new AbortController();
  const { signal } = end;
  let started = false;
  let paused = false;
  let away = false; // in the back/forward cache, or on the way
  let attributes = { ...options.attributes };
  let { uid = "", sig, priorUid } = options;
  /** @type {Shown[]} */
  let shown = []; // and what waits until a modal popup is closed
  const told = new Set();
  const events = new EventTarget();
  /** @param {string} name @param {Popup} [popup] @param {Error} [error] */
  const emit = (name, popup, error) =>
    events.dispatchEvent(new CustomEvent(name, { detail: { popup, error } }));
  /** @param {Error} error @param {Popup} [popup] @param {boolean} [quiet] */
  const fail = (error, popup, quiet) => {
    const { message } = error;
    quiet || told.has(message) || console.warn("popupd: " + message);
    quiet || told.add(message);
    emit("error", popup, error);
  };
  if (!uid && isPage) {
    uid = String(store.get("uid") || randomID());
    store.set("uid", uid);
  }
  const joined = store.get("joined"); // who logged in here, and who that was before
  if (joined?.uid === uid) {
    priorUid = priorUid || joined.prior;
  }

  // uid in the query is for load balancers.
  const url = (/** @type {string} */ path) => endpoint + path + "?uid=" + encodeURIComponent(uid);
  const outbox = newOutbox({ url, key: "out." + endpoint, store, fetch: options.fetch });

  /** @param {Shown} item @param {Action} action @param {boolean} [leaving] */
  const report = (item, action, leaving) => {
    if (item.done.has(action) || (action === "release" && item.done.size) || item.done.has("release")) {
      return;
    }
    item.done.add(action);
    if (item.token) { // a preview has none
      outbox.send(item.token, action, leaving);
    }
    emit(action, item.popup);
  };
  /** Takes items off the page, and releases what nobody has seen or acted on. @param {Shown[]} items @param {boolean} [leaving] */
  const withdraw = (items, leaving) => {
    shown = shown.filter((item) => !items.includes(item)); // so that none of them is shown now
    for (const item of items) {
      item.remove?.();
      report(item, "release", leaving);
    }
    showWaiting();
  };
  /** @param {Shown} item @param {Action} action @param {boolean} [leaving] */
  const finish = (item, action, leaving) => {
    report(item, action, leaving);
    setTimeout(withdraw, 0, [item]); // the browser follows the link first
  };

  const show = (/** @type {Shown} */ item) => {
    const { popup } = item;
    const end = new AbortController();
    item.remove = () => end.abort();
    const ends = (/** @type {Action} */ action) => () => finish(item, action);
    const click = (/** @type {unknown} */ leaving = 0) => finish(item, "click", leaving === true); // a page may pass its event
    const actions = { view: () => report(item, "view"), click, dismiss: ends("dismiss"), convert: ends("convert"), release: ends("release") };
    try {
      if (options.render) {
        const made = options.render(popup, actions);
        if (made instanceof Element) {
          item.host = made;
          watchView(made, actions.view, end.signal);
        }
        listen(end.signal, "abort", () => (made instanceof Element ? made.remove() : made?.()));
      } else {
        item.host = display(popup, () => findContainer(popup.placement), actions, (error) => fail(error, popup), end.signal);
      }
    } catch (error) {
      fail(/** @type {Error} */ (error), popup);
      return withdraw([item]);
    }
    store.set("last", item.token);
    emit("show", popup);
  };
  const showWaiting = () => {
    for (const item of shown) {
      if (!item.remove && !shown.some((other) => other.modal && other.remove)) {
        show(item);
      }
    }
  };
  /** @param {string} placement @returns {Element} */
  const findContainer = (placement) => {
    let { container } = options;
    if (typeof container === "object" && !(container instanceof Element)) {
      container = own(container)[placement];
    }
    const found = typeof container === "string" ? document.querySelector(container) : container;
    if (!found) {
      throw new Error("no container for placement " + placement);
    }
    return /** @type {Element} */ (found);
  };

  const usable = () => started && !paused && !away && !signal.aborted;
  const isModal = (/** @type {Popup} */ popup) => !options.render && kindOf(popup) === "modal";
  /** Takes a popup of an answer. @param {any} answer @param {string} path */
  const take = (answer, path) => {
    /** @type {Shown} */
    const item = own({ popup: answer.popup, token: answer.token, modal: isModal(answer.popup), done: new Set() });
    const { popup } = item;
    try {
      if (usable() && path === currentPath() && !hostDialog() && options.shouldShow?.(popup) !== false) {
        withdraw(shown.filter((other) => other.popup.placement === popup.placement));
        shown.push(item);
        return;
      }
    } catch (error) {
      fail(/** @type {Error} */ (error), popup);
    }
    withdraw([item]);
  };

  const poller = newPoller({
    store,
    name: () => endpoint + " " + uid,
    active: () => usable() && isVisible() && !(/** @type {any} */ (document).prerendering),
    blocked: () => !!(shown.some((item) => item.modal && item.remove) || hostDialog()),
    ask(poll, timeout) {
      withdraw(shown.filter((item) => item.host && !item.host.isConnected)); // the page has removed them
      const free = placements.filter((name) => !shown.some((item) => item.popup.placement === name));
      const body = {
        ...poll, uid, sig, attributes,
        placements: free[0] ? free : placements,
        platform: options.platform || "web",
        app_version: options.appVersion,
        country: options.country,
        locale: options.locale || document.documentElement.lang || navigator.language,
        tz: options.tz || Intl.DateTimeFormat().resolvedOptions().timeZone,
        prior_uid: priorUid,
        showing: shown.map((item) => item.token),
      };
      return outbox.post("/v1/poll", body, timeout);
    },
    answered(answer, path) {
      withdraw(shown.filter((item) => answer.withdraw?.includes(item.token)));
      const items = [answer.popups || []].flat().filter((item) => item?.popup);
      if (items[0]) {
        const rank = (/** @type {any} */ item) => +isModal(item.popup);
        items
          .sort((a, b) => rank(b) - rank(a)) // what a modal one would cover is shown after it
          .forEach((item) => take(item, path));
        showWaiting();
      } else {
        emit("idle");
      }
    },
    armed: (names) => triggers.arm(names),
    failed: (error, quiet) => fail(error, undefined, quiet),
  });
  /** @type {ReturnType<typeof newTriggers>} */
  let triggers; // from the first start on

  /** Listens to what happens in the page, from the first start on. */
  const observe = () => {
    triggers = newTriggers(poller.want, signal);
    watchRoute(() => {
      triggers.reset();
      withdraw(shown); // they were chosen for another path
      poller.now();
    }, signal);
    const wake = () => {
      if (!away && isVisible()) {
        outbox.flush();
      }
      poller.wake();
    };
    listen(document, "visibilitychange prerenderingchange", wake, signal);
    listen(window, "online pageshow pagehide", ({ type }) => {
      away = type === "pagehide"; // perhaps into the back/forward cache
      if (away) {
        withdraw(shown, true);
      }
      wake();
    }, signal);
  };

  return {
    start() {
      if (isPage && !started && !signal.aborted) {
        started = true;
        observe();
        outbox.flush();
      }
      poller.wake();
    },
    pause() {
      paused = true;
      poller.wake();
    },
    resume() {
      paused = false;
      poller.wake();
    },
    refresh() {
      poller.reset();
      poller.now();
    },
    trigger: (name) => triggers?.event(name),
    identify(id, more = {}) {
      if (id !== uid) {
        priorUid = uid;
        uid = id;
        store.set("joined", { uid, prior: priorUid });
      }
      sig = more.sig;
      attributes = { ...attributes, ...more.attributes };
      poller.reset();
      poller.wake();
    },
    setAttributes(more) {
      attributes = { ...attributes, ...more };
    },
    convert() {
      const item = shown.find((item) => item.remove);
      const token = store.get("last");
      if (item) {
        report(item, "convert");
      } else if (token) {
        store.set("last", undefined);
        outbox.send(token, "convert");
        emit("convert");
      }
    },
    track(event) {
      if (isPage) {
        outbox.post("/v1/events", { uid, sig, event }).catch((error) => fail(error));
      }
    },
    on(name, fn) {
      const off = new AbortController();
      listen(events, name, ({ detail }) => fn(detail), off.signal);
      return () => off.abort();
    },
    destroy() {
      withdraw(shown);
      end.abort();
      poller.stop();
      clients.delete(endpoint);
    },
  };
}

/** Finds a modal dialog of the page: ours are in closed roots. */
const hostDialog = () => document.querySelector("dialog:modal");
