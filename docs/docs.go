// Package docs carries the documents of this directory that the program serves.
// The documents live here, and the tests that hold them against the code; no code
// that a request runs.
package docs

import _ "embed"

// OpenAPI describes the HTTP API of both planes (OpenAPI 3.0, YAML).
//
//go:embed openapi.yaml
var OpenAPI []byte
