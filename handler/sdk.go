package handler

import (
	"bytes"
	"compress/gzip"

	"github.com/valyala/fasthttp"

	"github.com/popupd/popupd/sdk"
)

// The paths of the browser SDK. The script has a second address, which names its
// content and so never changes.
const (
	scriptPath = "/sdk.js"
	typesPath  = "/sdk.d.ts"
)

var fileMethods = []string{fasthttp.MethodGet, fasthttp.MethodHead}

// file is something that never changes while the server runs.
type file struct {
	etag           []byte
	plain, gzipped *answer
	notModified    *answer
}

// newFiles returns the files of the SDK by their paths.
func (o *origins) newFiles() map[string]*file {
	const hour, forever = "public, max-age=3600", "public, max-age=31536000, immutable"
	immutable := "/sdk-" + sdk.Hash(sdk.Script) + ".js"
	script := o.newFile(sdk.Script, "text/javascript; charset=utf-8", hour)
	script.plain.header.Set(fasthttp.HeaderContentLocation, immutable)
	script.gzipped.header.Set(fasthttp.HeaderContentLocation, immutable)
	return map[string]*file{
		scriptPath: script,
		immutable:  o.newFile(sdk.Script, "text/javascript; charset=utf-8", forever),
		typesPath:  o.newFile(sdk.Types, "text/plain; charset=utf-8", hour),
	}
}

func (o *origins) newFile(content []byte, contentType, cacheControl string) *file {
	var b bytes.Buffer
	w, _ := gzip.NewWriterLevel(&b, gzip.BestCompression) // the level is valid
	w.Write(content)                                      // to memory
	w.Close()
	// Weak: the same for both encodings.
	f := &file{
		etag:        []byte(`W/"` + sdk.Hash(content) + `"`),
		plain:       o.newAnswer(fasthttp.StatusOK, contentType, content),
		gzipped:     o.newAnswer(fasthttp.StatusOK, contentType, b.Bytes()),
		notModified: o.newAnswer(fasthttp.StatusNotModified, "", nil),
	}
	f.gzipped.header.Set(fasthttp.HeaderContentEncoding, "gzip")
	for _, a := range []*answer{f.plain, f.gzipped, f.notModified} {
		h := &a.header
		h.Set(fasthttp.HeaderCacheControl, cacheControl)
		h.SetBytesV(fasthttp.HeaderETag, f.etag)
		h.Set(fasthttp.HeaderVary, fasthttp.HeaderAcceptEncoding)
		if !o.any {
			h.Set(fasthttp.HeaderVary, fasthttp.HeaderAcceptEncoding+", "+fasthttp.HeaderOrigin)
		}
		h.Set(fasthttp.HeaderXContentTypeOptions, "nosniff")
		h.Set("Cross-Origin-Resource-Policy", "cross-origin") // for pages that isolate themselves
		h.Del(fasthttp.HeaderAccessControlExposeHeaders)
	}
	return f
}

// serve answers GET and HEAD.
func (f *file) serve(ctx *fasthttp.RequestCtx) {
	a := f.plain
	switch {
	case bytes.Contains(ctx.Request.Header.Peek(fasthttp.HeaderIfNoneMatch), f.etag[len("W/"):]):
		a = f.notModified
	case ctx.Request.Header.HasAcceptEncoding("gzip"):
		a = f.gzipped
	}
	a.send(ctx)
}
