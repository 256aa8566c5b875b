// Command bare is the least that a fasthttp server can do: it answers every
// request with 204 and the headers it is given, under the timeouts that popupd
// has. What popupd needs beyond it is popupd's own work.
package main

import (
	"fmt"
	"log"
	"net"
	"os"
	"strings"
	"time"

	"github.com/valyala/fasthttp"
)

func main() {
	var headers [][2][]byte
	for _, arg := range os.Args[1:] {
		name, value, ok := strings.Cut(arg, ": ")
		if !ok {
			log.Fatalf("bare: header %q: want NAME: VALUE", arg)
		}
		headers = append(headers, [2][]byte{[]byte(name), []byte(value)})
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(ln.Addr())
	server := fasthttp.Server{
		Handler: func(ctx *fasthttp.RequestCtx) {
			ctx.SetStatusCode(fasthttp.StatusNoContent)
			for _, h := range headers {
				ctx.Response.Header.SetCanonical(h[0], h[1])
			}
		},
		ReadTimeout:           5 * time.Second,
		WriteTimeout:          5 * time.Second,
		IdleTimeout:           60 * time.Second,
		ReadBufferSize:        8 << 10,
		NoDefaultServerHeader: true,
	}
	log.Fatal(server.Serve(ln))
}
