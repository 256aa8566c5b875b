// Notices what happens in the page: that a popup was seen, that the route changed, that
// what a trigger waits for took place. What each returns ends it.

/**
 * Calls fn at events of these types, until the signal.
 * @param {EventTarget} target @param {string} types @param {(event: any) => void} fn @param {AbortSignal} signal
 */
export function listen(target, types, fn, signal) {
  for (const type of types.split(" ")) {
    target.addEventListener(type, fn, { signal, passive: true });
  }
}

/**
 * Calls seen once half of an element, or half of the window's height, was on screen for
 * a second.
 * @param {Element} target @param {() => void} seen
 */
export function watchView(target, seen) {
  let timer = 0;
  let half = false;
  const check = () => {
    clearTimeout(timer);
    if (half && isVisible()) {
      timer = window.setTimeout(() => (stop(), seen()), 1000);
    }
  };
  const observer = new IntersectionObserver((entries) => {
    const entry = entries[entries.length - 1];
    half = entry.intersectionRatio >= 0.5 || entry.intersectionRect.height >= innerHeight / 2;
    check();
  }, { threshold: [0, 0.1, 0.3, 0.5] });
  const stop = () => {
    clearTimeout(timer);
    observer.disconnect();
    document.removeEventListener("visibilitychange", check);
  };
  observer.observe(target);
  document.addEventListener("visibilitychange", check);
  return stop;
}

export const isVisible = () => document.visibilityState === "visible";

/** Returns the path that polls name: with the part of the hash that routers use. */
export const currentPath = () => location.pathname + (/^#!?\//.test(location.hash) ? location.hash : "");

/** Calls changed when the page has another path. @param {() => void} changed @param {AbortSignal} signal */
export function watchRoute(changed, signal) {
  let path = currentPath();
  const check = () => {
    if (path !== currentPath()) {
      path = currentPath();
      changed();
    }
  };
  const api = /** @type {any} */ (window).navigation;
  if (api) {
    return listen(api, "currententrychange", check, signal);
  }
  listen(window, "popstate hashchange", check, signal);
  for (const name of /** @type {const} */ (["pushState", "replaceState"])) {
    const before = history[name];
    /** @this {History} @param {Parameters<History["pushState"]>} args */
    const wrapped = function (...args) {
      before.apply(this, args);
      check();
    };
    history[name] = wrapped;
    signal.addEventListener("abort", () => history[name] === wrapped && (history[name] = before));
  }
}

/** Watches for exit, scroll:PERCENT, delay:SECONDS and event:NAME. @param {(trigger: string) => void} fire @param {AbortSignal} signal */
export function newTriggers(fire, signal) {
  /** @type {Set<string>} */
  let wanted = new Set();
  /** @type {Set<string>} */
  let happened = new Set(); // on this route, and events that no answer has named yet
  /** @type {number[]} */
  let timers = [];
  let since = Date.now();

  const happen = (/** @type {string} */ trigger) => {
    if (wanted.has(trigger) && !happened.has(trigger)) {
      happened.add(trigger);
      fire(trigger);
    }
  };
  const scrolled = () => {
    const { scrollHeight } = document.documentElement;
    for (const trigger of wanted) {
      const [kind, percent] = trigger.split(":");
      if (kind === "scroll" && (scrollY + innerHeight) * 100 >= scrollHeight * +percent) {
        happen(trigger);
      }
    }
  };
  const clear = () => timers.forEach(clearTimeout);
  listen(window, "scroll", scrolled, signal);
  listen(document, "mouseout", (event) => event.relatedTarget || event.clientY > 0 || happen("exit"), signal);
  signal.addEventListener("abort", clear);

  const self = {
    /** Takes what the last answer named. @param {string[]} triggers */
    arm(triggers) {
      const raised = triggers.filter((trigger) => trigger.startsWith("event:") && happened.delete(trigger));
      wanted = new Set(triggers);
      clear();
      timers = triggers.filter((trigger) => trigger.startsWith("delay:")).map((trigger) =>
        window.setTimeout(happen, since + +trigger.slice(6) * 1000 - Date.now(), trigger));
      raised.forEach(fire);
    },
    /** Tells that an event of the page happened; it is remembered until an answer names it. @param {string} name */
    event(name) {
      const trigger = "event:" + name;
      if (wanted.has(trigger)) {
        fire(trigger);
      } else {
        happened.add(trigger);
      }
    },
    /** Begins anew, on another route. */
    reset() {
      happened = new Set();
      since = Date.now();
      self.arm([...wanted]);
    },
  };
  return self;
}
