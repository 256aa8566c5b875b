package journal

import (
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
)

// measureEvery is how many appends there are, on average, to one that is timed.
const measureEvery = 64

type metrics struct {
	events   prometheus.Counter
	errors   prometheus.Counter
	duration prometheus.Histogram
}

// newMetrics registers the journal's metrics. A nil Registerer leaves
// them unregistered.
func newMetrics(reg prometheus.Registerer, bytes *atomic.Int64, maxBytes int64) (*metrics, error) {
	m := &metrics{
		events: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "popupd_journal_events_total",
			Help: "Events accepted by the journal.",
		}),
		errors: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "popupd_journal_errors_total",
			Help: "Appends refused, streams ended by an error of the disk, and damage found.",
		}),
		duration: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "popupd_journal_append_duration_seconds",
			Help:    "Time to append one frame to the journal, of a random 1 in 64.",
			Buckets: prometheus.ExponentialBuckets(500e-9, 4, 10), // to 131 ms
		}),
	}
	if reg == nil {
		return m, nil
	}
	size := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "popupd_journal_bytes",
		Help: "Bytes of disk that the journal takes, with what is allocated ahead.",
	}, func() float64 { return float64(bytes.Load()) })
	quota := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "popupd_journal_max_bytes",
		Help: "Bytes of disk that the journal may take.",
	})
	quota.Set(float64(maxBytes))
	for _, c := range []prometheus.Collector{m.events, m.errors, m.duration, size, quota} {
		if err := reg.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}
