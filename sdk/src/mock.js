// A transport without a server, for tests of pages: popupd.mock.
let served = 0;

/** @type {typeof import("../popupd.mock").mock} */
export function mock(first = {}) {
  let next = first;
  /** @type {Record<string, any>[]} */
  const polls = [];
  /** @type {Record<string, any>[]} */
  const actions = [];
  return {
    polls,
    actions,
    answer(/** @type {typeof first} */ given) {
      next = given;
    },
    async fetch(/** @type {any} */ url, /** @type {any} */ request) {
      const body = JSON.parse(request.body);
      if (!String(url).includes("/v1/poll")) {
        actions.push(...[body].flat());
        return new Response('{"accepted":1,"rejected":[]}', { status: 202 });
      }
      polls.push(body);
      if (typeof next === "number") {
        return new Response("", { status: next });
      }
      const popups = (next.popups || []).map(({ popup, token }) => ({
        popup: { id: 1, key: "mock", version: 1, variant: "a", placement: body.placements[0], content: {}, ...popup },
        token: token ?? "mock-" + ++served,
      }));
      const answer = { next_poll_sec: 60, triggers: [], withdraw: [], ...next, popups };
      next = { ...next, popups: [], withdraw: [] };
      return new Response(JSON.stringify(answer), { headers: { "Content-Type": "application/json" } });
    },
  };
}
