// Command nethttp is what most Go services are built on: a net/http handler that
// answers with what it is given, under the timeouts that popupd has.
package main

import (
	"log"
	"net/http"

	"github.com/popupd/popupd/bench/rivals/answers"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("nethttp: ")
	all, err := answers.Parse()
	if err != nil {
		log.Fatal(err)
	}
	ln, err := answers.Listen()
	if err != nil {
		log.Fatal(err)
	}
	server := http.Server{
		Handler:        handler(all),
		ReadTimeout:    answers.ReadTimeout,
		WriteTimeout:   answers.WriteTimeout,
		IdleTimeout:    answers.IdleTimeout,
		MaxHeaderBytes: answers.MaxHeader,
	}
	log.Fatal(server.Serve(ln))
}

// answer is one in the form in which it is sent soonest.
type answer struct {
	status  int
	headers map[string][]string
	body    []byte
}

func (a *answer) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	header := w.Header()
	for name, values := range a.headers {
		header[name] = values
	}
	w.WriteHeader(a.status)
	if len(a.body) > 0 {
		w.Write(a.body)
	}
}

// handler looks at the path only where there is more than one answer.
func handler(all []answers.Answer) http.Handler {
	byPath := make(map[string]*answer, len(all))
	for _, a := range all {
		ready := &answer{status: a.Status, headers: make(map[string][]string), body: []byte(a.Body)}
		for _, h := range a.Headers {
			ready.headers[h[0]] = []string{h[1]}
		}
		if len(all) == 1 {
			return ready
		}
		byPath[a.Path] = ready
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if a := byPath[r.URL.Path]; a != nil {
			a.ServeHTTP(w, r)
			return
		}
		w.WriteHeader(http.StatusNotFound)
	})
}
