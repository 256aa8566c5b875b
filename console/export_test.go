package console

import (
	"net/http"
	"slices"
)

// Operations returns every route as "GET /livez", but for those that pages alone use.
func (s *Server) Operations() []string {
	var out []string
	for _, r := range s.routes() {
		if !slices.ContainsFunc(s.logInRoutes(), func(l Route) bool { return l.Path == r.Path }) {
			out = append(out, r.Method+" "+r.Path)
		}
	}
	return out
}

// Observe puts the outermost layer around h.
func (s *Server) Observe(h http.Handler) http.Handler { return s.observe(h) }

// LocalPath is where a log-in goes on to.
func LocalPath(next string) string { return localPath(next) }
