// Unsaved changes, kept in the browser: they outlive a reload, the session and the tab.
import { complete } from "./shape.js";

/**
 * What was typed, what the server had then, and when.
 * @typedef {import("./editor.js").Popup} Popup
 * @typedef {{popup: Popup, base: Popup | null, at: number}} Entry
 * @typedef {{name: string, key: string, tab: string, entry: Entry}} Left an entry, and its name in localStorage
 */

const prefix = "popupd.unsaved:";
const days = 30;

/**
 * The unsaved changes of one popup in one tab. Each tab has an entry of its own in
 * localStorage, and a lock by which others know that the tab is open.
 */
export class Unsaved {
  /** Whether the browser keeps what is typed; else leaving the page would lose it. */
  works = true;
  /** @type {Omit<Entry, "at"> | null} not written yet */
  #next = null;
  #timer = 0;
  #tab = crypto.getRandomValues(new Uint32Array(2)).join("");
  #release = () => {};

  /** @param {string} key "" for a new popup @param {() => void} changed whether it works is another now */
  constructor(key, changed) {
    this.key = key;
    this.changed = changed;
    this.#lock();
    addEventListener("pagehide", () => { this.write(); this.#release(); });
    addEventListener("pageshow", (event) => { if (event.persisted) this.#lock(); });
  }

  get #name() { return prefix + this.key + ":" + this.#tab; }

  /** Locks are only there for pages by HTTPS or from this machine. */
  #lock() {
    const released = new Promise((resolve) => { this.#release = () => resolve(null); });
    navigator.locks?.request(prefix + this.#tab, () => released);
  }

  /** @param {Omit<Entry, "at">} entry */
  keep(entry) {
    this.#next = entry;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.write(), 200);
  }

  /** Writes what is to be kept, at once. */
  write() {
    clearTimeout(this.#timer);
    if (this.#next === null) return;
    const worked = this.works;
    try {
      localStorage.setItem(this.#name, JSON.stringify({ ...this.#next, at: Date.now() }));
      this.works = true;
      this.#next = null;
    } catch {
      this.works = false; // there is no room, or the browser keeps nothing
    }
    if (this.works !== worked) this.changed();
  }

  forget() {
    clearTimeout(this.#timer);
    this.#next = null;
    this.works = true;
    try { localStorage.removeItem(this.#name); } catch { /* then there is nothing */ }
  }

  /** The new popup has got a key. @param {string} key */
  rename(key) {
    if (key === this.key) return;
    this.forget();
    this.key = key;
  }

  /** What a tab that is no more left of this popup, the newest. @returns {Promise<Left | null>} */
  async find() {
    const held = new Set((await navigator.locks?.query())?.held?.map((lock) => lock.name));
    return stored().filter((left) => left.key === this.key && !held.has(prefix + left.tab)).sort((a, b) => b.entry.at - a.entry.at)[0] ?? null;
  }

  /** Makes it what this tab keeps. @param {Left} left */
  adopt(left) {
    this.keep(left.entry);
    this.write();
    if (this.works) localStorage.removeItem(left.name);
  }

  /** Keeps it no more. @param {Left} left */
  drop(left) { localStorage.removeItem(left.name); }
}

/** All entries; those that nobody came back for in 30 days go. */
function stored() {
  /** @type {Left[]} */
  const entries = [];
  let names;
  try { names = Object.keys(localStorage); } catch { return entries; }
  for (const name of names) {
    if (!name.startsWith(prefix)) continue;
    try {
      const entry = JSON.parse(localStorage.getItem(name) ?? "");
      if (Date.now() - entry.at < days * 86_400_000 && complete(entry.popup).errors.length === 0) {
        const [key, tab] = name.slice(prefix.length).split(":");
        entries.push({ name, key, tab, entry });
        continue;
      }
    } catch { /* no entry of ours */ }
    localStorage.removeItem(name);
  }
  return entries;
}
