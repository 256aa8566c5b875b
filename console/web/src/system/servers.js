// The servers that share the database.
import { html, nothing } from "lit/html.js";
import { number, t } from "../i18n.js";
import { share, time } from "./amounts.js";
import { meter } from "./pipeline.js";

/** @typedef {import("./problems.js").Server} Server */
/** @typedef {import("./problems.js").System} System */

/** The newest popups that a server has. @param {Server[]} servers */
export const newest = (servers) => Math.max(0, ...servers.filter((server) => server.state !== "away").map((server) => server.revision));

/** @param {System} system */
export function serverTable({ servers, server: own }) {
  if (servers === null) return html`<p class="card muted">${t("system.servers.unknown")}</p>`;
  const top = newest(servers);
  return html`<div class="card flush scroll" tabindex="0" role="region" aria-labelledby="servers">
    <table class="servers">
      <thead><tr>
        <th scope="col">${t("system.server")}</th><th scope="col">${t("system.state")}</th><th scope="col">${t("system.version")}</th>
        <th scope="col" class="number">${t("system.revision")}</th><th scope="col" class="number">${t("system.waits")}</th>
        <th scope="col" class="number">${t("system.journal")}</th><th scope="col" class="number">${t("system.uptime")}</th><th scope="col" class="number">${t("system.seen")}</th>
      </tr></thead>
      <tbody>${servers.map((server) => row(server, server.id === own, top - server.revision))}</tbody>
    </table>
  </div>`;
}

const tones = { starting: "draft", ready: "active", draining: "paused", away: "away" };

/** @param {Server} s @param {boolean} isOwn @param {number} behind */
const row = (s, isOwn, behind) => html`<tr>
  <th scope="row">${s.name || "–"}${isOwn ? html` <span class="own">${t("system.own")}</span>` : nothing}<span class="mono muted">${s.address}</span></th>
  <td><span class="badge ${tones[s.state] ?? ""}">${t("system.server." + s.state)}</span></td>
  <td class="mono">${s.version}</td>
  <td class="number">${number(s.revision)}${s.state === "away" ? nothing : html`<span class=${behind > 0 ? "behind" : "muted"}>${behind > 0 ? t("system.behind", { n: behind }) : t("system.newest")}</span>`}</td>
  <td class="number">${number(s.waiting_events)}${s.waiting_events > 0 ? html`<span class="muted">${time(s.oldest_event_ms)}</span>` : nothing}</td>
  <td class="number">${share(s.journal_bytes, s.journal_max_bytes)}${meter(t("system.journal.used"), s.journal_bytes, s.journal_max_bytes)}</td>
  <td class="number">${s.state === "away" ? "–" : time(s.uptime_ms)}</td>
  <td class="number">${isOwn ? t("system.now") : t("system.ago", { time: time(s.seen_ms_ago) })}</td>
</tr>`;
