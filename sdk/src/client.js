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
/** @typedef {{popup: Popup, token: string, modal: boolean, done: Set<Action>, end?: AbortController, host?: Element}} Shown end is there from when it goes on screen */

/** @type {Map<string, Client>} */
const clients = new Map();

/** @type {typeof import("../popupd").init} */
export function init(options) {
  const endpoint = (options.endpoint || "").replace(/\/$/, "");
  let client = clients.get(endpoint);
  if (!client) {
    client = newClient(endpoint, options);
    clients.set(endpoint, client);
    if (options.autoStart !== false) {
      client.start();
    }
  }
  return client;
}

/** @param {string} endpoint @param {import("../popupd").Options} options @returns {Client} */
function newClient(endpoint, options) {
  options = own(options); // the page may have polluted Object.prototype
  const isPage = (options.frame || /** @type {any} */ (globalThis).top === globalThis) && document.adoptedStyleSheets; // no server, no frame, no Safari before 16.4
  const store = newStorage(options.storage);
  const placements = [options.placement || "default"].flat();
  const end = new AbortController();
  const { signal } = end;
  /** @type {ReturnType<typeof newTriggers> | undefined} */
  let triggers; // from the first start on
  let paused = false;
  let away = false; // in the back/forward cache, or on the way
  let asked = placements; // of the last poll
  let { uid = "", sig, priorUid, attributes } = options;
  /** @type {Shown[]} */
  let shown = []; // and what waits until a modal popup is closed
  /** @type {Shown | undefined} */
  let last; // what was shown last, on an earlier page perhaps
  const told = new Set();
  const events = new EventTarget();
  /** @param {string} name @param {Popup} [popup] @param {Error} [error] */
  const emit = (name, popup, error) =>
    events.dispatchEvent(new CustomEvent(name, { detail: { popup, error } }));
  /** @param {Error} error @param {boolean} [quiet] @param {Popup} [popup] */
  const fail = (error, quiet, popup) => {
    const line = "popupd: " + error.message;
    if (!quiet && !told.has(line)) {
      told.add(line);
      console.warn(line);
    }
    emit("error", popup, error);
  };
  // uid in the query is for load balancers.
  const url = (/** @type {string} */ path) => endpoint + path + "?uid=" + encodeURIComponent(uid);
  const outbox = newOutbox(url, store, "out." + endpoint, options.fetch);

  /** @param {Shown} item @param {Action} action */
  const report = (item, action) => {
    const { done, popup, token } = item;
    if (done.has(action) || done.has("release") || (action === "release" && done.size)) {
      return;
    }
    done.add(action);
    if (token) { // a preview has none
      outbox.send(token, action, away);
    }
    emit(action, popup);
  };
  /** Takes items off the page, and releases what nobody has seen or acted on. @param {Shown[]} items */
  const withdraw = (items) => {
    shown = shown.filter((item) => !items.includes(item)); // so that none of them is shown now
    for (const item of items) {
      item.end?.abort();
      report(item, "release");
    }
    setTimeout(showWaiting); // in a task of its own, as all that takes long
  };
  const show = (/** @type {Shown} */ item) => {
    const { popup } = item;
    const { signal } = item.end = new AbortController();
    const actions = /** @type {import("../popupd").Actions} */ ({ view: () => report(item, "view") });
    for (const action of /** @type {const} */ (["click", "dismiss", "convert", "release"])) {
      actions[action] = () => {
        report(item, action);
        setTimeout(withdraw, 0, [item]); // the browser follows the link first
      };
    }
    const begun = () => {
      last = item;
      store.set("last", item.token);
      emit("show", popup);
    };
    try {
      if (hostDialog() || options.shouldShow?.(popup) === false) {
        withdraw([item]);
      } else if (options.render) {
        const made = options.render(popup, actions);
        if (made instanceof Element) {
          item.host = made;
          watchView(made, actions.view, signal);
        }
        const remove = () => (item.host ? item.host.remove() : /** @type {any} */ (made)?.());
        listen(signal, "abort", remove);
        signal.aborted ? remove() : begun();
      } else {
        item.host = display(popup, findContainer, actions, begun, fail, signal);
      }
    } catch (error) {
      fail(/** @type {Error} */ (error), false, popup);
      withdraw([item]);
    }
  };
  const covered = () => shown.some((item) => item.modal && item.host?.isConnected);
  const showWaiting = () => {
    for (const item of shown) {
      if (!item.end && shown.includes(item) && !covered()) { // what the page does meanwhile may have withdrawn it
        show(item);
      }
    }
  };
  /** @param {string} placement @returns {Element} */
  const findContainer = (placement) => {
    const place = own(options.container)[placement] || options.container;
    const found = typeof place === "string" ? document.querySelector(place) : place;
    if (found instanceof Element) {
      return found;
    }
    throw new Error("no container " + placement);
  };

  const usable = () => triggers && !paused && !away && !signal.aborted;
  const poller = newPoller({
    store,
    identity: () => endpoint + " " + uid,
    scope: "next." + placements + " ",
    active: () => usable() && isVisible() && document.readyState !== "loading", // a page that is prerendered is hidden
    blocked: () => covered() || hostDialog(),
    ask(poll, timeout) {
      withdraw(shown.filter((item) => item.host && !item.host.isConnected)); // the page has removed them
      const free = placements.filter((name) => poll.trigger !== "load" || !shown.some((item) => item.popup.placement === name));
      asked = free[0] ? free : placements;
      const body = {
        ...poll, uid, sig, attributes,
        placements: asked,
        platform: options.platform || "web",
        app_version: options.appVersion,
        country: options.country,
        locale: options.locale || document.documentElement.lang || navigator.language,
        tz: options.tz || timeZone(),
        prior_uid: priorUid,
        showing: shown.map((item) => item.token),
      };
      return outbox.post("/v1/poll", body, timeout);
    },
    answered(answer, path) {
      withdraw(shown.filter((item) => answer.withdraw?.includes(item.token)));
      const items = [answer.popups || []].flat()
        .filter((served) => served?.popup)
        .map(({ popup, token }) => own({ popup, token, modal: !options.render && kindOf(popup) === "modal", done: new Set() }))
        .sort((a, b) => b.modal - a.modal); // what a modal one would cover is shown after it
      withdraw(shown.filter(({ popup }) => items.some((item) => item.popup.placement === popup.placement)));
      shown.push(...items);
      if (path !== currentPath() || !usable()) {
        withdraw(items);
      } else if (!items[0]) {
        emit("idle");
      }
    },
    partly: () => asked.length < placements.length,
    armed: (names) => triggers?.arm(names),
    failed: fail,
  }, signal);
  const wake = () => {
    if (triggers) {
      outbox.flush();
    }
    poller.wake();
  };
  return {
    start() {
      if (isPage && !triggers && !signal.aborted) {
        uid || store.set("uid", uid = store.get("uid") || randomID()); // the page's own is not kept: the user may log out
        priorUid ||= store.get("prior." + uid); // who this user was before logging in here
        triggers = newTriggers(poller.want, signal);
        watchRoute(() => {
          triggers?.reset();
          withdraw(shown); // they were chosen for another path
          poller.wake(true);
        }, signal);
        listen(document, "visibilitychange readystatechange", wake, signal);
        listen(window, "online pageshow pagehide", ({ type }) => {
          away = type === "pagehide"; // perhaps into the back/forward cache
          if (away) {
            withdraw(shown);
          }
          wake();
        }, signal);
      }
      wake();
    },
    pause() {
      paused = true;
      wake();
    },
    resume() {
      paused = false;
      wake();
    },
    refresh() {
      poller.reset();
      poller.wake(true);
    },
    trigger: (name) => triggers?.raise(name),
    identify(id, more = {}) {
      if (id !== uid) {
        priorUid = uid || store.get("uid");
        uid = id;
        sig = "";
        store.set("prior." + uid, priorUid);
      }
      sig = more.sig || sig;
      attributes = { ...attributes, ...more.attributes };
      poller.reset();
      wake();
    },
    setAttributes(more) {
      attributes = { ...attributes, ...more };
    },
    convert() {
      last ||= /** @type {Shown} */ (own({ token: store.get("last"), done: new Set() }));
      store.set("last");
      if (last.token) {
        report(last, "convert");
      }
    },
    track(event) {
      if (isPage) {
        outbox.post("/v1/events", { uid, sig, event }).catch((error) => fail(error, true));
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
      clients.delete(endpoint);
    },
  };
}

/** Finds a modal dialog of the page: ours are in closed roots. */
const hostDialog = () => document.querySelector("dialog:modal");

/** Intl reads ICU's data at its first use, which takes 40 ms and more. */
const timeZone = () => /** @type {any} */ (window).Temporal?.Now.timeZoneId() || Intl.DateTimeFormat().resolvedOptions().timeZone;
