// What changes, as the server tells it (GET /live): one connection for the whole tab, and none
// while the tab is hidden.
import { send } from "./api.js";

/**
 * What a page wants to be told. What has changed while the tab was hidden, or the connection
 * broken, is told afterwards.
 * @typedef {object} Handlers
 * @property {(told: {revision: number}) => void} [revision] other popups are in force
 * @property {(told: {counted: number}) => void} [counts] statistics have moved; every 2 s at most
 * @property {(told: any) => void} [system] every 2 s; console/live/system.go says what it has
 * @property {(told: any) => void} [findings] what popupd doctor finds; once, and when it was asked for
 * @property {(connected: boolean) => void} [connection] whether anything would be told now
 */

/** @type {Set<{handlers: Handlers, system: boolean}>} */
const listeners = new Set();

/** @type {EventSource | null} */
let source = null;
let withSystem = false;
let asking = false; // whether it is being found out why the server has refused
const pause = 3000; // ms from then to the next attempt

/** What was told last, to know what is new after a break. @type {Record<string, number>} */
const last = {};

/**
 * Has the handlers called until the returned function is.
 * @param {Handlers} handlers
 * @param {{system?: boolean}} [options] system: also of system and findings
 */
export function live(handlers, { system = false } = {}) {
  const listener = { handlers, system };
  listeners.add(listener);
  connect();
  if (source?.readyState === EventSource.OPEN) handlers.connection?.(true);
  return () => { listeners.delete(listener); connect(); };
}

/** Opens, keeps or closes the connection, as it is needed now. */
function connect() {
  const system = [...listeners].some((listener) => listener.system);
  const needed = listeners.size > 0 && document.visibilityState === "visible";
  if (source && needed && system === withSystem) return;
  source?.close();
  source = null;
  if (!needed) return;
  withSystem = system;
  const opened = source = new EventSource(system ? "/live?system=1" : "/live");
  opened.addEventListener("open", () => tell("connection", true));
  opened.addEventListener("error", () => {
    tell("connection", false);
    if (opened === source && opened.readyState === EventSource.CLOSED) refused(); // else it tries again by itself
  });
  opened.addEventListener("revision", (event) => changed("revision", event));
  opened.addEventListener("counts", (event) => changed("counts", event));
  opened.addEventListener("system", (event) => tell("system", JSON.parse(event.data)));
  opened.addEventListener("findings", (event) => tell("findings", JSON.parse(event.data)));
}

/** The server does not let the tab in: the operator may have to log in again. */
async function refused() {
  source = null;
  if (asking) return;
  asking = true;
  try {
    await send("HEAD", "/live", undefined, { background: true }); // asks to log in, if that is why
  } catch {
    // it is away, or about to end: the next attempt tells
  }
  await new Promise((resolve) => setTimeout(resolve, pause));
  asking = false;
  connect();
}

/**
 * Tells a number that is another one than before. The first one is new if it has changed since
 * the page began to load: what the page shows may be of before.
 * @param {"revision" | "counts"} name @param {MessageEvent<string>} event
 */
function changed(name, event) {
  const told = JSON.parse(event.data);
  const value = name === "revision" ? told.revision : told.counted;
  const isNew = name in last ? last[name] !== value : told.changed_ms_ago < performance.now();
  last[name] = value;
  if (isNew) tell(name, told);
}

/** @param {keyof Handlers} name @param {any} told */
function tell(name, told) {
  for (const { handlers } of [...listeners]) handlers[name]?.(told);
}

document.addEventListener("visibilitychange", connect);
