package server

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// registerReady registers the gauge that says what /readyz answers.
func registerReady(r prometheus.Registerer, ready func() error) {
	promauto.With(r).NewGaugeFunc(prometheus.GaugeOpts{
		Name: "popupd_ready",
		Help: "1 if this server may get polls, as /readyz says.",
	}, func() float64 {
		if ready() != nil {
			return 0
		}
		return 1
	})
}
