// Of the visible tabs of one user, one polls: the leader. Web Locks choose it; where they
// are missing (pages that are not secure contexts), a lease in localStorage does.
import { listen } from "./watch.js";

const leaseMS = 12e3;

/**
 * Competes for a name until the signal, and says when this tab leads, or does so no more.
 * @param {string} name @param {import("./storage.js").Store} store @param {(leads: boolean) => void} changed @param {AbortSignal} signal
 */
export function lead(name, store, changed, signal) {
  if (navigator.locks) {
    navigator.locks
      .request("popupd." + name, { signal }, () => signal.aborted || new Promise((release) => {
        listen(signal, "abort", release);
        changed(true);
      }))
      .catch(() => signal.aborted || changed(true)); // a document without storage has no locks either
    return;
  }
  const me = Math.random();
  const key = "lease." + name;
  let leads = false;
  const renew = () => {
    const { id, until } = store.get(key) || {};
    const left = until - Date.now();
    if (signal.aborted || (id !== me && left > 0 && left <= leaseMS)) { // longer ones come from a clock that was wrong
      leads && changed(leads = false); // another tab took the lease while this one slept
      return;
    }
    store.set(key, { id: me, until: Date.now() + leaseMS });
    if (id !== me) {
      setTimeout(renew, 50); // another tab may have written at the same time
    } else if (!leads) {
      changed(leads = true);
    }
  };
  const timer = setInterval(renew, leaseMS / 3);
  renew();
  listen(signal, "abort", () => {
    clearInterval(timer);
    leads && store.set(key);
  });
}
