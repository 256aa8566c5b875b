package server

import "github.com/prometheus/client_golang/prometheus"

// readings returns what /metrics shows: counters and gauges by name, those with labels
// summed over them, and NAME_sum and NAME_count of histograms. A metric that can't be read
// is missing.
func readings(g prometheus.Gatherer) map[string]float64 {
	families, _ := g.Gather() // with an error it returns what it could read
	m := make(map[string]float64, len(families))
	for _, f := range families {
		for _, metric := range f.GetMetric() {
			m[f.GetName()] += metric.GetCounter().GetValue() + metric.GetGauge().GetValue()
			if h := metric.GetHistogram(); h != nil {
				m[f.GetName()+"_sum"] += h.GetSampleSum()
				m[f.GetName()+"_count"] += float64(h.GetSampleCount())
			}
		}
	}
	return m
}
