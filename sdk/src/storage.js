// What is kept in the browser. Reading the getter of localStorage throws where site
// data is blocked, and writing throws where it is full: then memory has to do.

const prefix = "popupd.";

/** @param {"local" | "none" | undefined} mode */
export function newStorage(mode) {
  /** @type {Map<string, string>} */
  const memory = new Map();
  /** @type {any} */
  let disk; // stays undefined where there is none: its use throws, as that of a full one does
  try {
    disk = mode === "none" ? disk : localStorage;
  } catch {
    // Memory has to do.
  }
  return {
    /** @param {string} key @returns {any} what was kept, undefined if that is nothing or no JSON */
    get(key) {
      try {
        return JSON.parse(memory.get(key) || disk.getItem(prefix + key));
      } catch {
        return undefined;
      }
    },
    /** @param {string} key @param {any} [value] nothing removes it */
    set(key, value) {
      const text = JSON.stringify(value);
      memory.set(key, text);
      try {
        text ? disk.setItem(prefix + key, text) : disk.removeItem(prefix + key);
        memory.delete(key);
      } catch {
        // It stays in memory.
      }
    },
  };
}

/** @typedef {ReturnType<typeof newStorage>} Store */

/** Returns 128 random bits as decimal numbers with dashes, as a rid and a uid may have them. */
export const randomID = () => crypto.getRandomValues(new Uint32Array(4)).join("-");
