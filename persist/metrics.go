package persist

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

type metrics struct {
	flushed       prometheus.Counter
	flushSeconds  prometheus.Histogram
	flushLag      prometheus.Histogram
	errors        map[class]prometheus.Counter
	dead          prometheus.Counter
	gaps          prometheus.Counter
	up            prometheus.Gauge
	erasures      prometheus.Gauge              // of users that are to be taken out of the events
	oldestErasure prometheus.Gauge              // seconds since it was asked for
	backlog       prometheus.Gauge              // events that experiments have not passed
	removed       map[string]prometheus.Counter // by table
}

func newMetrics(r prometheus.Registerer, schema *schemaState) metrics {
	f := promauto.With(r)
	errs := f.NewCounterVec(prometheus.CounterOpts{
		Name: "popupd_flush_errors_total", Help: "Flushes that failed or were tried again, by class of error.",
	}, []string{"class"})
	removed := f.NewCounterVec(prometheus.CounterOpts{
		Name: "popupd_retention_removed_total", Help: "Rows this server has deleted because they were too old to matter, by table.",
	}, []string{"table"})
	m := metrics{
		flushed: f.NewCounter(prometheus.CounterOpts{
			Name: "popupd_flushed_events_total", Help: "Events this server has committed to the store.",
		}),
		flushSeconds: f.NewHistogram(prometheus.HistogramOpts{
			Name: "popupd_flush_duration_seconds", Help: "Duration of a flush that succeeded.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}),
		flushLag: f.NewHistogram(prometheus.HistogramOpts{
			Name: "popupd_flush_lag_seconds", Help: "Age of the first impression of a flush when it was committed; of the first event if it has none.",
			Buckets: []float64{.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300, 1800},
		}),
		dead: f.NewCounter(prometheus.CounterOpts{
			Name: "popupd_dead_frames_total", Help: "Events the store refused, which are in dead_frame.",
		}),
		gaps: f.NewCounter(prometheus.CounterOpts{
			Name: "popupd_gap_events_total", Help: "Events declared as lost, which have a gap row in dead_frame.",
		}),
		up: f.NewGauge(prometheus.GaugeOpts{
			Name: "popupd_mysql_up", Help: "1 if the store took the last statement that tries whether it can be written.",
		}),
		erasures: f.NewGauge(prometheus.GaugeOpts{
			Name: "popupd_erasures_pending", Help: "Users who were reset and are still named in the events of the store.",
		}),
		oldestErasure: f.NewGauge(prometheus.GaugeOpts{
			Name: "popupd_oldest_erasure_seconds", Help: "Time since the reset of the first of these users; 0 if there are none.",
		}),
		backlog: f.NewGauge(prometheus.GaugeOpts{
			Name: "popupd_experiment_backlog_events", Help: "Committed events that experiments have not looked at yet, at the server that does so.",
		}),
		errors:  map[class]prometheus.Counter{},
		removed: map[string]prometheus.Counter{},
	}
	f.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "popupd_schema_mismatch", Help: "1 if the store's schema is newer than this popupd, which then writes nothing to it.",
	}, schema.mismatch)
	for _, c := range classes() {
		m.errors[c] = errs.WithLabelValues(string(c))
	}
	for _, table := range []string{eventTable, impressionTable.name, stateTable.name, experimentUserTable.name, goalTable.name, whyNotTable, chunkTable, sessionTable} {
		m.removed[table] = removed.WithLabelValues(table)
	}
	return m
}
