package server

import (
	"errors"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

func TestReadyGauge(t *testing.T) {
	registry := prometheus.NewRegistry()
	var notReady error
	registerReady(registry, func() error { return notReady })
	for _, c := range []struct {
		err  error
		want float64
	}{{nil, 1}, {errDraining, 0}, {nil, 1}, {errors.New("restoring"), 0}} {
		notReady = c.err
		families, err := registry.Gather()
		if err != nil {
			t.Fatal(err)
		}
		if got := families[0].Metric[0].GetGauge().GetValue(); got != c.want {
			t.Errorf("popupd_ready with %v: %v, want %v", c.err, got, c.want)
		}
	}
}
