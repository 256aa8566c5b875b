package handler

import (
	"maps"
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/popupd/popupd/snapshot"
)

const (
	// maxPopupSeries bounds how many popups are counted by themselves, so that a catalog
	// of any size leaves the metrics small.
	maxPopupSeries = 1000
	// otherPopups is the label of those beyond. A popup whose key it is shares its series.
	otherPopups = "other"
)

// popupCounters counts what is served by popup. A popup gets its series when it is
// first served and keeps it, so that no counter ever decreases; from then on counting
// takes no lock and allocates nothing.
type popupCounters struct {
	served *prometheus.CounterVec
	other  prometheus.Counter

	byID atomic.Pointer[map[uint32]prometheus.Counter] // replaced as a whole
	mu   sync.Mutex                                    // held while byID is replaced
}

// newPopupCounters returns counters that are registered with r unless it is nil.
func newPopupCounters(r prometheus.Registerer) (*popupCounters, error) {
	c := &popupCounters{served: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "popupd_served_total", Help: "Popups returned, repeats of polls not counted, by key of the popup.",
	}, []string{"popup"})}
	c.other = c.served.WithLabelValues(otherPopups)
	c.byID.Store(&map[uint32]prometheus.Counter{})
	if r == nil {
		return c, nil
	}
	return c, r.Register(c.served)
}

// count counts that a popup is served. A nil c counts nothing.
func (c *popupCounters) count(p *snapshot.Popup) {
	if c == nil {
		return
	}
	known := *c.byID.Load()
	counter := known[p.ID]
	switch {
	case counter != nil:
	case len(known) == maxPopupSeries:
		counter = c.other
	default:
		counter = c.add(p)
	}
	counter.Inc()
}

// add gives a popup a series, if there is one left.
func (c *popupCounters) add(p *snapshot.Popup) prometheus.Counter {
	c.mu.Lock()
	defer c.mu.Unlock()
	known := *c.byID.Load()
	switch counter := known[p.ID]; {
	case counter != nil: // another request was first
		return counter
	case len(known) == maxPopupSeries:
		return c.other
	}
	known = maps.Clone(known)
	known[p.ID] = c.served.WithLabelValues(p.Key)
	c.byID.Store(&known)
	return known[p.ID]
}
