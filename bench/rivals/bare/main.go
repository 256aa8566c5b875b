// Command bare is the least that a fasthttp server can do: it answers with what
// it is given, under the timeouts that popupd has. What popupd needs beyond it
// is popupd's own work.
package main

import (
	"bytes"
	"log"

	"github.com/valyala/fasthttp"

	"github.com/popupd/popupd/bench/rivals/answers"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("bare: ")
	all, err := answers.Parse()
	if err != nil {
		log.Fatal(err)
	}
	ln, err := answers.Listen()
	if err != nil {
		log.Fatal(err)
	}
	server := fasthttp.Server{
		Handler:               handler(all),
		ReadTimeout:           answers.ReadTimeout,
		WriteTimeout:          answers.WriteTimeout,
		IdleTimeout:           answers.IdleTimeout,
		ReadBufferSize:        answers.MaxHeader,
		LazyRequestTime:       true,
		NoDefaultServerHeader: true,
		NoDefaultContentType:  true,
	}
	log.Fatal(server.Serve(ln))
}

// answer is one in the form in which it is sent soonest.
type answer struct {
	path    []byte
	status  int
	headers [][2][]byte
	body    []byte
}

func (a *answer) send(ctx *fasthttp.RequestCtx) {
	ctx.SetStatusCode(a.status)
	for _, h := range a.headers {
		ctx.Response.Header.SetCanonical(h[0], h[1])
	}
	ctx.Response.SetBodyRaw(a.body)
}

// handler looks at the path only where there is more than one answer, and then
// at the bytes as they came, which fasthttp need not parse for it.
func handler(all []answers.Answer) fasthttp.RequestHandler {
	ready := make([]answer, len(all))
	for i, a := range all {
		ready[i] = answer{path: []byte(a.Path), status: a.Status, body: []byte(a.Body)}
		for _, h := range a.Headers {
			ready[i].headers = append(ready[i].headers, [2][]byte{[]byte(h[0]), []byte(h[1])})
		}
	}
	if len(ready) == 1 {
		return ready[0].send
	}
	return func(ctx *fasthttp.RequestCtx) {
		uri := ctx.Request.Header.RequestURI()
		for i := range ready {
			if bytes.HasPrefix(uri, ready[i].path) {
				ready[i].send(ctx)
				return
			}
		}
		ctx.SetStatusCode(fasthttp.StatusNotFound)
	}
}
