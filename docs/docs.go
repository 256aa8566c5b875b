// Package docs carries the documents of this directory that the program serves.
package docs

import _ "embed"

// OpenAPI describes the HTTP API of both planes (OpenAPI 3.0, YAML).
//
//go:embed openapi.yaml
var OpenAPI []byte
