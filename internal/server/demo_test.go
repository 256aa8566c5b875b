package server

import (
	"strings"
	"testing"

	"github.com/popupd/popupd/internal/cli"
	"github.com/popupd/popupd/internal/netsock"
)

// TestGreet: the token that was made is told, one that was given is not.
func TestGreet(t *testing.T) {
	bound, err := netsock.Bind(t.Context(), "127.0.0.1:0", nil)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := bound.Listen()
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	for _, given := range []string{"", "token"} {
		var out strings.Builder
		s := &server{config: cli.Serve{AdminToken: given}, keys: keys{admin: "token"}, stdout: &out, data: bound, admin: listener}
		s.greet()
		if tells := strings.Contains(out.String(), "admin token        token\n"); tells != (given == "") {
			t.Errorf("given %q, prints\n%s", given, &out)
		}
	}
}
