package console

import (
	"cmp"
	"net/http"
	"runtime/debug"
	"strings"
)

// observe is around everything: it sets the headers that all answers carry,
// counts the answer, and turns a panic into a 500.
func (s *Server) observe(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Cache-Control", "no-store")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "same-origin") // with no-referrer a form's Origin would be null
		a := &answer{ResponseWriter: w}
		defer func() {
			if cause := recover(); cause != nil {
				if cause == http.ErrAbortHandler {
					panic(cause)
				}
				s.config.Log.Error("admin request panicked", "method", r.Method, "path", r.URL.Path, "panic", cause, "stack", string(debug.Stack()))
				if a.status == 0 {
					internalError().write(a)
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

// traced has a span around what answers a pattern of the API to who may ask it.
func (s *Server) traced(pattern string, next http.Handler) http.Handler {
	method, route, ok := strings.Cut(pattern, " ")
	if s.config.Tracer == nil || !ok || !strings.HasPrefix(route, "/v1/") {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a := &answer{ResponseWriter: w}
		r, span := s.config.Tracer.StartRequest(r, method, strings.TrimSuffix(route, "{$}"))
		status := http.StatusInternalServerError // after a panic, which observe answers
		defer func() { span.Status(status) }()
		next.ServeHTTP(a, r)
		status = cmp.Or(a.status, http.StatusOK)
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
