package console

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/popupd/popupd/popup"
)

// Endpoint answers a request, or returns why it does not: a [*Problem], or any
// other error for what is a fault of this server.
type Endpoint func(w http.ResponseWriter, r *http.Request) error

// Route is one operation: a method, a path as [http.ServeMux] reads it, where a
// GET is also a HEAD, what answers, and the role that it takes; none if anybody may ask.
type Route struct {
	Method, Path string
	Endpoint     Endpoint
	Role         popup.Role
}

// routes lists every operation, those of the parts first.
func (s *Server) routes() []Route {
	return slices.Concat(s.config.Routes, s.logInRoutes(), s.signOnRoutes(), []Route{
		{"GET", "/livez", s.live, ""},
		{"GET", "/readyz", s.readiness, ""},
		{"GET", "/metrics", s.metricsEndpoint(), ""},
		{"GET", "/openapi.yaml", s.openapi, ""},
		{"GET", "/debug/pprof", s.profiles, popup.RoleAdmin},
		{"GET", "/debug/pprof/", s.profiles, popup.RoleAdmin},
		{"GET", "/debug/pprof/{profile}", s.profile, popup.RoleAdmin},
	})
}

// endpointOf is an endpoint that writes its own errors.
func endpointOf(h http.Handler) Endpoint {
	return func(w http.ResponseWriter, r *http.Request) error {
		h.ServeHTTP(w, r)
		return nil
	}
}

// needsToken reports whether a path is guarded, whether there is something behind it or not.
func needsToken(path string) bool {
	return strings.HasPrefix(path, "/v1/") || strings.HasPrefix(path, "/debug/")
}

// roleOfNothing is the role that it takes to learn that there is nothing at a path.
func roleOfNothing(path string) popup.Role {
	if needsToken(path) {
		return popup.RoleViewer
	}
	return ""
}

// mux routes to the operations, and answers 405 and 404 for the rest in
// the same form as every other error.
func (s *Server) mux() http.Handler {
	mux := http.NewServeMux()
	handle := func(pattern string, role popup.Role, h http.Handler) {
		h = s.traced(pattern, h)
		if role != "" { // what is refused makes no spans: anybody may send it
			h = s.guarded(role, h)
		}
		mux.Handle(pattern, h)
	}
	methods := map[string][]string{}
	for _, r := range s.routes() {
		path := r.Path
		if strings.HasSuffix(path, "/") {
			path += "{$}" // this path alone, not what is below it
		}
		handle(r.Method+" "+path, r.Role, s.endpoint(r.Endpoint))
		methods[path] = append(methods[path], r.Method)
		if r.Method == http.MethodGet {
			methods[path] = append(methods[path], http.MethodHead)
		}
	}
	for _, path := range slices.Sorted(maps.Keys(methods)) {
		allow := strings.Join(methods[path], ", ")
		handle(path, roleOfNothing(path), s.endpoint(func(w http.ResponseWriter, r *http.Request) error {
			w.Header().Set("Allow", allow)
			return NewProblem(http.StatusMethodNotAllowed, "method_not_allowed", "The path has only "+allow+".")
		}))
	}
	nothing := s.endpoint(func(http.ResponseWriter, *http.Request) error {
		return NewProblem(http.StatusNotFound, "not_found", "There is nothing at this path.")
	})
	for _, path := range []string{"/", "/v1/", "/debug/"} {
		handle(path, roleOfNothing(path), nothing)
	}
	return mux
}

// endpoint turns e into a handler that tells its error to the client, and to
// the log where it is ours.
func (s *Server) endpoint(e Endpoint) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		err := e(w, r)
		if err == nil {
			return
		}
		p := asProblem(err)
		s.logFailure(r, p)
		s.tell(w, r, p)
	})
}

// tell answers with a problem: as a page to a browser that wants one, else as it is.
func (s *Server) tell(w http.ResponseWriter, r *http.Request, p *Problem) {
	if s.config.Pages == nil || !isPage(r) {
		p.write(w)
		return
	}
	p.setRetryAfter(w)
	if err := s.config.Pages.Problem(w, r, p); err != nil {
		s.config.Log.Error("the page of a problem can't be drawn", "code", p.Code, "err", err)
		p.write(w)
	}
}

// logFailure logs what is a fault of ours or of what this server needs. That a client has gone is none.
func (s *Server) logFailure(r *http.Request, p *Problem) {
	if p.cause != nil && r.Context().Err() == nil {
		s.config.Log.Error("admin request failed", "method", r.Method, "path", r.URL.Path, "code", p.Code, "err", p.cause)
	}
}

// literalDots takes the segments "." and ".." of a path for what they are: each
// may be the id of a user, as any other may. [http.ServeMux] would redirect to
// the path that is left when they are followed, unless they are percent-encoded.
func literalDots(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		escaped := r.URL.EscapedPath()
		segments := strings.Split(escaped, "/")
		for i, s := range segments {
			if s == "." || s == ".." {
				segments[i] = strings.ReplaceAll(s, ".", "%2E")
			}
		}
		if path := strings.Join(segments, "/"); path != escaped {
			r = r.WithContext(r.Context()) // a copy: the request is not ours to change
			u := *r.URL
			u.RawPath = path
			r.URL = &u
		}
		next.ServeHTTP(w, r)
	})
}
