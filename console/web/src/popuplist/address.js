// What the list shows stands in its address, so that reload, back and a link that is sent show the same.
import { ApiError, get } from "../api.js";

/**
 * @typedef {object} Choice
 * @property {string} q words that are searched
 * @property {string} status "" for all that are not archived
 * @property {string} tag
 * @property {string} placement
 * @property {string} sort as the API has it
 * @property {string} cursor of the page, "" for the first
 */

/** @type {Choice} */
const first = { q: "", status: "", tag: "", placement: "", sort: "-updated_at", cursor: "" };

export const sorts = ["-updated_at", "name", "-priority", "start_at", "end_at", "-id", "key"];
export const pageSize = 50;

/** What the address says, of which a part that is unknown is as at first. @returns {Choice} */
export function readAddress() {
  const said = new URLSearchParams(location.search);
  const choice = { ...first };
  for (const name of /** @type {(keyof Choice)[]} */ (Object.keys(first))) choice[name] = said.get(name) ?? first[name];
  if (!["active", "paused", "draft", "archived"].includes(choice.status)) choice.status = "";
  if (!/^-?(id|key|name|priority|start_at|end_at|updated_at)$/.test(choice.sort)) choice.sort = first.sort;
  return choice;
}

/** The address of a choice; what is as at first is left out. @param {Choice} choice */
export function addressOf(choice) {
  const said = new URLSearchParams();
  for (const name of /** @type {(keyof Choice)[]} */ (Object.keys(first))) if (choice[name] !== first[name]) said.set(name, choice[name]);
  return said.size > 0 ? "/popups?" + said : "/popups";
}

/** The path of the API that answers a choice. @param {Choice} choice */
export function pathOf(choice) {
  const asked = new URLSearchParams({ limit: String(pageSize), stats: "1", facets: "1", sort: choice.sort, status: choice.status || "draft,active,paused" });
  for (const name of /** @type {const} */ (["q", "tag", "placement", "cursor"])) if (choice[name]) asked.set(name, choice[name]);
  return "popups?" + asked;
}

/**
 * Reads what the address says. Where the server can't read that, as the place of a page that was
 * cut off in a chat, it is the first page, of all popups if need be, and what is wrong.
 * @returns {Promise<{choice: Choice, page: any, problem: string}>}
 */
export async function open() {
  let choice = readAddress(), problem = "";
  for (;;) {
    try {
      return { choice, page: (await get(pathOf(choice))).body, problem };
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 400 || addressOf(choice) === addressOf(first)) throw error;
      problem = error.detail;
      choice = { ...(choice.cursor ? choice : first), cursor: "" };
      history.replaceState(null, "", addressOf(choice));
    }
  }
}

/** Whether anything but the status narrows the list. @param {Choice} choice */
export const isNarrowed = (choice) => Boolean(choice.q.trim() || choice.tag || choice.placement);
