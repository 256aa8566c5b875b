// Reports what became of popups: each action leaves once, and what could not be sent is
// kept and sent later with its age. The server counts a repeat of an action once.

const maxKept = 50; // as many as the server takes at once

/** @typedef {{token: string, action: string, at: number}} Item */

/**
 * @param {{url: (path: string) => string, key: string, store: import("./storage.js").Store, fetch: typeof fetch | undefined}} o
 */
export function newOutbox({ url, key, store, fetch: custom }) {
  /** Posts items, and keeps them if that fails in a way that may pass. */
  const post = async (/** @type {Item[]} */ items) => {
    const answer = navigator.onLine && await self.post("/v1/actions", aged(items)).catch(() => false);
    if (!answer || mayPass(/** @type {Response} */ (answer).status)) {
      store.set(key, [...store.get(key) || [], ...items].slice(-maxKept));
    }
  };

  const self = {
    /** @param {string} path @param {any} value @param {AbortSignal} [signal] of what the page has to live for */
    async post(path, value, signal) {
      return (custom || fetch)(url(path), { method: "POST", body: JSON.stringify(value), keepalive: !signal, credentials: "omit", signal });
    },
    /**
     * Reports an action. When the page is about to go, the answer will not be heard: a
     * beacon is enough. It sends a string as text/plain, which needs no preflight; a Blob
     * of JSON would be lost.
     * @param {string} token @param {string} action @param {boolean} [leaving]
     */
    send(token, action, leaving) {
      const items = [{ token, action, at: Date.now() }];
      if (!leaving || custom || !navigator.onLine || !navigator.sendBeacon(url("/v1/actions"), JSON.stringify(aged(items)))) {
        post(items);
      }
    },
    /** Sends what was kept. */
    flush() {
      const items = store.get(key);
      if (navigator.onLine && items) {
        store.set(key, undefined);
        post(items);
      }
    },
  };
  return self;
}

/** @param {number} status */
export const mayPass = (status) => status >= 500 || status === 408 || status === 429;

/** @param {Item[]} items */
const aged = (items) => items.map(({ at, ...item }) => ({ ...item, age_ms: Math.max(0, Date.now() - at) }));
