// What the buttons of the editor do.
import { ApiError, get, send } from "../api.js";
import { translated } from "../details.js";
import { t } from "../i18n.js";
import { inWords } from "../problem.js";
import { announce, confirmDialog } from "../ui.js";
import { changedMeanwhile } from "./conflict.js";

/** @typedef {import("./editor.js").Editor} Editor */

/**
 * Lets one action at a time go on, and shows why it failed.
 * @param {Editor} editor @param {string} name @param {() => Promise<string>} action returns what happened, "" if nothing
 */
async function run(editor, name, action) {
  if (editor.busy !== "") return;
  editor.busy = name;
  editor.notice = null;
  announce("");
  editor.update();
  let happened = "";
  try {
    happened = await action();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    refused(editor, error);
  } finally {
    editor.busy = "";
    editor.update();
  }
  if (happened !== "") announce(happened);
  else if (editor.errors.length > 0) document.getElementById("problems")?.focus();
}

/** @param {Editor} editor @param {ApiError} error */
function refused(editor, error) {
  if (error.code === "archived") {
    editor.notice = { kind: "danger", text: t("editor.archived.meanwhile"), actions: [{ text: t("editor.copy"), do: () => editor.copy() }] };
    return;
  }
  editor.errors = error.code === "key_exists" ? [{ pointer: "/key", detail: t("editor.key.taken") }] : told(error.errors);
  if (editor.errors.length === 0) editor.notice = { kind: "danger", text: inWords(error), actions: [] };
}

/** What the server says, in the operator's language. @param {import("./editor.js").Note[]} notes */
const told = (notes) => notes.map((note) => ({ ...note, detail: translated(note.detail) }));

/**
 * Repeats a change until it is based on what the server has: when somebody else has changed
 * the popup meanwhile, the operator says how to go on. Returns whether it was made.
 * @param {Editor} editor @param {() => Promise<unknown>} change
 */
async function settled(editor, change) {
  for (;;) {
    try {
      await change();
      return true;
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 412) throw error;
    }
    if (!await changedMeanwhile(editor)) return false;
  }
}

/** @param {Editor} editor @param {import("./editor.js").Popup["status"]} status */
async function write(editor, status) {
  const sent = editor.popup, body = { ...sent, status };
  const { body: answer } = editor.saved
    ? await send("PUT", "popups/" + editor.saved.key, body, { match: String(editor.version) })
    : await send("POST", "popups", body);
  editor.acceptSaved({ ...answer, warnings: told(answer.warnings) }, sent);
}

/** Whether something was typed that can't be read; it is shown as what is wrong. @param {Editor} editor */
function isUnreadable(editor) {
  if (editor.obstacle) editor.errors = [editor.obstacle];
  return editor.obstacle !== null;
}

/** Fails like a change of an old version if the server has another one. @param {Editor} editor */
async function compare(editor) {
  const { body } = await get("popups/" + editor.saved?.key);
  if (body.status === "archived") throw new ApiError(409, { code: "archived" });
  if (body.version !== editor.version) throw new ApiError(412, {});
}

/**
 * Saves what is in the form, without a change of what visitors see: of a popup that is
 * live, the changes stay in this browser until they are published.
 * @param {Editor} editor
 */
export const saveDraft = (editor) => run(editor, "save", async () => {
  if (isUnreadable(editor)) return "";
  if (editor.saved && (editor.status === "active" || !editor.isDirty)) {
    if (!await settled(editor, () => compare(editor))) return "";
    if (!editor.isDirty) return t("editor.done.nothing", { version: editor.version });
    editor.keep();
    editor.unsaved.write();
    return t(editor.unsaved.works ? "editor.done.kept" : "editor.unkept", { version: editor.version });
  }
  return await settled(editor, () => write(editor, editor.status)) ? t("editor.done.saved", { version: editor.version }) : "";
});

/**
 * Saves what is in the form and shows it to visitors.
 * @param {Editor} editor
 * @param {(editor: Editor) => Promise<boolean>} review asks before something is published
 */
export const publish = (editor, review) => run(editor, "publish", async () => {
  if (isUnreadable(editor)) return "";
  if (editor.status === "active" && !editor.isDirty) {
    return await settled(editor, () => compare(editor)) && !editor.isDirty ? t("editor.done.live", { version: editor.version }) : "";
  }
  let wanted = true;
  const done = await settled(editor, async () => {
    if (editor.saved) await compare(editor); // what is asked about is not outdated
    wanted = await review(editor);
    if (wanted) await write(editor, "active");
  });
  return wanted && done ? t("editor.done.published", { version: editor.version }) : "";
});

/** Takes it from visitors at once, whoever changed it last. @param {Editor} editor */
export const pause = (editor) => run(editor, "pause", async () => {
  const { body } = await send("POST", `popups/${editor.saved?.key}/pause`);
  editor.accept({ ...body, warnings: told(body.warnings) });
  return t("editor.done.paused");
});

/** Shows visitors again what was saved. @param {Editor} editor */
export const resume = (editor) => run(editor, "resume", async () => {
  const done = await settled(editor, async () => {
    const { body } = await send("POST", `popups/${editor.saved?.key}/activate`, undefined, { match: String(editor.version) });
    editor.accept({ ...body, warnings: told(body.warnings) });
  });
  return done ? t(editor.isDirty ? "editor.done.resumed.dirty" : "editor.done.resumed", { version: editor.version }) : "";
});

/** Ends it for good. @param {Editor} editor */
export async function archive(editor) {
  const yes = await confirmDialog({ name: t("editor.archive.ask", { key: editor.popup.name || editor.popup.key }), text: t(editor.isDirty ? "editor.archive.dirty" : "editor.archive.text"), action: t("editor.archive.yes"), danger: true });
  if (!yes) return;
  await run(editor, "archive", async () => {
    const done = await settled(editor, async () => {
      const { body } = await send("DELETE", "popups/" + editor.saved?.key, undefined, { match: String(editor.version) });
      editor.acceptSaved({ ...body, warnings: told(body.warnings) });
    });
    return done ? t("editor.done.archived") : "";
  });
}
