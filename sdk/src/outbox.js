// Reports what became of popups. An action is kept until the server has answered: one
// whose answer was lost is sent again, with its age. The server counts a repeat once.

const maxKept = 50; // as many as the server takes at once

/**
 * @param {(path: string) => string} url @param {import("./storage.js").Store} store @param {string} key in it
 * @param {typeof fetch} [custom] instead of the network
 */
export function newOutbox(url, store, key, custom) {
  /** @type {Set<string>} */
  const underWay = new Set();
  /** Returns the actions as JSON, each with its token and time. @returns {string[]} */
  const kept = () => store.get(key) || [];
  const aged = (/** @type {string[]} */ items) => items.map((text) => {
    const { at, ...item } = JSON.parse(text);
    return { ...item, age_ms: Math.max(0, Date.now() - at) };
  });

  /** @param {string} path @param {any} value @param {AbortSignal} [signal] of what the page has to live for */
  const post = async (path, value, signal) =>
    (custom || fetch)(url(path), { method: "POST", body: JSON.stringify(value), keepalive: !signal, credentials: "omit", signal });

  /** Sends what is kept and not under way. */
  const flush = async () => {
    const items = kept().filter((item) => !underWay.has(item));
    if (items[0] && navigator.onLine) {
      items.forEach((item) => underWay.add(item));
      const answer = await post("/v1/actions", aged(items)).catch(() => undefined);
      items.forEach((item) => underWay.delete(item));
      if (answer && !mayPass(answer.status)) {
        store.set(key, kept().filter((item) => !items.includes(item)));
      }
    }
  };

  /**
   * Reports an action. A page that is leaving hears no answer, and sends a beacon: of a
   * string, since a Blob of JSON would need a preflight and be lost.
   * @param {string} token @param {string} action @param {boolean} leaving
   */
  const send = (token, action, leaving) => {
    const item = JSON.stringify({ token, action, at: Date.now() });
    if (!leaving || custom || !navigator.onLine || !navigator.sendBeacon(url("/v1/actions"), JSON.stringify(aged([item])))) {
      store.set(key, [...kept(), item].slice(-maxKept));
      flush();
    }
  };

  return { post, flush, send };
}

/** @param {number} status */
export const mayPass = (status) => status >= 500 || status === 408 || status === 429;
