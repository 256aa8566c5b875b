// Reports what became of popups: each action leaves once, and what could not be sent is
// kept and sent later with its age. The server counts a repeat of an action once.

const maxKept = 50; // as many as the server takes at once
const maxAge = 7 * 86400e3; // a token's life in ms

/** @typedef {{token: string, action: string, at: number}} Item */

/**
 * @param {{url: (path: string) => string, key: string, store: import("./storage.js").Store, fetch: typeof fetch | undefined}} o
 */
export function newOutbox({ url, key, store, fetch: custom }) {
  /** @returns {Item[]} */
  const kept = () => [store.get(key) || []].flat();
  const keep = (/** @type {Item[]} */ items) => store.set(key, [...kept(), ...items].slice(-maxKept));

  /** Posts items, and keeps them if that fails in a way that may pass. */
  const post = async (/** @type {Item[]} */ items) => {
    const answer = await self.post("/v1/actions", text(items)).catch(() => undefined);
    if (!answer || mayPass(answer.status)) {
      keep(items);
    }
  };

  const self = {
    /** @param {string} path @param {string} body */
    async post(path, body) {
      return (custom || fetch)(url(path), { method: "POST", body, keepalive: true, credentials: "omit" });
    },
    /**
     * Reports an action. When the page is about to go, the answer will not be heard: a
     * beacon is enough. It sends a string as text/plain, which needs no preflight; a Blob
     * of JSON would be lost.
     * @param {string} token @param {string} action @param {boolean} [leaving]
     */
    send(token, action, leaving) {
      const items = [{ token, action, at: Date.now() }];
      if (navigator.onLine === false) {
        keep(items);
      } else if (!leaving || custom || !navigator.sendBeacon || !navigator.sendBeacon(url("/v1/actions"), text(items))) {
        post(items);
      }
    },
    /** Sends what was kept. */
    flush() {
      const items = kept().filter((item) => Date.now() - item.at < maxAge);
      if (navigator.onLine !== false && items.length) {
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
const text = (items) => JSON.stringify(items.map(({ token, action, at }) => ({ token, action, age_ms: Math.max(0, Date.now() - at) })));
