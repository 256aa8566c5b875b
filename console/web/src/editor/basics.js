// What a popup is called, where it is shown, and what it waits for.
import { html, nothing } from "lit/html.js";
import { duration, has, t } from "../i18n.js";
import { field } from "../ui.js";

/** @typedef {import("./editor.js").Editor} Editor */

/** @param {Editor} editor */
export const basicsSection = (editor) => html`<section class="card" aria-labelledby="basics">
  <h2 id="basics">${t("editor.basics")}</h2>
  <div class="fields">
    ${text(editor, "/key", { required: true, disabled: editor.saved !== null, hint: t(editor.saved ? "editor.key.fixed" : "editor.key.hint") })}
    ${text(editor, "/name", { hint: t("editor.name.hint") })}
  </div>
  <div class="fields three">
    ${numeric(editor, "/priority", { hint: t("editor.priority.hint"), step: 1 })}
    ${words(editor, "/placements", t("editor.placements.hint"))}
    ${words(editor, "/tags", t("editor.tags.hint"))}
  </div>
  <details ?open=${isUnusual(editor)}>
    <summary>${t("editor.more")}</summary>
    ${triggerFields(editor)}
    <div class="fields">
      ${numeric(editor, "/rollout/percent", { hint: t("editor.rollout.hint"), min: 0, max: 100, step: 0.01 })}
      ${text(editor, "/rollout/salt", { hint: t("editor.salt.hint") })}
    </div>
    <div class="fields">
      ${text(editor, "/goal/event", { hint: t("editor.goal.hint"), placeholder: "purchase" })}
      ${numeric(editor, "/goal/window_sec", { hint: duration(editor.at("/goal/window_sec") ?? 0), min: 1, step: 1 })}
    </div>
  </details>
</section>`;

/** Whether something is set that is hidden otherwise. @param {Editor} editor */
const isUnusual = (editor) => editor.at("/trigger") !== "load" || editor.at("/rollout/percent") !== 100 || editor.at("/goal/event") !== "" ||
  ["/trigger", "/rollout", "/goal"].some((pointer) => editor.errorsBelow(pointer).length > 0);

/** What the field of a pointer has in common with others. @param {Editor} editor @param {string} pointer */
const common = (editor, pointer) => ({
  label: t("editor" + pointer.replaceAll("/", ".")), name: editor.id(pointer), disabled: editor.readonly,
  error: editor.error(pointer), warnings: editor.warnings(pointer),
});

/** @param {Editor} editor @param {string} pointer @param {Partial<Parameters<typeof field>[0]>} more */
const text = (editor, pointer, more) => field({
  ...common(editor, pointer), value: editor.at(pointer) ?? "", input: (value) => editor.set(pointer, value), ...more, disabled: editor.readonly || more.disabled,
});

/**
 * A number. What is no number yet stays as it was typed.
 * @param {Editor} editor @param {string} pointer @param {Partial<Parameters<typeof field>[0]>} more
 */
const numeric = (editor, pointer, more) => field({
  ...common(editor, pointer), type: "number", value: editor.typed(pointer, (typed) => Number(typed), String), input: (typed) => editor.type(pointer, typed, Number(typed)), ...more,
});

/** Words with commas between them. @param {Editor} editor @param {string} pointer @param {string} hint */
function words(editor, pointer, hint) {
  const split = (/** @type {string} */ typed) => typed.split(/[,\s，、]+/).filter((word) => word !== "");
  const below = editor.errorsBelow(pointer).filter((note) => note.pointer !== pointer);
  const named = below.map((note) => `${editor.at(note.pointer) ?? note.pointer}: ${note.detail}`);
  return field({
    ...common(editor, pointer), hint, error: [editor.error(pointer), ...named].filter((part) => part !== "").join(" "),
    value: editor.typed(pointer, split, (/** @type {string[]} */ list) => list.join(", ")), input: (typed) => editor.type(pointer, typed, split(typed)),
  });
}

/** Triggers that need to be told more, and what they start with. @type {Record<string, string>} */
const told = { scroll: "50", delay: "10", event: "" };

/** @param {Editor} editor */
function triggerFields(editor) {
  const [kind, argument = ""] = /** @type {string} */ (editor.at("/trigger") ?? "load").split(/:(.*)/s);
  const kinds = ["load", "exit", "scroll", "delay", "event", ...(has("editor.trigger." + kind) ? [] : [kind])];
  return html`<div class="fields">
    ${field({ ...common(editor, "/trigger"), value: kind, hint: t("editor.trigger.hint"), options: kinds.map((value) => ({ value, text: has("editor.trigger." + value) ? t("editor.trigger." + value) : value })),
      input: (value) => editor.set("/trigger", value in told ? value + ":" + told[value] : value) })}
    ${kind in told ? field({ label: t("editor.argument." + kind), name: editor.id("/trigger/argument"), type: kind === "event" ? "text" : "number", min: 1, value: argument, disabled: editor.readonly, input: (value) => editor.set("/trigger", kind + ":" + value) }) : nothing}
  </div>`;
}
