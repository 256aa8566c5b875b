// Decides when to ask. A poll is an impression, so nothing is asked that could not be
// shown: not while the page is hidden, not in two tabs, not before the time that the
// server named, which is kept for other tabs and page views.
import { lead } from "./leader.js";
import { mayPass } from "./outbox.js";
import { randomID } from "./storage.js";
import { blockedMS, maxBackoffMS, maxWaitMS, sameAnswerMS, spacingMS, timeoutMS } from "./times.js";
import { currentPath } from "./watch.js";

/** @typedef {{at: number, triggers: string[], rid?: string, path?: string}} Plan kept in storage; a rid begins with when it was made */

/**
 * @param {{
 *   store: import("./storage.js").Store,
 *   name: () => string,
 *   active: () => boolean,
 *   blocked: () => boolean,
 *   ask: (poll: {rid: string, trigger: string, path: string}, signal: AbortSignal) => Promise<Response>,
 *   answered: (answer: any, path: string) => void,
 *   armed: (triggers: string[]) => void,
 *   failed: (error: Error, quiet?: boolean) => void,
 * }} o
 */
export function newPoller({ store, name, active, blocked, ask, answered, armed, failed }) {
  /** @type {any} */
  let timer;
  let failures = 0;
  let asking = false;
  let ended = false;
  let stopped = false; // the server said that asking is wrong
  let leads = false;
  let forced = false; // asks for a poll before its time
  let asked = 0; // when the last poll began
  /** @type {Set<string>} */
  const waiting = new Set(); // triggers to ask for
  /** @type {(() => void) | undefined} */
  let resign;
  let led = "";

  const key = () => "next." + name();
  /** @returns {Plan} */
  const plan = () => {
    const kept = store.get(key());
    return kept && kept.at <= Date.now() + maxWaitMS && Array.isArray(kept.triggers) ? kept : { at: 0, triggers: [] };
  };
  const giveUp = () => {
    resign?.();
    resign = undefined;
    leads = false;
  };

  /** Looks again at whether, and when, to poll. */
  const wake = () => {
    clearTimeout(timer);
    if (asking) {
      return;
    }
    if (!active() || stopped || led !== name()) {
      giveUp();
    }
    if (!active() || stopped) {
      waiting.clear();
    } else if (!resign) {
      led = name();
      resign = lead(led, store, () => {
        leads = true;
        armed(plan().triggers);
        wake();
      });
    } else if (leads) {
      const { at } = plan();
      const now = Date.now();
      const early = !failures && (forced || waiting.size);
      const due = early ? Math.min(at, asked + spacingMS) : at;
      if (due > now) {
        timer = setTimeout(wake, due - now);
      } else if (blocked()) {
        timer = setTimeout(wake, blockedMS);
      } else {
        poll();
      }
    }
  };

  const poll = async () => {
    const path = currentPath();
    const [trigger = "load"] = forced ? [] : waiting;
    const before = plan();
    const now = Date.now();
    const { rid: old = "" } = before;
    const lost = trigger === "load" && before.path === path && now - parseInt(old) < sameAnswerMS;
    const rid = lost ? old : now + "-" + randomID();
    const polled = key();
    /** @type {Plan} */
    const next = { at: now, triggers: before.triggers, rid, path };
    asking = true;
    forced = false;
    asked = now;
    if (trigger === "load") {
      store.set(polled, next); // should the page go now, the next one asks for the same answer
    }
    let answer;
    let after = 0;
    let wait = 0;
    let quiet = true; // what cuts the network off, as ad blockers do, is told to no one but listeners
    try {
      const response = await ask({ rid, trigger, path }, AbortSignal.timeout(timeoutMS));
      if (!response.ok) {
        stopped = !mayPass(response.status);
        after = (parseInt(response.headers.get("Retry-After") || "") || 0) * 1000;
        quiet = !stopped;
        throw new Error("poll: HTTP " + response.status);
      }
      quiet = false;
      answer = await response.json();
      const sec = Math.min(Math.max(+answer.next_poll_sec || 60, 5), 300);
      wait = sec * 1000 * (1 + Math.random() / 20);
      next.triggers = (answer.triggers || []).map(String);
      delete next.rid;
      failures = 0;
      waiting.delete(trigger);
    } catch (error) {
      const backoff = Math.random() * Math.min(maxBackoffMS, 2000 * 2 ** failures++);
      wait = Math.max(Math.min(after, maxBackoffMS), backoff, 200);
      ended || failed(/** @type {Error} */ (error), quiet);
      answer = undefined;
    }
    next.at = Date.now() + wait;
    if (ended) {
      return; // the next client of the page asks for the same answer
    }
    store.set(polled, trigger === "load" || answer ? next : { ...before, at: next.at });
    asking = false;
    if (answer) {
      answered(answer, path);
      armed(next.triggers);
    }
    wake();
  };

  return {
    wake,
    /** Asks without waiting for the time that the server named. */
    now() {
      forced = true;
      wake();
    },
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
    stop() {
      ended = true;
      clearTimeout(timer);
      giveUp();
    },
  };
}
