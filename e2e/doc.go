// Package e2e drives the built popupd from outside, over HTTP, on a real
// MariaDB and a real Redis, and kills all three. How a program is started
// belongs to internal/testbed; of what they test, the tests import popup alone.
package e2e
