package clients

import "testing"

func TestOapiCodegen(t *testing.T) { testGo(t, "oapi-codegen") }

// ogen makes no client of application/yaml, which is its own limit.
func TestOgen(t *testing.T) { testGo(t, "ogen", "GET /openapi.yaml") }

// testGo generates a client as the program says, compiles and runs it.
func testGo(t *testing.T, program string, but ...string) {
	p := start(t)
	dir := copyOf(t, program)
	command(t, dir, "go", "generate", ".")
	command(t, dir, "go", "build", "-trimpath", "-o", "client", ".") // the cache does not know temporary directories apart
	command(t, dir, "./client", p.args()...)
	p.calledAll(t, but...)
}
