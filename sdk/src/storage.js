// What is kept in the browser. Reading the getter of localStorage throws where site
// data is blocked, and writing throws where it is full: then memory has to do.

const prefix = "popupd.";

/** @param {"local" | "none" | undefined} mode */
export function newStorage(mode) {
  /** @type {Map<string, string>} */
  const memory = new Map();
  /** @param {(store: Storage) => any} use */
  const attempt = (use) => {
    try {
      return mode === "none" ? undefined : use(localStorage);
    } catch {
      return undefined;
    }
  };
  return {
    /** @param {string} key @returns {any} what was kept, undefined if that is nothing or no JSON */
    get(key) {
      try {
        return JSON.parse(memory.get(key) || attempt((store) => store.getItem(prefix + key)));
      } catch {
        return undefined;
      }
    },
    /** @param {string} key @param {any} value undefined removes it */
    set(key, value) {
      const text = JSON.stringify(value);
      memory.delete(key);
      if (text === undefined) {
        attempt((store) => store.removeItem(prefix + key));
      } else if (!attempt((store) => (store.setItem(prefix + key, text), true))) {
        memory.set(key, text);
      }
    },
  };
}

/** @typedef {ReturnType<typeof newStorage>} Store */

/** Returns 32 random characters, as a rid and a uid may have them. */
export const randomID = () =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => (byte + 256).toString(16).slice(1)).join("");
