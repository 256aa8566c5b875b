// Package browser runs the SDK in Chromium and Firefox, against a running popupd of
// another origin. It is a module of its own: nothing that popupd is made of needs chromedp
// or a WebSocket.
package browser
