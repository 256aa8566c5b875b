package clients

import (
	"context"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/popupd/popupd/docs"
	"github.com/popupd/popupd/internal/apitest"
	"github.com/popupd/popupd/internal/testbed"
)

var bed *testbed.Testbed

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	var err error
	if bed, err = testbed.New(context.Background()); err != nil {
		log.Fatal(err)
	}
	defer bed.Close()
	return m.Run()
}

// popupd is a popupd that answers through proxies, which hold the answers against
// the document and note which operations were called.
type popupd struct {
	data, admin, token string

	checker *apitest.Checker
	mu      sync.Mutex
	called  map[string]bool
}

func start(t *testing.T) *popupd {
	if testing.Short() {
		t.Skip("builds popupd and a client")
	}
	binary, err := bed.Build(".", ".", "-pgo=off")
	if err != nil {
		t.Fatal(err)
	}
	server, err := bed.Popupd(testbed.PopupdOptions{Binary: binary, Flags: []string{"-sample", "10"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Kill)
	checker, err := apitest.New()
	if err != nil {
		t.Fatal(err)
	}
	p := &popupd{token: server.Token, checker: checker, called: map[string]bool{}}
	p.data, p.admin = p.proxy(t, server.Address), p.proxy(t, server.Admin)
	return p
}

// proxy returns the URL of a checking proxy in front of an address.
func (p *popupd) proxy(t *testing.T, address string) string {
	proxy := &httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(&url.URL{Scheme: "http", Host: address}) },
		Transport: p.checker.Transport(t, &http.Transport{}),
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		p.called[p.checker.Operation(r)] = true
		p.mu.Unlock()
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// calledAll fails the test unless every documented operation was called but these.
func (p *popupd) calledAll(t *testing.T, but ...string) {
	t.Helper()
	for _, op := range p.checker.Operations(func(string) bool { return true }) {
		if !p.called[op] && !slices.Contains(but, op) {
			t.Errorf("%s was not called", op)
		}
	}
}

// args are what the programs are told.
func (p *popupd) args() []string {
	return []string{"--data", p.data, "--admin", p.admin, "--token", p.token}
}

// copyOf returns a copy of one of the programs, beside which the document is.
func copyOf(t *testing.T, program string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "openapi.yaml"), docs.OpenAPI, 0o600); err != nil {
		t.Fatal(err)
	}
	dir = filepath.Join(dir, "clients", program)
	files, err := filepath.Glob(program + "/*.*")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, filepath.Base(file)), b, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// command runs a program in a directory and fails the test if it fails.
func command(t *testing.T, dir, name string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
}
