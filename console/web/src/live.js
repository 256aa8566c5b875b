// What changes, as the server tells it (GET /live): one connection for the whole tab, and none
// while the tab is hidden.

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
let pause = 2000; // ms until the next attempt, after the server has refused one
let timer = 0;

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
  clearTimeout(timer);
  source?.close();
  source = null;
  if (!needed) return;
  withSystem = system;
  const opened = source = new EventSource(system ? "/live?system=1" : "/live");
  opened.addEventListener("open", () => { pause = 2000; tell("connection", true); });
  opened.addEventListener("error", () => {
    tell("connection", false);
    if (opened !== source || opened.readyState !== EventSource.CLOSED) return; // it tries again by itself
    source = null; // refused: the session has ended, or the server is about to
    timer = setTimeout(connect, pause);
    pause = Math.min(2 * pause, 60000);
  });
  opened.addEventListener("revision", (event) => changed("revision", event));
  opened.addEventListener("counts", (event) => changed("counts", event));
  opened.addEventListener("system", (event) => tell("system", JSON.parse(event.data)));
  opened.addEventListener("findings", (event) => tell("findings", JSON.parse(event.data)));
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
