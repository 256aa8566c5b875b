// Package kit holds the container files and the chart to the programs that read them: Helm's own
// linter and engine, the OpenAPI schemas of Kubernetes, the library of Docker Compose, and Buildah.
// It is a module of its own, because these are large.
package kit
