/** What a popup is: as the server decided, with the content its operator wrote. */
export interface Popup {
  id: number;
  key: string;
  version: number;
  variant: string;
  placement: string;
  content: Content;
  /** The translation that was chosen, if any. */
  locale?: string;
  [member: string]: unknown;
}

/** The members of content that the SDK renders. A `render` of your own may use others. */
export interface Content {
  /** Default: modal. */
  kind?: "modal" | "banner" | "toast" | "inline";
  /** One of nine: a vertical (top, center, bottom) and a horizontal (start, center, end, left, right), as "bottom-end". */
  position?: string;
  title?: string;
  body?: string;
  image?: string | { src: string; alt?: string; width?: number; height?: number };
  /** https, an address of the page's own origin, or mailto. */
  link?: string;
  /** Text of the link or button. */
  cta?: string;
  /** Text of a second button that dismisses. */
  dismiss?: string;
  dir?: "ltr" | "rtl" | "auto";
  /** What marks the popup, as "Ad". */
  label?: string;
  /** Default: as the user's system has it. */
  theme?: "light" | "dark";
  [member: string]: unknown;
}

export interface Options {
  /** Where popupd's data plane is, as "https://popups.example.com". With /sdk.js: where the script came from. */
  endpoint?: string;
  /** The user's id. Without one a random id is made and kept. */
  uid?: string;
  /** Signature of the uid, made by your backend. */
  sig?: string;
  /** One or more placements of the page; default: "default". */
  placement?: string | string[];
  platform?: string;
  appVersion?: string;
  country?: string;
  attributes?: Attributes;
  /** Default: the language of the document, else that of the browser. */
  locale?: string;
  /** Default: the time zone of the browser. */
  tz?: string;
  /** The id that the user had before logging in. */
  priorUid?: string;
  /** Shows the popup instead of the SDK. An element that it returns is watched for views and removed with the popup; a function is called when the popup goes. */
  render?: (popup: Popup, actions: Actions) => Element | (() => void) | void;
  /** false: the popup is not shown, and released. */
  shouldShow?: (popup: Popup) => boolean;
  /** Where inline popups go: an element, a selector, or these by placement. */
  container?: string | Element | Record<string, string | Element>;
  /** false: nothing happens before start(). */
  autoStart?: boolean;
  /** "none": nothing is kept in the browser. Default: localStorage. */
  storage?: "local" | "none";
  /** true: in a frame, too, as in a preview. Default: popups are for the top frame alone. */
  frame?: boolean;
  /** Replaces the network, for tests: see popupd.mock. */
  fetch?: typeof fetch;
}

type AttributeValue = string | number | boolean | null;
/** An array is a set: conditions hold when they do for any of its values. */
export type Attributes = Record<string, AttributeValue | AttributeValue[]>;

/** What a `render` of your own reports. Each is reported once. All but view end the popup. */
export interface Actions {
  view(): void;
  click(): void;
  dismiss(): void;
  convert(): void;
  release(): void;
}

export interface Events {
  show: { popup: Popup };
  view: { popup: Popup };
  click: { popup: Popup };
  dismiss: { popup: Popup };
  convert: { popup?: Popup };
  release: { popup: Popup };
  error: { error: Error; popup?: Popup };
  /** A poll brought nothing to show. */
  idle: Record<string, never>;
}

export interface Client {
  start(): void;
  pause(): void;
  resume(): void;
  /** Polls as soon as a poll may be made, without waiting for the time the server named. */
  refresh(): void;
  /** Tells that an event happened; popups with the trigger event:NAME wait for it. */
  trigger(name: string): void;
  identify(uid: string, options?: { sig?: string; attributes?: Attributes }): void;
  setAttributes(attributes: Attributes): void;
  /** Reports a conversion on the popup shown last, on an earlier page too. */
  convert(): void;
  /** Sends an event of the user, which may be the goal of popups. */
  track(name: string): void;
  on<K extends keyof Events>(name: K, fn: (event: Events[K]) => void): () => void;
  destroy(): void;
}

/** Makes the client of an endpoint, or returns the one that the page has already. */
export function init(options: Options): Client;

export const version: string;
