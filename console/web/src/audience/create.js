// The form of a new audience: its key, and a list of user ids or a rule.
import { html, nothing, render } from "lit/html.js";
import { ApiError, send } from "../api.js";
import { conditionRows } from "../editor/targeting.js";
import { t } from "../i18n.js";
import { inWords } from "../problem.js";
import { field, notice, pageHead } from "../ui.js";
import { listForm, wordsOf } from "./list.js";
import { RuleForm } from "./rule.js";

/** @param {HTMLElement} main @param {import("../console.js").Shell} shell */
export function create(main, shell) {
  let key = "", kind = "list", error = "", busy = false;
  /** @type {unknown} */
  let failure = null;
  const checkedKey = () => {
    error = /^[a-z0-9][a-z0-9-]{0,63}$/.test(key) ? "" : t("audiences.key.error");
    draw();
    if (error !== "") document.getElementById("key")?.focus();
    return error === "" ? key : "";
  };
  const refused = (/** @type {unknown} */ refusal) => {
    if (!(refusal instanceof ApiError && refusal.code === "audience_exists")) return false;
    error = inWords(refusal);
    draw();
    document.getElementById("key")?.focus();
    return true;
  };
  const done = (/** @type {{key: string}} */ stored) => {
    made = true;
    location.href = "/audiences/" + stored.key;
  };
  let made = false;
  const list = listForm({ key: checkedKey, match: () => undefined, done, refused }, () => draw());
  const rule = new RuleForm(shell, () => draw());
  const save = async () => {
    const name = checkedKey();
    if (name === "" || busy) return;
    busy = true;
    failure = null;
    draw();
    try {
      done((await send("PUT", "audiences/" + name, rule.document, { fresh: true })).body);
    } catch (caught) {
      if (!refused(caught)) failure = caught;
      if (caught instanceof ApiError) rule.errors = caught.errors;
    }
    busy = false;
    draw();
  };
  addEventListener("beforeunload", (event) => { if (rule.isDirty && !made) event.preventDefault(); });

  const draw = () => render(html`${pageHead({ title: t("audiences.new"), back: { href: "/audiences", text: t("audiences.back") }, lead: t("audiences.lead") })}
    <section class="card narrow">
      ${field({ label: t("audiences.key"), name: "key", value: key, required: true, error, hint: t("audiences.key.hint"), input: (value) => { key = value.trim(); error = ""; draw(); } })}
      <fieldset class="choices pair"><legend>${t("audiences.kind")}</legend>
        ${["list", "rule"].map((each) => html`<label class="choice"><input type="radio" name="kind" value=${each} .checked=${each === kind} aria-describedby="kind-${each}" @change=${() => { kind = each; draw(); }}>
          <span><b>${t("audiences." + each)}</b><span class="hint" id="kind-${each}">${t(`audiences.${each}.text`)}</span></span></label>`)}
      </fieldset>
      ${kind === "list" ? list(t("audiences.upload")) : nothing}
    </section>
    ${kind === "rule" ? html`<section class="card" aria-labelledby="rule-title"><h2 id="rule-title">${t("audiences.rule.title")}</h2>
      ${conditionRows(rule, "/rule")}
      ${failure !== null ? notice("danger", wordsOf(failure)) : nothing}
      <div class="buttons"><button type="button" class="primary" ?disabled=${busy} @click=${save}>${t("audiences.create")}</button></div>
    </section>` : nothing}`, main);
  draw();
}
