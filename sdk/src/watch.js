// Notices what happens in the page: that a popup was seen, that the route changed, that
// what a trigger waits for took place. What each returns ends it.

/**
 * Calls fn at events of these types, until the signal.
 * @param {EventTarget} target @param {string} types @param {(event: any) => void} fn @param {AbortSignal} [signal]
 */
export function listen(target, types, fn, signal) {
  for (const type of types.split(" ")) {
    target.addEventListener(type, fn, { signal });
  }
}

/**
 * Calls seen when half of an element, or half of the window's height, was on screen for
 * a second, until the signal.
 * @param {Element} target @param {() => void} seen @param {AbortSignal} signal
 */
export function watchView(target, seen, signal) {
  /** @type {any} */
  let timer;
  let half = false;
  const check = () => {
    clearTimeout(timer);
    if (half && isVisible()) {
      timer = setTimeout(seen, 1000);
    }
  };
  const observer = new IntersectionObserver((entries) => {
    const { intersectionRatio, intersectionRect } = /** @type {IntersectionObserverEntry} */ (entries.pop());
    half = intersectionRatio >= 0.5 || intersectionRect.height >= innerHeight / 2;
    check();
  }, { threshold: [0, 0.2, 0.5] });
  observer.observe(target);
  listen(document, "visibilitychange", check, signal);
  listen(signal, "abort", () => {
    clearTimeout(timer);
    observer.disconnect();
  });
}

export const isVisible = () => !document.hidden;

/** Returns the path that polls name: with the part of the hash that routers use. */
export const currentPath = () => location.pathname + (location.hash.match(/^#!?\/.*/) || "");

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
  listen(api || window, "currententrychange popstate hashchange popupd.route", check, signal);
  if (!api && !patched) {
    patched = true;
    for (const name of /** @type {const} */ (["pushState", "replaceState"])) {
      const before = history[name];
      history[name] = function (...args) {
        before.apply(this, args);
        dispatchEvent(new Event("popupd.route"));
      };
    }
  }
}

let patched = false; // history tells of routes, for all clients and for ever

/** Watches for exit, scroll:PERCENT, delay:SECONDS and event:NAME. @param {(trigger: string) => void} fire @param {AbortSignal} signal */
export function newTriggers(fire, signal) {
  /** @type {string[]} */
  let wanted = [];
  /** @type {Set<string>} */
  let happened = new Set(); // on this route, and events that no answer has named yet
  let since = Date.now();

  const happen = (/** @type {string} */ trigger) => {
    if (wanted.includes(trigger) && !happened.has(trigger)) {
      happened.add(trigger);
      fire(trigger);
    }
  };
  /** @param {string} kind @param {(trigger: string, value: number) => void} fn */
  const each = (kind, fn) => wanted.forEach((trigger) => {
    const [name, value] = trigger.split(":");
    name === kind && fn(trigger, +value);
  });
  listen(window, "scroll", () => each("scroll", (trigger, percent) => {
    (scrollY + innerHeight) * 100 >= document.documentElement.scrollHeight * percent && happen(trigger);
  }), signal);
  listen(document, "mouseout", (event) => event.relatedTarget || event.clientY > 0 || happen("exit"), signal);

  /** Takes what the last answer named. @param {string[]} triggers */
  const arm = (triggers) => {
    const route = since;
    wanted = triggers;
    each("delay", (trigger, seconds) => setTimeout(() => route === since && happen(trigger), since + seconds * 1000 - Date.now()));
    each("event", (trigger) => happened.delete(trigger) && fire(trigger));
  };

  return {
    arm,
    /** Tells that an event of the page happened; it is remembered until an answer names it. @param {string} name */
    raise(name) {
      const trigger = "event:" + name;
      if (wanted.includes(trigger)) {
        fire(trigger);
      } else {
        happened.add(trigger);
      }
    },
    /** Begins anew, on another route. */
    reset() {
      happened = new Set();
      since = Date.now();
      arm(wanted);
    },
  };
}
