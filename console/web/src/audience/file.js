// A list of user ids before it is sent: its format, its first ids, and what can be seen to be wrong.
export const largest = 2 * 2 ** 30;

/** Whether a file is CSV, by its name and type. @param {File} file */
export const looksLikeCSV = (file) => /\.csv$/i.test(file.name) || file.type === "text/csv";

/** What is wrong with a file that can be told without sending it: the end of a key of the texts list.refused, "" if nothing. @param {Blob} file */
export async function refusal(file) {
  if (file.size > largest) return "large";
  if (file.size === 0) return "empty";
  const head = [...new Uint8Array(await file.slice(0, 4).arrayBuffer())].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  if (/^(1f8b|504b0304|28b52ffd)/.test(head)) return "compressed";
  if (/^(fffe|feff)/.test(head)) return "utf16";
  return "";
}

/** The first ids, as they will be read. @param {Blob} file @param {boolean} csv */
export async function firstIds(file, csv) {
  const length = 4096;
  const lines = (await file.slice(0, length).text()).replace(/^\ufeff/, "").split(/\r?\n/);
  if (file.size > length) lines.pop(); // it may have been cut
  const ids = lines.filter((line) => line !== "").map((line) => csv ? firstField(line) : line);
  if (csv && /^(uid|user_id)$/i.test(ids[0] ?? "")) ids.shift();
  return ids.slice(0, 5);
}

/** The first field of a line of CSV. @param {string} line */
export function firstField(line) {
  const quoted = /^"((?:[^"]|"")*)"/.exec(line);
  return quoted ? quoted[1].replaceAll('""', '"') : line.split(",", 1)[0];
}

/**
 * Finds lines by their numbers, the first is 1: those that the server has refused.
 * @param {Blob} file @param {number[]} numbers ascending @returns {Promise<Map<number, string>>}
 */
export async function linesOf(file, numbers) {
  const found = new Map();
  const wanted = new Set(numbers), last = numbers.at(-1) ?? 0;
  const reader = file.stream().pipeThrough(/** @type {any} */ (new TextDecoderStream())).getReader();
  let line = 1, rest = "";
  while (line <= last) {
    const { value, done } = await reader.read();
    const parts = (rest + (value ?? "")).split("\n");
    rest = done ? "" : parts.pop() ?? "";
    for (const text of parts) {
      if (wanted.has(line)) found.set(line, text.replace(/\r$/, ""));
      line++;
    }
    if (done) break;
    if (rest.length > 1 << 20) rest = rest.slice(0, 1 << 20); // of a line without end its beginning will do
  }
  reader.cancel();
  return found;
}
