package handler

import (
	"bytes"

	"github.com/valyala/fasthttp"
)

// readLines looks at the lines of a header, all of them once: it costs a fraction
// of looking fields up by their names (BenchmarkHotReadLines).
//
// A request is ambiguous if a proxy in front of popupd may see another end of
// it than fasthttp, which refuses most of what RFC 9112 says to refuse,
// but takes header lines that end with a bare LF or go on in the next line,
// Transfer-Encoding: identity, and a length beside chunks. What comes behind
// such a request may be somebody else's, so the connection must end with it.
//
// The request line may still end with a bare LF: what has no other line end in
// it is no request line.
//
// It is a prefetch if a browser sent it before anybody asked for the page: what it
// gets may never be seen.
func readLines(h *fasthttp.RequestHeader) (ambiguous, prefetch bool) {
	coded := false
	for raw := h.RawHeaders(); len(raw) > 0; {
		end := bytes.IndexByte(raw, '\n')
		if end < 1 || raw[end-1] != '\r' || raw[0] == ' ' || raw[0] == '\t' {
			return true, prefetch
		}
		switch raw[0] | 0x20 {
		case 't':
			if named(raw, transferEncoding) {
				value := bytes.TrimSpace(raw[len(transferEncoding):end])
				if coded = true; !bytes.EqualFold(value, chunked) {
					return true, prefetch
				}
			}
		case 's': // browsers send half a dozen Sec-… of other names
			if raw[min(4, end)]|0x20 == 'p' && named(raw, secPurpose) {
				prefetch = prefetch || isPrefetch(raw[len(secPurpose):end])
			}
		case 'p':
			if named(raw, purpose) {
				prefetch = prefetch || isPrefetch(raw[len(purpose):end])
			}
		}
		raw = raw[end+1:]
	}
	return coded && hasLength(h.RawHeaders()), prefetch
}

var (
	transferEncoding = []byte("transfer-encoding:")
	contentLength    = []byte("content-length:")
	secPurpose       = []byte("sec-purpose:")
	purpose          = []byte("purpose:") // as older browsers call it
	chunked          = []byte("chunked")
	prefetching      = []byte("prefetch")
)

// isPrefetch reads the value of Sec-Purpose, which may have parameters, as
// prefetch;prerender has.
func isPrefetch(value []byte) bool {
	value, _, _ = bytes.Cut(value, semicolon)
	return bytes.EqualFold(bytes.TrimSpace(value), prefetching)
}

var semicolon = []byte{';'}

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
