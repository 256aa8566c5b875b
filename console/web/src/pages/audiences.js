// The list of audiences, and the form of a new one (?new).
import { html, nothing, render } from "lit/html.js";
import { get } from "../api.js";
import { useLinks, usesOf } from "../audience/use.js";
import { ago, dateTime, load, number, t } from "../i18n.js";
import { live } from "../live.js";
import { emptyState, field, notice, pageHead } from "../ui.js";

/** @typedef {import("../audience/use.js").Audience} Audience */

/** @param {HTMLElement} main @param {import("../console.js").Shell} shell */
export default async function audiences(main, shell) {
  await load("problem", "list");
  if (new URLSearchParams(location.search).has("new") && shell.may("editor")) return (await import("../audience/create.js")).create(main, shell);

  const query = new URLSearchParams(location.search);
  let search = query.get("q") ?? "", kind = query.get("kind") ?? "";
  /** @type {{items: Audience[], upload?: {key: string, lines: number}}} */
  let body = (await get("audiences")).body;

  const filter = () => {
    const next = new URLSearchParams(Object.entries({ q: search, kind }).filter(([, value]) => value !== ""));
    history.replaceState(null, "", next.size ? "/audiences?" + next : "/audiences");
    draw();
  };
  const make = () => { location.href = "/audiences?new"; };
  const button = shell.may("editor") ? html`<button type="button" class="primary" @click=${make}>${t("audiences.new")}</button>` : nothing;

  const draw = () => {
    const words = search.toLowerCase().split(/\s+/);
    const shown = body.items.filter((a) => (kind === "" || a.kind === kind) && words.every((word) => a.key.includes(word)));
    const fresh = body.upload && !body.items.some((a) => a.key === body.upload?.key) ? body.upload : null;
    render(html`${pageHead({ title: t("shell.nav.audiences"), lead: t("audiences.lead"), actions: button })}
      ${fresh ? notice("info", t("audiences.uploading.new", { key: fresh.key, n: fresh.lines })) : nothing}
      ${body.items.length === 0
        ? emptyState({ title: t("audiences.empty"), text: t("audiences.empty.text"), action: button })
        : html`<div class="lookup" role="search">
            ${field({ label: t("audiences.search"), name: "q", type: "search", value: search, input: (value) => { search = value; filter(); } })}
            ${field({ label: t("audiences.kind"), name: "kind", value: kind, options: ["", "list", "rule"].map((value) => ({ value, text: t(value === "" ? "audiences.all" : "audiences.kind." + value) })), input: (value) => { kind = value; filter(); } })}
          </div>
          <p class="hidden" role="status">${t("audiences.shown", { n: shown.length })}</p>
          ${shown.length === 0 ? emptyState({ title: t("audiences.none"), text: t("audiences.none.text") }) : html`<div class="card flush"><table class="audiences stack">
            <caption class="hidden">${t("shell.nav.audiences")}</caption>
            <thead><tr><th scope="col">${t("audiences.key")}</th><th scope="col">${t("audiences.kind")}</th><th scope="col" class="number">${t("audiences.members")}</th><th scope="col">${t("audiences.used")}</th><th scope="col">${t("audiences.changed")}</th></tr></thead>
            <tbody>${shown.map(row)}</tbody></table></div>`}`}`, main);
  };

  const row = (/** @type {Audience} */ a) => html`<tr>
    <th scope="row"><a href="/audiences/${a.key}">${a.key}</a></th>
    <td data-label=${t("audiences.kind")}>${t("audiences.kind." + a.kind)}</td>
    <td data-label=${t("audiences.members")} class="number">${a.kind === "list" ? number(a.members) : html`<span class="muted">${t("audiences.members.rule")}</span>`}
      ${a.upload ? html`<span class="badge draft">${t("audiences.uploading", { n: a.upload.lines })}</span>` : nothing}</td>
    <td data-label=${t("audiences.used")}>${usesOf(a.used_by) === 0 ? html`<span class="muted">${t("audiences.unused")}</span>` : useLinks(a.used_by, 3)}</td>
    <td data-label=${t("audiences.changed")}><span><time datetime=${a.updated_at} title=${dateTime(a.updated_at)}>${ago(a.updated_at)}</time> <span class="muted">${t("audiences.by", { who: a.updated_by })}</span></span></td>
  </tr>`;

  const again = async () => {
    body = (await get("audiences", { background: true }).catch(() => ({ body }))).body;
    draw();
  };
  draw();
  live({ revision: again });
  setInterval(() => { if (body.upload && !document.hidden) again(); }, 2000); // an upload moves on without a revision
}
