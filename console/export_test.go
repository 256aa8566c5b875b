package console

import "net/http"

// Operations returns every route as "GET /livez".
func (s *Server) Operations() []string {
	var out []string
	for _, r := range s.routes() {
		out = append(out, r.Method+" "+r.Path)
	}
	return out
}

// Observe puts the outermost layer around h.
func (s *Server) Observe(h http.Handler) http.Handler { return s.observe(h) }
