package console_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/popupd/popupd/internal/apitest"
)

// A panic is answered, counted, and does not end the server.
func TestPanic(t *testing.T) {
	p := newPlane(t)
	client := apitest.NewClient(t, p.server.Observe(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("broken") })), "")
	client.Want(500, "internal_error", "GET", "/livez", "")
	if !strings.Contains(p.Logged(), "broken") || !strings.Contains(p.Logged(), "goroutine") {
		t.Error("the log lacks the panic or its stack")
	}
}

// An error of a part that is no problem is a fault of this server: the log alone says which.
func TestFault(t *testing.T) {
	p := newPlane(t)
	p.fail(errors.New("no more room at 10.0.0.1"))
	a := p.Want(500, "internal_error", "POST", reloadPath, "")
	if strings.Contains(string(a.Body), "10.0.0.1") || !strings.Contains(p.Logged(), "10.0.0.1") {
		t.Errorf("answered %s, logged %s", a.Body, p.Logged())
	}
}

// A client that goes away while it reads metrics is nothing to log.
func TestMetricsClientGoes(t *testing.T) {
	p := newPlane(t)
	r := httptest.NewRequest("GET", "/metrics", nil)
	p.server.ServeHTTP(gone{httptest.NewRecorder()}, r)
	if p.Logged() != "" {
		t.Errorf("logged: %s", p.Logged())
	}
}

// gone is a client that has gone.
type gone struct{ http.ResponseWriter }

func (gone) Write([]byte) (int, error) { return 0, errors.New("broken pipe") }
