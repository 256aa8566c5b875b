package console

import (
	"io"
	"net/http"
	"net/http/pprof"
	runtime "runtime/pprof"
)

type health struct {
	Status string `json:"status"`
}

// live answers as long as the process does.
func (s *Server) live(w http.ResponseWriter, _ *http.Request) error {
	WriteJSON(w, http.StatusOK, health{"ok"})
	return nil
}

// readiness tells load balancers whether to send polls. It asks no store: a
// loaded server serves from memory while they are down.
func (s *Server) readiness(w http.ResponseWriter, _ *http.Request) error {
	if err := s.config.Ready(); err != nil {
		return NotReady(err)
	}
	WriteJSON(w, http.StatusOK, health{"ready"})
	return nil
}

// openapi serves the description of this API and of the data plane's.
func (s *Server) openapi(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "application/yaml")
	_, _ = w.Write(s.config.OpenAPI) // an error means that the client has gone
	return nil
}

// profiles lists the profiles. Its links are relative to the path with a slash
// at its end, so the page says so for the path without.
func (s *Server) profiles(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = io.WriteString(w, `<base href="/debug/pprof/">`) // an error means that the client has gone
	index := r.Clone(r.Context())
	index.URL.Path = "/debug/pprof/"
	pprof.Index(w, index)
	return nil
}

// profile serves the profiles of [pprof]. Not its command line, which may hold
// the passwords of the stores.
func (s *Server) profile(w http.ResponseWriter, r *http.Request) error {
	switch name := r.PathValue("profile"); name {
	case "profile":
		pprof.Profile(w, r)
	case "trace":
		pprof.Trace(w, r)
	case "symbol":
		pprof.Symbol(w, r)
	default:
		if runtime.Lookup(name) == nil {
			return NewProblem(http.StatusNotFound, "not_found", "There is no such profile.")
		}
		pprof.Handler(name).ServeHTTP(w, r)
	}
	return nil
}
