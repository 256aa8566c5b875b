// Decides when to ask. A poll is an impression, so nothing is asked that could not be
// shown: not while the page is hidden, not in two tabs, not before the time that the
// server named, which is kept for other tabs and page views.
import { lead } from "./leader.js";
import { mayPass } from "./outbox.js";
import { randomID } from "./storage.js";
import { blockedMS, maxBackoffMS, maxWaitMS, sameAnswerMS, spacingMS, timeoutMS } from "./times.js";
import { currentPath, listen } from "./watch.js";

/** @typedef {{at: number, triggers: string[], rid?: string, path?: string, trigger?: string}} Plan kept in storage; a rid begins with when it was made */

/**
 * @param {{
 *   store: import("./storage.js").Store,
 *   identity: () => string,
 *   scope: string,
 *   active: () => unknown,
 *   blocked: () => unknown,
 *   ask: (poll: {rid: string, trigger: string, path: string}, signal: AbortSignal) => Promise<Response>,
 *   answered: (answer: any, path: string) => void,
 *   partly: () => boolean,
 *   armed: (triggers: string[]) => void,
 *   failed: (error: Error, quiet?: boolean) => void,
 * }} o
 * @param {AbortSignal} signal ends it
 */
export function newPoller({ store, identity, scope, active, blocked, ask, answered, partly, armed, failed }, signal) {
  /** @type {any} */
  let timer;
  let failures = 0;
  let asking = false;
  let stopped = false; // the server said that asking is wrong
  let forced = false; // asks for a poll before its time
  let asked = 0; // when the last poll began
  /** @type {Set<string>} */
  const waiting = new Set(); // triggers to ask for
  /** @type {AbortController | undefined} */
  let candidacy; // for leading the tabs
  let leads = false;
  let led = "";

  const key = () => scope + identity();
  /** @returns {Plan} */
  const plan = () => {
    const kept = store.get(key());
    return kept?.at <= Date.now() + maxWaitMS ? kept : { at: 0, triggers: [] };
  };

  /** Looks again at whether, and when, to poll. @param {boolean} [now] without waiting for the time that the server named */
  const wake = (now) => {
    clearTimeout(timer);
    if (now) {
      forced = true;
    }
    if (asking) {
      return;
    }
    const may = active() && !stopped;
    if (!may || led !== identity()) {
      candidacy?.abort();
      candidacy = undefined;
      leads = false;
    }
    if (!may) {
      waiting.clear();
    } else if (!candidacy) {
      candidacy = new AbortController();
      led = identity();
      lead(led, store, (won) => {
        leads = won;
        won && armed(plan().triggers);
        wake();
      }, candidacy.signal);
    } else if (leads) {
      const { at } = plan();
      const early = !failures && (forced || waiting.size);
      const left = (early ? Math.min(at, asked + spacingMS) : at) - Date.now();
      if (left > 0 || blocked()) {
        timer = setTimeout(wake, left > 0 ? left : blockedMS);
      } else {
        poll();
      }
    }
  };

  const poll = async () => {
    const path = currentPath();
    const [trigger = "load"] = forced ? [] : waiting;
    const polled = key();
    let next = plan();
    asked = Date.now();
    asking = true;
    forced = false;
    let { rid = "" } = next;
    if (next.trigger !== trigger || next.path !== path || !(asked - parseInt(rid) < sameAnswerMS)) {
      rid = asked + "-" + randomID();
    }
    next = { ...next, rid, path, trigger };
    if (trigger === "load") {
      next.at = asked;
    }
    store.set(polled, next); // should the page go now, the next one asks for the same answer
    let answer;
    let wait = 0;
    let quiet = true; // what cuts the network off, as ad blockers do, is told to no one but listeners
    try {
      const response = await ask({ rid, trigger, path }, AbortSignal.timeout(timeoutMS));
      if (!response.ok) {
        quiet = mayPass(response.status);
        stopped = !quiet;
        wait = /** @type {any} */ (response.headers.get("Retry-After")) * 1000 || 0;
        throw new Error("poll: HTTP " + response.status);
      }
      quiet = false;
      const json = await response.json();
      wait = Math.min(Math.max(+json.next_poll_sec || 60, 5), 300) * (1000 + 50 * Math.random());
      next = { at: 0, triggers: partly() ? next.triggers : (json.triggers || []).map(String) }; // those of all placements
      failures = 0;
      waiting.delete(trigger);
      answer = json;
    } catch (error) {
      const backoff = Math.random() * Math.min(maxBackoffMS, 2000 * 2 ** failures++);
      wait = Math.max(Math.min(wait, maxBackoffMS), backoff, 200);
      signal.aborted || failed(/** @type {Error} */ (error), quiet);
    }
    if (signal.aborted) {
      return; // the next client of the page asks for the same answer
    }
    store.set(polled, { ...next, at: Date.now() + wait });
    asking = false;
    if (answer) {
      answered(answer, path);
      armed(next.triggers);
    }
    wake();
  };

  listen(signal, "abort", () => {
    asking = false;
    wake();
  });
  return {
    wake,
    /** Forgets that the server refused to answer. */
    reset() {
      stopped = false;
      failures = 0;
    },
    /** Asks for popups that wait for a trigger. @param {string} trigger */
    want(trigger) {
      if (leads && active()) {
        waiting.add(trigger);
        wake();
      }
    },
  };
}
