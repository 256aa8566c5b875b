package notice

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// metrics are registered whether there is a webhook or not.
type metrics struct {
	delivered, refused, failed prometheus.Counter
	tooOld, tooMany            prometheus.Counter
	pending                    prometheus.Gauge
	stopped                    prometheus.Gauge
}

func newMetrics(r prometheus.Registerer) metrics {
	f := promauto.With(r)
	requests := f.NewCounterVec(prometheus.CounterOpts{
		Name: "popupd_webhook_requests_total", Help: "Attempts to deliver a notice: delivered (2xx), refused (any other status), failed (no answer).",
	}, []string{"result"})
	dropped := f.NewCounterVec(prometheus.CounterOpts{
		Name: "popupd_webhook_dropped_total", Help: "Notices that were not delivered and are sent no more, by reason.",
	}, []string{"reason"})
	return metrics{
		delivered: requests.WithLabelValues("delivered"),
		refused:   requests.WithLabelValues("refused"),
		failed:    requests.WithLabelValues("failed"),
		tooOld:    dropped.WithLabelValues("too_old"),
		tooMany:   dropped.WithLabelValues("queue_full"),
		pending: f.NewGauge(prometheus.GaugeOpts{
			Name: "popupd_webhook_pending", Help: "Notices that are still to be delivered, by whichever server.",
		}),
		stopped: f.NewGauge(prometheus.GaugeOpts{
			Name: "popupd_webhook_stopped", Help: "1 if the receiver has answered 410 Gone, so that this server sends nothing more until it is started again.",
		}),
	}
}

// count counts an attempt.
func (m *metrics) count(a answer) {
	switch {
	case a.delivered():
		m.delivered.Inc()
	case a.status != 0:
		m.refused.Inc()
	default:
		m.failed.Inc()
	}
}
