// Of the visible tabs of one user, one polls: the leader. Web Locks choose it; where they
// are missing (pages that are not secure contexts), a lease in localStorage does.
import { listen } from "./watch.js";

const leaseMS = 12e3;

/**
 * Competes for a name until the signal, and calls won when this tab leads.
 * @param {string} name @param {import("./storage.js").Store} store @param {() => void} won @param {AbortSignal} signal
 */
export function lead(name, store, won, signal) {
  if (navigator.locks) {
    navigator.locks
      .request("popupd." + name, { signal }, () => signal.aborted || new Promise((release) => {
        listen(signal, "abort", release);
        won();
      }))
      .catch(() => signal.aborted || won()); // a document without storage has no locks either
    return;
  }
  const me = Math.random();
  const key = "lease." + name;
  let leads = false;
  const renew = () => {
    const { id, until } = store.get(key) || {};
    const left = until - Date.now();
    if (signal.aborted || (id !== me && left > 0 && left <= leaseMS)) { // longer ones come from a clock that was wrong
      return;
    }
    store.set(key, { id: me, until: Date.now() + leaseMS });
    if (id !== me) {
      setTimeout(renew, 50); // another tab may have written at the same time
    } else if (!leads) {
      leads = true;
      won();
    }
  };
  const timer = setInterval(renew, leaseMS / 3);
  renew();
  listen(signal, "abort", () => {
    clearInterval(timer);
    leads && store.set(key);
  });
}
