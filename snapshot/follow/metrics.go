package follow

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

type metrics struct {
	reloadErrors prometheus.Counter
	propagation  prometheus.Histogram
	compile      prometheus.Histogram
	broken       prometheus.Gauge
}

func newMetrics(w *Watcher) metrics {
	register := promauto.With(w.c.Registerer)
	register.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "popupd_config_revision",
		Help: "Revision of the popups in force.",
	}, func() float64 { return float64(w.store.Current().Revision) })
	register.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "popupd_config_age_seconds",
		Help: "Time since the popups in force were last known to be the newest.",
	}, func() float64 { return float64(max(0, w.c.Now()-w.confirmedMS.Load())) / 1000 })
	register.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "popupd_audience_members",
		Help: "Users in the lists of users in force, summed over them.",
	}, func() (members float64) {
		for _, list := range w.store.Current().Lists() {
			members += float64(list.Set.Len())
		}
		return members
	})
	register.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "popupd_audience_bytes",
		Help: "Memory that the lists of users in force take.",
	}, func() float64 { return float64(w.store.Current().ListBytes()) })
	register.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "popupd_audiences_unavailable",
		Help: "Audiences that active popups name and that can't be used, so that these are shown to nobody.",
	}, func() float64 { return float64(len(w.store.Current().Unavailable())) })
	return metrics{
		reloadErrors: register.NewCounter(prometheus.CounterOpts{
			Name: "popupd_config_reload_errors_total",
			Help: "Attempts to read the popups or their revision that failed.",
		}),
		propagation: register.NewHistogram(prometheus.HistogramOpts{
			Name:    "popupd_config_propagation_seconds",
			Help:    "Time from a change of a popup until it was in force on this server.",
			Buckets: []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2, 5, 15, 60},
		}),
		compile: register.NewHistogram(prometheus.HistogramOpts{
			Name:    "popupd_snapshot_compile_seconds",
			Help:    "Time to compile the popups into what polls are matched against.",
			Buckets: prometheus.ExponentialBuckets(0.0001, 4, 9), // to 6.6 s
		}),
		broken: register.NewGauge(prometheus.GaugeOpts{
			Name: "popupd_config_broken_popups",
			Help: "Popups, or settings, in the store that can't be used; their last good version stays in force.",
		}),
	}
}
