// Package apitest holds HTTP exchanges against docs/openapi.yaml. Tests of both
// planes send their requests through a [Checker]'s transport, over whatever
// connection they have: httptest, fasthttp in memory, or the built binary.
// Tests of the control plane have their clock and log from it, too ([Env]).
// It starts nothing of what is tested: that belongs to the tests.
package apitest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"

	"github.com/popupd/popupd/docs"
)

// Checker knows the documented API.
type Checker struct {
	doc    *openapi3.T
	router routers.Router
}

// New reads docs/openapi.yaml and validates the document itself.
func New() (*Checker, error) {
	openapi3filter.RegisterBodyDecoder("application/x-ndjson", openapi3filter.PlainBodyDecoder)
	doc, err := openapi3.NewLoader().LoadFromData(docs.OpenAPI)
	if err != nil {
		return nil, fmt.Errorf("load openapi.yaml: %w", err)
	}
	if err := doc.Validate(context.Background(), openapi3.EnableExamplesValidation()); err != nil {
		return nil, fmt.Errorf("validate openapi.yaml: %w", err)
	}
	// Tests listen on addresses of their own.
	doc.Servers = nil
	for _, item := range doc.Paths.Map() {
		item.Servers = nil
	}
	router, err := gorillamux.NewRouter(doc)
	if err != nil {
		return nil, fmt.Errorf("route openapi.yaml: %w", err)
	}
	return &Checker{doc: doc, router: router}, nil
}

// Operations returns every documented operation as "GET /livez", sorted. Those of
// the data plane have the tag "data".
func (c *Checker) Operations(withTag func(tag string) bool) []string {
	var out []string
	for path, item := range c.doc.Paths.Map() {
		for method, op := range item.Operations() {
			if slices.ContainsFunc(op.Tags, withTag) {
				out = append(out, method+" "+path)
			}
		}
	}
	slices.Sort(out)
	return out
}

// Roles returns the role that each operation documents, by the operation as Operations has
// it, "" for those that take no token, and which of them document an answer of 403.
func (c *Checker) Roles() (roles map[string]string, forbidden map[string]bool) {
	roles, forbidden = map[string]string{}, map[string]bool{}
	for path, item := range c.doc.Paths.Map() {
		for method, op := range item.Operations() {
			role, _ := op.Extensions["x-role"].(string)
			roles[method+" "+path] = role
			forbidden[method+" "+path] = op.Responses.Status(http.StatusForbidden) != nil
		}
	}
	return roles, forbidden
}

// Operation returns the operation that r calls, as Operations has it, or "" if
// there is none.
func (c *Checker) Operation(r *http.Request) string {
	r = r.Clone(r.Context())
	r.URL.Scheme, r.URL.Host, r.Host = "", "", ""
	route, _, err := c.router.FindRoute(r)
	if err != nil {
		return ""
	}
	return route.Method + " " + route.Path
}

// Check returns how an exchange differs from the document. A status, header or
// body that is not documented is a difference, and so is a request that
// succeeded although the document forbids it.
func (c *Checker) Check(r *http.Request, requestBody []byte, status int, header http.Header, body []byte) error {
	r = r.Clone(context.Background())
	r.URL.Scheme, r.URL.Host, r.Host = "", "", ""
	r.RequestURI = ""
	r.Body = io.NopCloser(bytes.NewReader(requestBody))
	route, params, err := c.find(r, status)
	if err != nil {
		return c.checkUndocumented(status, header, body)
	}
	options := &openapi3filter.Options{
		IncludeResponseStatus: true,
		AuthenticationFunc:    openapi3filter.NoopAuthenticationFunc,
		ExcludeRequestBody:    rejectsSome(status, body),
		ExcludeResponseBody:   r.Method == http.MethodHead,
	}
	request := &openapi3filter.RequestValidationInput{Request: r, PathParams: params, Route: route, Options: options}
	if status < 300 {
		if err := openapi3filter.ValidateRequest(context.Background(), request); err != nil {
			return fmt.Errorf("%s %s was answered %d, but is not documented so: %w", r.Method, r.URL, status, err)
		}
	}
	response := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: request, Status: status, Header: header, Options: options,
	}
	response.SetBodyBytes(body)
	if err := openapi3filter.ValidateResponse(context.Background(), response); err != nil {
		return fmt.Errorf("%s %s: the answer %d is not documented so: %w", r.Method, r.URL, status, err)
	}
	return nil
}

// find returns the operation that documents the answer to r: HEAD is as GET, what
// a path answers to methods that it does not have is documented at those it has,
// and what is found also has a slash at its end.
func (c *Checker) find(r *http.Request, status int) (*routers.Route, map[string]string, error) {
	methods := []string{r.Method}
	if r.Method == http.MethodHead {
		methods = append(methods, http.MethodGet)
	}
	if status == http.StatusMethodNotAllowed {
		methods = append(methods, http.MethodGet, http.MethodPost)
	}
	as := r.Clone(r.Context())
	if path, ok := strings.CutSuffix(r.URL.Path, "/"); ok && status < 300 {
		as.URL.Path = path
	}
	var err error
	for _, method := range methods {
		var route *routers.Route
		var params map[string]string
		as.Method = method
		if route, params, err = c.router.FindRoute(as); err == nil {
			return route, params, nil
		}
	}
	return nil, nil, err
}

// rejectsSome reports whether an answer says that a part of the body was not as documented.
func rejectsSome(status int, body []byte) bool {
	var results struct{ Rejected []json.RawMessage }
	return status == http.StatusAccepted && json.Unmarshal(body, &results) == nil && len(results.Rejected) > 0
}

// checkUndocumented holds what is answered outside the documented paths against
// what all errors look like.
func (c *Checker) checkUndocumented(status int, header http.Header, body []byte) error {
	if status < 400 {
		return fmt.Errorf("an operation that is not documented was answered %d", status)
	}
	if t := header.Get("Content-Type"); t != "application/problem+json" {
		return fmt.Errorf("the error %d has the type %q", status, t)
	}
	if len(body) == 0 {
		return nil // of a HEAD
	}
	var v any
	if err := json.Unmarshal(body, &v); err != nil {
		return fmt.Errorf("the error %d: %w", status, err)
	}
	return c.doc.Components.Schemas["Problem"].Value.VisitJSON(v)
}

// Transport returns a transport that checks what passes through next, the
// default transport if nil, and fails t for what is not as documented.
func (c *Checker) Transport(t testing.TB, next http.RoundTripper) http.RoundTripper {
	if next == nil {
		next = http.DefaultTransport
	}
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		var sent []byte
		if r.Body != nil {
			b, err := io.ReadAll(r.Body)
			if err := errors.Join(err, r.Body.Close()); err != nil {
				return nil, err
			}
			sent = b
			r = r.Clone(r.Context())
			r.Body = io.NopCloser(bytes.NewReader(sent))
		}
		res, err := next.RoundTrip(r)
		if err != nil {
			return nil, err
		}
		body, err := io.ReadAll(res.Body)
		if err := errors.Join(err, res.Body.Close()); err != nil {
			return nil, err
		}
		res.Body = io.NopCloser(bytes.NewReader(body))
		if err := c.Check(r, sent, res.StatusCode, res.Header, body); err != nil {
			t.Errorf("%v\nbody: %.2000s", err, body)
		}
		return res, nil
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
