package console

import (
	"log/slog"
	"net/http"
	"runtime"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// metrics counts what happens on this plane.
type metrics struct {
	requests     *prometheus.CounterVec // by status code
	authFailures prometheus.Counter
}

func newMetrics(r prometheus.Registerer, version string) metrics {
	register := promauto.With(r)
	register.NewGauge(prometheus.GaugeOpts{
		Name:        "popupd_build_info",
		Help:        "Always 1; the labels say which build this is.",
		ConstLabels: prometheus.Labels{"version": version, "goversion": runtime.Version()},
	}).Set(1)
	if r != nil {
		r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	}
	return metrics{
		requests: register.NewCounterVec(prometheus.CounterOpts{
			Name: "popupd_admin_requests_total",
			Help: "Requests answered on the admin listener, by HTTP status code.",
		}, []string{"code"}),
		authFailures: register.NewCounter(prometheus.CounterOpts{
			Name: "popupd_admin_auth_failures_total",
			Help: "Requests on the admin listener without a token or session that is good.",
		}),
	}
}

// answered counts a request. Statuses are a closed set: those this package writes.
func (m *metrics) answered(status int) {
	m.requests.WithLabelValues(strconv.Itoa(status)).Inc()
}

// metricsEndpoint shows what the gatherer has. A collector that fails hides its own
// metrics, not all of them.
func (s *Server) metricsEndpoint() Endpoint {
	metrics := promhttp.HandlerFor(s.config.Gatherer, promhttp.HandlerOpts{
		ErrorLog:      slog.NewLogLogger(s.config.Log.Handler(), slog.LevelError),
		ErrorHandling: promhttp.ContinueOnError,
	})
	return endpointOf(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { metrics.ServeHTTP(writeOnly{w}, r) }))
}

// writeOnly hides that the client has gone: promhttp would log an error for every
// metric that it can't send, and anybody could fill the log.
type writeOnly struct{ http.ResponseWriter }

func (w writeOnly) Write(b []byte) (int, error) {
	_, _ = w.ResponseWriter.Write(b)
	return len(b), nil
}
