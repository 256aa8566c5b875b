import type { Popup } from "popupd";

/** What a mock answers a poll with. */
export interface MockAnswer {
  popups?: { popup: Partial<Popup>; token?: string }[];
  next_poll_sec?: number;
  triggers?: string[];
  withdraw?: string[];
}

export interface Mock {
  /** Goes into the option of the same name. */
  fetch: typeof fetch;
  /** Bodies of the polls so far. */
  polls: Record<string, any>[];
  /** Actions and events reported so far. */
  actions: Record<string, any>[];
  /** Sets what polls from now on are answered with; a status instead of it is an error. */
  answer(next: MockAnswer | number): void;
}

/** A popupd of one page, for tests. Each popup is served once. */
export function mock(first?: MockAnswer | number): Mock;
