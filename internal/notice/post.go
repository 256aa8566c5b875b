package notice

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/popupd/popupd/popup"
)

const (
	postTimeout = 15 * time.Second // of one attempt, as Standard Webhooks suggests
	maxAnswer   = 4 << 10          // bytes of a body that are read, so that the connection can be kept
	maxHeaders  = 16 << 10         // bytes
)

// newClient returns a client that follows no redirect: what is signed is for the receiver
// that was named.
func newClient() *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxResponseHeaderBytes = maxHeaders
	transport.DisableCompression = true // or a short answer could become a long one
	transport.MaxIdleConns, transport.MaxConnsPerHost = 1, 1
	return &http.Client{
		Transport:     transport,
		Timeout:       postTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// answer is what an attempt came to.
type answer struct {
	status     int           // 0: none came
	err        error         // why none came
	retryAfter time.Duration // as the receiver asks for; 0: it does not
}

func (a answer) delivered() bool { return 200 <= a.status && a.status <= 299 }

func (a answer) String() string {
	if a.err != nil {
		return a.err.Error()
	}
	return fmt.Sprint("status ", a.status)
}

// post sends a notice once.
func (s *Sender) post(ctx context.Context, n popup.Notice) (a answer) {
	ctx, span := s.config.Tracer.Start(ctx, "deliver notice")
	defer func() {
		span.Set("http.response.status_code", a.status)
		span.End(a.err)
	}()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.config.URL.String(), bytes.NewReader(n.Body))
	if err != nil {
		return answer{err: withoutURL(err)}
	}
	second := s.config.Now() / 1000
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", s.config.UserAgent)
	// As the specification spells them; HTTP does not tell the difference.
	request.Header.Set("webhook-id", n.ID)
	request.Header.Set("webhook-timestamp", strconv.FormatInt(second, 10))
	request.Header.Set("webhook-signature", sign(s.config.Secrets, n.ID, second, n.Body))
	response, err := s.client.Do(request)
	if err != nil {
		return answer{err: withoutURL(err)}
	}
	defer response.Body.Close()
	_, _ = io.CopyN(io.Discard, response.Body, maxAnswer) // the status has said everything
	return answer{status: response.StatusCode, retryAfter: retryAfter(response.Header.Get("Retry-After"), s.config.Now())}
}

// withoutURL returns an error of package http without the URL in it, which may be a secret.
func withoutURL(err error) error {
	if of, ok := errors.AsType[*url.Error](err); ok {
		return of.Err
	}
	return err
}

// retryAfter reads a header Retry-After: seconds or a date. It returns 0 if there is none.
func retryAfter(header string, nowMS int64) time.Duration {
	if seconds, err := strconv.ParseInt(header, 10, 32); err == nil {
		return max(0, time.Duration(seconds)*time.Second)
	}
	at, err := http.ParseTime(header)
	if err != nil {
		return 0
	}
	return max(0, at.Sub(time.UnixMilli(nowMS)))
}
