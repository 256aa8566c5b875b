// What of a system needs somebody to do something, in the order in which to do it.
import { list } from "../i18n.js";
import { share, time } from "./amounts.js";

/**
 * @typedef {object} Server
 * @property {string} id
 * @property {string} name
 * @property {string} address
 * @property {string} version
 * @property {"starting" | "ready" | "draining" | "away"} state
 * @property {number} revision
 * @property {number} waiting_events
 * @property {number} oldest_event_ms
 * @property {number} journal_bytes
 * @property {number} journal_max_bytes
 * @property {number} uptime_ms
 * @property {number} seen_ms_ago
 */

/**
 * What the server tells, as console/live/system.go has it; null is not known now.
 * @typedef {object} System
 * @property {number} at_ms
 * @property {string} server
 * @property {number} revision
 * @property {{bytes: number, max_bytes: number, waiting_events: number, oldest_ms: number, per_second: number | null, errors: number}} journal
 * @property {{embedded: boolean, up: boolean, batches: number | null, used_bytes: number | null, max_bytes: number | null, per_second: number | null}} redis
 * @property {{sqlite: boolean, up: boolean, flush: boolean, per_second: number | null, lag_ms: number | null, dead_events: number, errors: number, newer_schema: boolean}} database
 * @property {{entries: number, bytes: number, max_bytes: number, refused: number}} users
 * @property {Server[] | null} servers
 */

/** @typedef {{kind: "danger" | "warning", key: string, values?: Record<string, string | number>}} Problem key: of system.problem */

const late = 60000; // ms that events may wait
const full = 0.8; // of a journal
const nearlyFull = 0.9; // of memory

/**
 * @param {System} system
 * @param {(server: Server) => boolean} isBehind whether a server has had old popups for long
 * @param {number} critical how many findings are
 * @returns {Problem[]}
 */
export function problems({ journal, redis, database, users, servers }, isBehind, critical) {
  const percent = share(journal.bytes, journal.max_bytes);
  /** @type {(Problem | false)[]} */
  const all = [
    journal.bytes > full * journal.max_bytes && { kind: "danger", key: "journal_full", values: { percent } },
    database.newer_schema && { kind: "danger", key: "newer_schema" },
    !database.up && { kind: "danger", key: "database_down", values: { percent } },
    !redis.up && { kind: "danger", key: "redis_down", values: { percent } },
    critical > 0 && { kind: "danger", key: "critical", values: { n: critical } },
    database.up && redis.up && journal.oldest_ms > late && { kind: "warning", key: "late", values: { time: time(journal.oldest_ms), n: journal.waiting_events } },
    journal.errors > 0 && { kind: "warning", key: "journal_errors", values: { n: journal.errors } },
    database.dead_events > 0 && { kind: "warning", key: "dead", values: { n: database.dead_events } },
    users.refused > 0 && { kind: "danger", key: "users_refused", values: { n: users.refused } },
    users.refused === 0 && users.bytes > nearlyFull * users.max_bytes && { kind: "warning", key: "users_full", values: { percent: share(users.bytes, users.max_bytes) } },
    redis.used_bytes !== null && !!redis.max_bytes && redis.used_bytes > nearlyFull * redis.max_bytes
      && { kind: "warning", key: "redis_full", values: { percent: share(redis.used_bytes, redis.max_bytes) } },
    named("away", servers?.filter((server) => server.state === "away")),
    named("behind", servers?.filter(isBehind)),
    named("others_full", servers?.filter((server) => server.state !== "away" && server.journal_bytes > full * server.journal_max_bytes)),
  ];
  return all.filter((problem) => problem !== false);
}

/** @param {string} key @param {Server[]} [servers] @returns {Problem | false} */
const named = (key, servers = []) => servers.length > 0 && { kind: "warning", key, values: { n: servers.length, names: list(servers.map((server) => server.name)) } };
