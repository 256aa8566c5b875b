package console

import (
	"maps"
	"net/http"
	"net/http/pprof"
	"runtime/debug"
	"slices"
	"strings"
)

// endpoint answers a request, or returns why it does not.
type endpoint func(w http.ResponseWriter, r *http.Request) error

// route is one operation of the API.
type route struct {
	method, path string
	handler      http.Handler
}

// table lists every operation, in the order of docs/openapi.yaml.
func (s *Server) table() []route {
	const popups, one, user = "/v1/admin/popups", "/v1/admin/popups/{key}", "/v1/admin/users/{uid}"
	return []route{
		{"GET", popups, s.endpoint(s.listPopups)},
		{"POST", popups, s.endpoint(s.createPopup)},
		{"GET", one, s.endpoint(s.getPopup)},
		{"PUT", one, s.endpoint(s.replacePopup)},
		{"DELETE", one, s.endpoint(s.archivePopup)},
		{"POST", one + "/activate", s.endpoint(s.activatePopup)},
		{"POST", one + "/pause", s.endpoint(s.pausePopup)},
		{"GET", one + "/revisions", s.endpoint(s.listRevisions)},
		{"POST", one + "/rollback", s.endpoint(s.rollbackPopup)},
		{"GET", one + "/stats", s.endpoint(s.getStats)},
		{"GET", "/v1/admin/audit", s.endpoint(s.listAudit)},
		{"GET", user, s.endpoint(s.getUser)},
		{"DELETE", user, s.endpoint(s.resetUser)},
		{"POST", "/v1/admin/reload", s.endpoint(s.reload)},
		{"GET", "/livez", s.endpoint(s.live)},
		{"GET", "/readyz", s.endpoint(s.readiness)},
		{"GET", "/metrics", s.metricsHandler()},
		{"GET", "/openapi.yaml", s.endpoint(s.openapi)},
		{"GET", "/debug/pprof/", http.HandlerFunc(pprof.Index)},
		{"GET", "/debug/pprof/{profile}", s.endpoint(s.profile)},
	}
}

// needsToken reports whether a path is guarded, whether there is something behind it or not.
func needsToken(path string) bool {
	return strings.HasPrefix(path, "/v1/") || strings.HasPrefix(path, "/debug/")
}

// mux routes to the table's operations, and answers 405 and 404 for the rest in
// the same form as every other error.
func (s *Server) mux() http.Handler {
	mux := http.NewServeMux()
	handle := func(pattern, path string, h http.Handler) {
		if needsToken(path) {
			h = s.guarded(h)
		}
		mux.Handle(pattern, h)
	}
	methods := map[string][]string{}
	for _, r := range s.routes {
		path := r.path
		if strings.HasSuffix(path, "/") {
			path += "{$}" // this path alone, not what is below it
		}
		handle(r.method+" "+path, r.path, r.handler)
		methods[path] = append(methods[path], r.method)
		if r.method == http.MethodGet {
			methods[path] = append(methods[path], http.MethodHead)
		}
	}
	for _, path := range slices.Sorted(maps.Keys(methods)) {
		allow := strings.Join(methods[path], ", ")
		handle(path, path, s.endpoint(func(w http.ResponseWriter, r *http.Request) error {
			w.Header().Set("Allow", allow)
			return newProblem(http.StatusMethodNotAllowed, "method_not_allowed", "The path has only "+allow+".")
		}))
	}
	nothing := s.endpoint(func(http.ResponseWriter, *http.Request) error {
		return newProblem(http.StatusNotFound, "not_found", "There is nothing at this path.")
	})
	for _, path := range []string{"/", "/v1/", "/debug/"} {
		handle(path, path, nothing)
	}
	return mux
}

// endpoint turns e into a handler that tells its error to the client, and to
// the log where it is ours.
func (s *Server) endpoint(e endpoint) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		err := e(w, r)
		if err == nil {
			return
		}
		p := asProblem(err)
		if p.cause != nil && r.Context().Err() == nil { // a client that has gone is no fault
			s.config.Log.Error("admin request failed", "method", r.Method, "path", r.URL.Path, "code", p.Code, "err", p.cause)
		}
		p.write(w)
	})
}

// observe is around everything: it sets the headers that all answers carry,
// counts the answer, and turns a panic into a 500.
func (s *Server) observe(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Cache-Control", "no-store")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "no-referrer")
		a := &answer{ResponseWriter: w}
		defer func() {
			if cause := recover(); cause != nil {
				if cause == http.ErrAbortHandler {
					panic(cause)
				}
				s.config.Log.Error("admin request panicked", "method", r.Method, "path", r.URL.Path, "panic", cause, "stack", string(debug.Stack()))
				if a.status == 0 {
					newProblem(http.StatusInternalServerError, "internal_error", "The server failed to answer; its log says more.").write(a)
				}
			}
			if a.status == 0 { // nothing written: net/http answers 200
				a.status = http.StatusOK
			}
			s.metrics.answered(a.status)
		}()
		next.ServeHTTP(a, r)
	})
}

// answer remembers the status of what is written.
type answer struct {
	http.ResponseWriter
	status int
}

func (a *answer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
	a.ResponseWriter.WriteHeader(status)
}

func (a *answer) Write(b []byte) (int, error) {
	if a.status == 0 {
		a.status = http.StatusOK
	}
	return a.ResponseWriter.Write(b)
}

// Unwrap lets [http.ResponseController] and [http.MaxBytesReader] reach the connection.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }
