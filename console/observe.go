package console

import (
	"net/http"
	"runtime/debug"
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
