// Package browser runs the SDK in Chromium, against a running popupd of another origin.
// It is a module of its own: nothing that popupd is made of needs chromedp.
package browser
