// Package e2e drives the built popupd from outside, over HTTP, on a real
// MariaDB and a real Redis, and kills all three.
package e2e
