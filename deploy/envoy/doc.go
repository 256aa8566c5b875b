// Package envoy holds the configuration of Envoy in this directory to Envoy's own types: every
// field is one that Envoy knows, and every value one that its rules allow. Envoy is not run.
// It is a module of its own, so that popupd does not depend on Envoy's types.
package envoy
