package handler

import (
	"bytes"

	"github.com/valyala/fasthttp"
)

// ambiguous reports whether a proxy in front of popupd may see another end of
// the request than fasthttp, which refuses most of what RFC 9112 says to refuse,
// but takes header lines that end with a bare LF or go on in the next line,
// Transfer-Encoding: identity, and a length beside chunks. What comes behind
// such a request may be somebody else's, so the connection must end with it.
//
// The request line may still end with a bare LF: what has no other line end in
// it is no request line.
func ambiguous(h *fasthttp.RequestHeader) bool {
	coded := false
	for raw := h.RawHeaders(); len(raw) > 0; {
		end := bytes.IndexByte(raw, '\n')
		if end < 1 || raw[end-1] != '\r' || raw[0] == ' ' || raw[0] == '\t' {
			return true
		}
		if raw[0]|0x20 == 't' && named(raw, transferEncoding) {
			value := bytes.TrimSpace(raw[len(transferEncoding):end])
			if coded = true; !bytes.EqualFold(value, chunked) {
				return true
			}
		}
		raw = raw[end+1:]
	}
	return coded && hasLength(h.RawHeaders())
}

var (
	transferEncoding = []byte("transfer-encoding:")
	contentLength    = []byte("content-length:")
	chunked          = []byte("chunked")
)

func hasLength(raw []byte) bool {
	for line := range bytes.Lines(raw) {
		if named(line, contentLength) {
			return true
		}
	}
	return false
}

// named reports whether a header line begins with a name, in lower case, and its colon.
func named(line, name []byte) bool {
	return len(line) >= len(name) && bytes.EqualFold(line[:len(name)], name)
}
