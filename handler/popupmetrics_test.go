package handler

import (
	"fmt"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/popupd/popupd/snapshot"
)

// Popups beyond the limit are counted together, and nothing that was counted moves.
func TestServedSeriesAreBounded(t *testing.T) {
	registry := prometheus.NewRegistry()
	c, err := newPopupCounters(registry)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		for id := range uint32(maxPopupSeries + 5) {
			c.count(&snapshot.Popup{ID: id + 1, Key: fmt.Sprintf("p%d", id+1)})
		}
	}
	if n := testutil.CollectAndCount(c.served); n != maxPopupSeries+1 {
		t.Errorf("%d series, want %d and the rest", n, maxPopupSeries)
	}
	for label, want := range map[string]float64{"p1": 2, fmt.Sprintf("p%d", maxPopupSeries): 2, otherPopups: 10} {
		if got := testutil.ToFloat64(c.served.WithLabelValues(label)); got != want {
			t.Errorf("%s: %v, want %v", label, got, want)
		}
	}
}

// A popup is counted when it is recorded: not when the journal refuses it, and once
// however often its poll is sent. Controls are not served.
func TestServedByPopup(t *testing.T) {
	f := newServer(t, nil, "", `"priority":1,"variants":[{"key":"none","control":true}]`).start()
	f.events.refuse(errFull)
	f.sees("u", "")
	f.events.refuse(nil)
	for range 3 {
		f.sees("u", "p1", "&rid=12345678")
	}
	f.counts(1, "popupd_served_total", "popup", "p1")
	f.counts(0, "popupd_served_total", "popup", otherPopups)
}

// With the flag off there is no such metric.
func TestNotServedByPopup(t *testing.T) {
	f := newServer(t, func(c *Config) { c.PopupMetrics = false }, "").start()
	f.sees("u", "p1")
	if n, err := testutil.GatherAndCount(f.registry, "popupd_served_total"); n != 0 || err != nil {
		t.Errorf("%d series, %v", n, err)
	}
}
