// The client of one endpoint: it ties what asks, shows, watches and reports.
import { display } from "./display.js";
import { own, readContent } from "./content.js";
import { newOutbox } from "./outbox.js";
import { newPoller } from "./poller.js";
import { newStorage, randomID } from "./storage.js";
import { currentPath, isVisible, listen, newTriggers, watchRoute, watchView } from "./watch.js";

/** @typedef {import("../popupd").Popup} Popup */
/** @typedef {import("../popupd").Client} Client */
/** @typedef {"view" | "click" | "dismiss" | "convert" | "release"} Action */
/** @typedef {{popup: Popup, token: string, path: string, modal: boolean, done: Set<Action>, remove: (() => void) | null, host: Element | null}} Shown */

/** @type {Map<string, Client>} */
const clients = new Map();

/** @type {typeof import("../popupd").init} */
export function init(options) {
  const endpoint = String(options.endpoint || "").replace(/\/+$/, "");
  const present = clients.get(endpoint);
  if (present) {
    return present;
  }
  const client = newClient(endpoint, options, () => clients.delete(endpoint));
  clients.set(endpoint, client);
  if (options.autoStart !== false) {
    client.start();
  }
  return client;
}

/** @param {string} endpoint @param {import("../popupd").Options} options @param {() => void} gone @returns {Client} */
function newClient(endpoint, options, gone) {
  options = Object.assign(Object.create(null), options); // the page may have polluted Object.prototype
  const isPage = typeof document !== "undefined" && window === window.top; // not a server, not a frame
  const store = newStorage(options.storage);
  const placements = [options.placement || "default"].flat();
  const end = new AbortController();
  const { signal } = end;
  let [started, paused, away] = [false, false, false];
  let attributes = { ...options.attributes };
  let { uid = "", sig, priorUid } = options;
  /** @type {Shown[]} */
  let shown = []; // and what waits until a modal popup is closed
  /** @type {Record<string, ((event: any) => void)[]>} */
  const listeners = Object.create(null);
  const told = new Set();

  const emit = (/** @type {string} */ name, /** @type {any} */ event) => {
    for (const fn of [...(listeners[name] || [])]) {
      try {
        fn(event);
      } catch (error) {
        console.error(error);
      }
    }
  };
  const fail = (/** @type {Error} */ error, /** @type {Popup} */ popup = /** @type {any} */ (undefined), quiet = false) => {
    if (!quiet && !told.has(error.message)) {
      told.add(error.message);
      console.warn("popupd: " + error.message);
    }
    emit("error", { error, popup });
  };
  if (!uid && isPage) {
    uid = store.get("uid");
    if (typeof uid !== "string" || !uid) {
      store.set("uid", (uid = randomID()));
    }
  }
  const joined = store.get("joined"); // who logged in here, and who that was before
  if (!priorUid && joined && joined.uid === uid) {
    priorUid = joined.prior;
  }

  // uid in the query is for load balancers.
  const url = (/** @type {string} */ path) => endpoint + path + "?uid=" + encodeURIComponent(uid);
  const outbox = newOutbox({ url, key: "out." + endpoint, store, fetch: options.fetch });

  const report = (/** @type {Shown} */ item, /** @type {Action} */ action, leaving = false) => {
    if (item.done.has(action) || (action === "release" && item.done.size) || item.done.has("release")) {
      return;
    }
    item.done.add(action);
    if (item.token) { // a preview has none
      outbox.send(item.token, action, leaving);
    }
    emit(action, { popup: item.popup });
  };
  /** Takes an item off the page. @param {Shown} item */
  const remove = (item) => {
    if (shown.includes(item)) {
      shown = shown.filter((other) => other !== item);
      item.remove && item.remove();
      showWaiting();
    }
  };
  /** Takes items away that nobody has acted on: what was not seen is released. */
  const withdraw = (/** @type {Shown[]} */ items, leaving = false) => {
    shown = shown.filter((item) => !items.includes(item)); // so that none of them is shown now
    for (const item of items) {
      item.remove && item.remove();
      report(item, "release", leaving);
    }
    showWaiting();
  };
  const finish = (/** @type {Shown} */ item, /** @type {Action} */ action, leaving = false) => {
    report(item, action, leaving);
    // The browser follows the link first.
    setTimeout(remove, 0, item);
  };
  /** Ends an item that could not be shown. @param {Shown} item @param {unknown} [error] */
  const refuse = (item, error) => {
    if (error) {
      fail(/** @type {Error} */ (error), item.popup);
    }
    withdraw([item]);
  };

  const show = (/** @type {Shown} */ item) => {
    const { popup } = item;
    /** @type {(() => void)[]} */
    const cleanup = [];
    item.remove = () => cleanup.splice(0).forEach((fn) => fn());
    const seen = () => report(item, "view");
    const actions = {
      view: seen,
      click: finish.bind(null, item, "click", false),
      dismiss: finish.bind(null, item, "dismiss", false),
      convert: finish.bind(null, item, "convert", false),
      release: finish.bind(null, item, "release", false),
    };
    try {
      if (options.render) {
        const made = options.render(popup, actions);
        if (made instanceof Element) {
          item.host = made;
          cleanup.push(watchView(made, seen), () => made.remove());
        } else if (made) {
          cleanup.push(made);
        }
      } else {
        const content = readContent(popup, (error) => fail(error, popup));
        const view = display(content, content.kind === "inline" ? findContainer(popup.placement) : null, {
          click: (leaving) => finish(item, "click", leaving),
          dismiss: actions.dismiss,
          failed: (error) => fail(error, popup),
        });
        item.host = view.host;
        cleanup.push(watchView(view.card, seen), view.remove);
      }
    } catch (error) {
      return refuse(item, error);
    }
    store.set("last", item.token);
    emit("show", { popup });
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
    if (container && typeof container === "object" && !(container instanceof Element)) {
      container = own(container, placement);
    }
    const found = typeof container === "string" ? document.querySelector(container) : container;
    if (!found) {
      throw new Error("no container for placement " + placement);
    }
    return /** @type {Element} */ (found);
  };

  const isModal = (/** @type {Popup} */ popup) => !options.render && (own(own(popup, "content"), "kind") ?? "modal") === "modal";
  /** Takes a popup of an answer. @param {any} answer @param {string} path */
  const take = (answer, path) => {
    /** @type {Shown} */
    const item = { popup: answer.popup, token: answer.token, path, modal: isModal(answer.popup), done: new Set(), remove: null, host: null };
    const { popup } = item;
    try {
      if (!signal.aborted && !away && !paused && path === currentPath() && !hostIsModal() && (!options.shouldShow || options.shouldShow(popup))) {
        withdraw(shown.filter((other) => other.popup.placement === popup.placement));
        shown.push(item);
        return;
      }
    } catch (error) {
      return refuse(item, error);
    }
    refuse(item);
  };

  const poller = newPoller({
    store,
    name: () => endpoint + " " + uid,
    active: () => started && !paused && !away && !signal.aborted && isPage && isVisible() && !(/** @type {any} */ (document).prerendering),
    blocked: () => shown.some((item) => item.modal && item.remove) || hostIsModal(),
    ask(poll, timeout) {
      withdraw(shown.filter((item) => item.host && !item.host.isConnected)); // the page has removed them
      const free = placements.filter((name) => !shown.some((item) => item.popup.placement === name));
      const body = {
        ...poll, uid, sig, attributes,
        placements: free.length ? free : placements,
        platform: options.platform || "web",
        app_version: options.appVersion,
        country: options.country,
        locale: options.locale || document.documentElement.lang || navigator.language,
        tz: options.tz || Intl.DateTimeFormat().resolvedOptions().timeZone,
        prior_uid: priorUid,
        showing: shown.length ? shown.map((item) => item.token) : undefined,
      };
      return (options.fetch || fetch)(url("/v1/poll"), { method: "POST", body: JSON.stringify(body), credentials: "omit", signal: timeout });
    },
    answered(answer, path) {
      const gone = [own(answer, "withdraw")].flat();
      withdraw(shown.filter((item) => item.token && gone.includes(item.token)));
      const popups = own(answer, "popups");
      if (Array.isArray(popups) && popups.length) {
        const rank = (/** @type {any} */ item) => +isModal(own(item, "popup"));
        popups
          .filter((item) => own(item, "popup"))
          .sort((a, b) => rank(b) - rank(a)) // what a modal one would cover is shown after it
          .forEach((item) => take(item, path));
        showWaiting();
      } else {
        emit("idle", {});
      }
    },
    armed: (names) => triggers.arm(names),
    failed: (error, quiet) => fail(error, undefined, quiet),
  });
  /** @type {ReturnType<typeof newTriggers>} */
  let triggers = { arm() {}, event() {}, reset() {} };

  /** Listens to what happens in the page, from the first start on. */
  const observe = () => {
    triggers = newTriggers(poller.want, signal);
    watchRoute(() => {
      triggers.reset();
      withdraw([...shown]); // they were chosen for another path
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
        withdraw([...shown], true);
      }
      wake();
    }, signal);
  };

  return {
    start() {
      if (isPage && !signal.aborted) {
        if (!started) {
          started = true;
          observe();
          outbox.flush();
        }
        poller.wake();
      }
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
    trigger: (name) => triggers.event(name),
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
        emit("convert", {});
      }
    },
    track(event) {
      if (isPage) {
        outbox.post("/v1/events", JSON.stringify({ uid, sig, event })).catch(fail);
      }
    },
    on(name, fn) {
      (listeners[name] = listeners[name] || []).push(fn);
      return () => {
        listeners[name] = listeners[name].filter((other) => other !== fn);
      };
    },
    destroy() {
      withdraw([...shown]);
      end.abort();
      poller.stop();
      gone();
    },
  };
}

/** Reports whether a modal dialog of the page is open: ours are in closed roots. */
const hostIsModal = () => {
  try {
    return !!document.querySelector("dialog:modal");
  } catch { // a browser that does not know :modal
    return !!document.querySelector("dialog[open]");
  }
};
