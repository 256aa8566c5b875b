package tracing

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/popupd/popupd/internal/retry"
)

// collector takes traces by OTLP over HTTP, https://opentelemetry.io/docs/specs/otlp/#otlphttp.
// The library's own client for that brings gRPC into the program, 7 MB of it.
type collector struct {
	endpoint *url.URL
	headers  http.Header
	gzip     bool
	client   *http.Client
	outage   retry.Outage
}

const (
	defaultEndpoint = "http://localhost:4318"
	tracesPath      = "v1/traces"
	defaultTimeout  = 10 * time.Second
	maxAnswer       = 64 << 10 // bytes of an answer that are read
)

// setting reads OTEL_EXPORTER_OTLP_TRACES_NAME, or what it stands for, OTEL_EXPORTER_OTLP_NAME.
func setting(getenv func(string) string, name string) (value, variable string) {
	for _, variable := range []string{"OTEL_EXPORTER_OTLP_TRACES_" + name, "OTEL_EXPORTER_OTLP_" + name} {
		if value := getenv(variable); value != "" {
			return value, variable
		}
	}
	return "", ""
}

// newCollector reads the variables of the exporter.
func newCollector(getenv func(string) string, log *slog.Logger) (*collector, error) {
	c := &collector{
		headers: http.Header{},
		outage:  retry.Outage{Log: log, Begins: "traces can't be sent, and those of now are lost", Ends: "traces are sent again"},
	}
	for _, name := range []string{"CERTIFICATE", "CLIENT_CERTIFICATE", "CLIENT_KEY"} {
		if _, variable := setting(getenv, name); variable != "" {
			return nil, fmt.Errorf("%s is not supported: certificates are those of the system, or SSL_CERT_FILE", variable)
		}
	}
	if protocol, variable := setting(getenv, "PROTOCOL"); protocol != "" && protocol != "http/protobuf" {
		return nil, fmt.Errorf("%s is %q: want http/protobuf", variable, protocol)
	}
	compression, variable := setting(getenv, "COMPRESSION")
	if c.gzip = compression == "gzip"; !c.gzip && compression != "" && compression != "none" {
		return nil, fmt.Errorf("%s is %q: want gzip or none", variable, compression)
	}
	for _, read := range []func(func(string) string) error{c.readEndpoint, c.readHeaders, c.readTimeout} {
		if err := read(getenv); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// readEndpoint: the variable for traces is the whole URL, that for all signals is what their paths are put behind.
func (c *collector) readEndpoint(getenv func(string) string) (err error) {
	text, variable := setting(getenv, "ENDPOINT")
	if c.endpoint, err = url.Parse(cmp.Or(text, defaultEndpoint)); err != nil || c.endpoint.Host == "" || c.endpoint.Scheme != "http" && c.endpoint.Scheme != "https" {
		return fmt.Errorf("%s: want http://HOST:PORT or https://HOST:PORT", variable) // the value may hold a secret
	}
	if !strings.Contains(variable, "TRACES") {
		c.endpoint = c.endpoint.JoinPath(tracesPath)
	}
	return nil
}

// readHeaders reads NAME=VALUE,NAME=VALUE, values percent-encoded, as W3C Baggage is written:
// lists may have empty members, as after a comma at the end.
func (c *collector) readHeaders(getenv func(string) string) error {
	text, variable := setting(getenv, "HEADERS")
	for member := range strings.SplitSeq(text, ",") {
		if member = strings.TrimSpace(member); member == "" {
			continue
		}
		name, value, ok := strings.Cut(member, "=")
		name = strings.TrimSpace(name)
		value, err := url.PathUnescape(strings.TrimSpace(value))
		if !ok || err != nil || !isToken(name) || strings.ContainsFunc(value, isControl) {
			return fmt.Errorf("%s: want NAME=VALUE,NAME=VALUE with percent-encoded values", variable) // the value is a secret
		}
		c.headers.Set(name, value)
	}
	return nil
}

// isToken reports whether a text may be the name of a header, RFC 9110 5.6.2.
func isToken(name string) bool {
	const of = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	return name != "" && strings.Trim(name, of) == ""
}

// isControl reports whether a character may not be in the value of a header.
func isControl(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }

// readTimeout reads milliseconds.
func (c *collector) readTimeout(getenv func(string) string) error {
	timeout := defaultTimeout
	if text, variable := setting(getenv, "TIMEOUT"); text != "" {
		ms, err := strconv.Atoi(text)
		if err != nil || ms <= 0 {
			return fmt.Errorf("%s is %q: want milliseconds", variable, text)
		}
		timeout = time.Duration(ms) * time.Millisecond
	}
	c.client = &http.Client{
		Timeout:       timeout,
		Transport:     http.DefaultTransport.(*http.Transport).Clone(),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return nil
}

// host is where traces go, without what may be secret.
func (c *collector) host() string { return c.endpoint.Scheme + "://" + c.endpoint.Host }

// Start has nothing to do: connections are made by requests.
func (c *collector) Start(context.Context) error { return nil }

// Stop closes idle connections.
func (c *collector) Stop(context.Context) error {
	c.client.CloseIdleConnections()
	return nil
}

// UploadTraces sends spans once. That the collector does not take them is logged once, and
// is no error: they are lost, and the next ones are tried.
func (c *collector) UploadTraces(ctx context.Context, spans []*tracepb.ResourceSpans) error {
	c.outage.Report(c.post(ctx, spans))
	return nil
}

func (c *collector) post(ctx context.Context, spans []*tracepb.ResourceSpans) error {
	// As bytes TracesData is the ExportTraceServiceRequest that the protocol asks for,
	// whose package brings gRPC.
	body, err := proto.Marshal(&tracepb.TracesData{ResourceSpans: spans})
	if err != nil {
		return err
	}
	if c.gzip {
		var packed bytes.Buffer
		w := gzip.NewWriter(&packed)
		_, errWrite := w.Write(body)
		if err := errors.Join(errWrite, w.Close()); err != nil {
			return err
		}
		body = packed.Bytes()
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.endpoint.String(), bytes.NewReader(body))
	if err != nil {
		return withoutURL(err)
	}
	request.Header = c.headers.Clone()
	request.Header.Set("Content-Type", "application/x-protobuf")
	if c.gzip {
		request.Header.Set("Content-Encoding", "gzip")
	}
	response, err := c.client.Do(request)
	if err != nil {
		return withoutURL(err)
	}
	defer response.Body.Close()
	_, _ = io.CopyN(io.Discard, response.Body, maxAnswer) // so that the connection can be used again
	if response.StatusCode/100 != 2 {
		return fmt.Errorf("the collector answers %d", response.StatusCode)
	}
	return nil
}

// withoutURL returns an error of package http without the URL in it, which may hold a secret.
func withoutURL(err error) error {
	if of, ok := errors.AsType[*url.Error](err); ok {
		return of.Err
	}
	return err
}
