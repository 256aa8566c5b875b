// Package sdk carries the browser SDK of this directory, as pages load it. The source
// is in src, and make sdk bundles it.
package sdk

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
)

// Script is what /sdk.js serves: it sets the global popupd.
//
//go:embed popupd.js
var Script []byte

// Types are the TypeScript declarations of the SDK.
//
//go:embed popupd.d.ts
var Types []byte

// Mock is the module popupd/mock: a server in the page.
//
//go:embed popupd.mock.mjs
var Mock []byte

// Demo is the shop that -demo serves, and in demo/popups.json the popups in it.
//
//go:embed demo
var Demo embed.FS

// Hash returns what names a version of a file in its address.
func Hash(file []byte) string {
	sum := sha256.Sum256(file)
	return hex.EncodeToString(sum[:8])
}
