// Of the visible tabs of one user, one polls: the leader. Web Locks choose it; where they
// are missing (pages that are not secure contexts), a lease in localStorage does.

const leaseMS = 12e3;

/**
 * Competes for a name until the returned function is called, and calls won when this tab
 * leads.
 * @param {string} name @param {import("./storage.js").Store} store @param {() => void} won
 * @returns {() => void}
 */
export function lead(name, store, won) {
  let over = false;
  if (navigator.locks) {
    /** @type {(value?: unknown) => void} */
    let release = () => {};
    const end = new AbortController();
    navigator.locks
      .request("popupd." + name, { signal: end.signal }, () => {
        if (!over) {
          won();
          return new Promise((resolve) => (release = resolve));
        }
      })
      .catch(() => over || won()); // a document without storage has no locks either
    return () => {
      over = true;
      release();
      end.abort();
    };
  }
  const me = Math.random();
  const key = "lease." + name;
  let leads = false;
  const renew = () => {
    const { id, until } = store.get(key) || {};
    const now = Date.now();
    if (over || (id !== me && until > now && until < now + 2 * leaseMS)) {
      return;
    }
    store.set(key, { id: me, until: now + leaseMS });
    if (id !== me) {
      setTimeout(renew, 50); // another tab may have written at the same time
    } else if (!leads) {
      leads = true;
      won();
    }
  };
  const timer = setInterval(renew, leaseMS / 3);
  renew();
  return () => {
    over = true;
    clearInterval(timer);
    leads && store.set(key, undefined);
  };
}
