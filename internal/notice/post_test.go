package notice

import (
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/popupd/popupd/popup"
)

// TestAnswers: only 2xx is a delivery, and no answer makes more work than another.
func TestAnswers(t *testing.T) {
	elsewhere := newReceiver(t, nil)
	for _, c := range []struct {
		name   string
		answer func(http.ResponseWriter, *http.Request)
		want   string
	}{
		{"200", status(200), "status 200"},
		{"299", status(299), "status 299"},
		{"500", status(500), "status 500"},
		{"404", status(404), "status 404"},
		{"a redirect", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
		}, "status 307"},
		{"a permanent redirect", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.URL, http.StatusMovedPermanently)
		}, "status 301"},
		{"a body without end", endless, "status 200"},
		{"headers without end", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Long", strings.Repeat("x", 2*maxHeaders))
		}, "server response headers exceeded"},
		{"a connection that breaks", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "EOF"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newReceiver(t, c.answer)
			s, _ := newTestSender(t, &memory{}, r.URL)
			start := time.Now()
			got := s.post(t.Context(), popup.Notice{ID: "msg_1", Body: []byte("{}")})
			if text := got.String(); !strings.Contains(text, c.want) || got.delivered() != strings.HasPrefix(c.want, "status 2") {
				t.Errorf("got %q, delivered %v; want %q", text, got.delivered(), c.want)
			}
			if took := time.Since(start); took > 5*time.Second {
				t.Errorf("took %v", took)
			}
		})
	}
	wantSame(t, "redirects that were followed", len(elsewhere.ids()), 0)
}

// endless answers with more than anybody reads.
func endless(w http.ResponseWriter, r *http.Request) {
	piece := make([]byte, 1<<20)
	for r.Context().Err() == nil {
		if _, err := w.Write(piece); err != nil {
			return
		}
	}
}

// TestReceiverHangs: an attempt ends, and its error tells nothing of the URL.
func TestReceiverHangs(t *testing.T) {
	r := newReceiver(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	s, _ := newTestSender(t, &memory{}, r.URL+"/sEcReT?key=sEcReT")
	if s.client.Timeout != postTimeout {
		t.Errorf("an attempt may take %v, want %v", s.client.Timeout, postTimeout)
	}
	s.client.Timeout = 50 * time.Millisecond
	got := s.post(t.Context(), popup.Notice{ID: "msg_1"})
	if got.err == nil || got.status != 0 || strings.Contains(got.String(), "sEcReT") {
		t.Errorf("got %v", got)
	}
}

// TestErrorsShowNoURL: whatever goes wrong, the log has no part of the URL but the host.
func TestErrorsShowNoURL(t *testing.T) {
	m := &memory{}
	s, log := newTestSender(t, m, closed(t)+"/sEcReT?key=sEcReT")
	m.add(t, "msg_1")
	s.step(t.Context())
	text := log.String() + m.rows[0].result
	if !strings.Contains(text, "connection refused") || !strings.Contains(text, "receiver=http://127.0.0.1:") || strings.Contains(text, "sEcReT") {
		t.Errorf("tells %s", text)
	}
}

// TestCertificate: a receiver without a good certificate is told nothing.
func TestCertificate(t *testing.T) {
	got := make(chan string, 1)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got <- string(body)
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	s, _ := newTestSender(t, &memory{}, server.URL)
	a := s.post(t.Context(), popup.Notice{ID: "msg_1", Body: []byte("{}")})
	if !strings.Contains(a.String(), "certificate") || len(got) != 0 {
		t.Errorf("got %v, told %d times", a, len(got))
	}
}

func TestParseRetryAfter(t *testing.T) {
	const nowMS = 1_720_005_600_000 // 2024-07-03T11:20:00Z
	for header, want := range map[string]time.Duration{
		"": 0, "0": 0, "120": 2 * time.Minute, "-5": 0, "soon": 0, "1e3": 0, "99999999999999999999": 0,
		"Wed, 03 Jul 2024 11:30:00 GMT": 10 * time.Minute, "Wed, 03 Jul 2024 11:00:00 GMT": 0,
	} {
		if got := retryAfter(header, nowMS); got != want {
			t.Errorf("%q: %v, want %v", header, got, want)
		}
	}
}

func TestParseURL(t *testing.T) {
	for _, good := range []string{"https://example.com", "http://127.0.0.1:9000/a/b?key=x", "https://[::1]/"} {
		if u, err := ParseURL(good); err != nil || u.String() != good {
			t.Errorf("%s: %v, %v", good, u, err)
		}
	}
	for _, bad := range []string{
		"", "example.com/sEcReT", "/sEcReT", "ftp://example.com/sEcReT", "https:///sEcReT", "https://u:sEcReT@example.com", "https://sEcReT@example.com",
		"https://example.com/#sEcReT", "https://exa mple.com/sEcReT", "https://example.com/ sEcReT", "https://example.com:sEcReT/", "mailto:sEcReT@example.com",
	} {
		if u, err := ParseURL(bad); err == nil || strings.Contains(err.Error(), "sEcReT") {
			t.Errorf("%s: %v, %v", bad, u, err)
		}
	}
}

func TestParseSecrets(t *testing.T) {
	const other = "whsec_c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"
	for text, want := range map[string]int{testSecret: 1, testSecret + "," + other: 2, " " + testSecret + " , " + other + "\n": 2} {
		if secrets, err := ParseSecrets(text); err != nil || len(secrets) != want || len(secrets[0]) != 24 {
			t.Errorf("%q: %d secrets, %v; want %d", text, len(secrets), err, want)
		}
	}
	for _, bad := range []string{"", ",", testSecret + ",", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_", "whsec_c2VjcmV0", "whsec_sEcReT!", "whsec_" + strings.Repeat("c2Vj", 30)} {
		if _, err := ParseSecrets(bad); !errors.Is(err, ErrSecret) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// TestSign: the signature is that of the libraries of Standard Webhooks, which have this
// message in their tests. With two secrets both sign.
func TestSign(t *testing.T) {
	secrets, err := ParseSecrets(testSecret + ",whsec_c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0")
	if err != nil {
		t.Fatal(err)
	}
	const want = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
	got := sign(secrets, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, []byte(`{"test": 2432232314}`))
	both := strings.Split(got, " ")
	if len(both) != 2 || both[0] != want || !strings.HasPrefix(both[1], "v1,") || both[1] == want {
		t.Errorf("got %s, want %s and another one", got, want)
	}
}
