// How long the poller waits, in ms.
export const sameAnswerMS = 25e3; // the server remembers an answer by its rid for 30 s
export const maxBackoffMS = 300e3;
export const maxWaitMS = 330e3; // a stored time beyond comes from a clock that was wrong
export const spacingMS = 2e3; // between polls that routes and triggers ask for
export const timeoutMS = 10e3;
export const blockedMS = 1e3;
