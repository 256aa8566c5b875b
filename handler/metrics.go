package handler

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/popupd/popupd/popup"
)

// outcome is what became of a poll, as counted.
type outcome uint8

const (
	served outcome = iota
	none
	shed       // not decided, or not shown to too many new users: overload, not ready, -new-ids-per-client
	unrecorded // decided, and not shown, because the journal or the users' state has no room for it
	unknown    // not decided: the user could not be looked up in time
	invalid
	unauthorized
	previewed // not decided
	numOutcomes
)

var outcomeNames = [numOutcomes]string{"served", "none", "shed", "unrecorded", "unknown", "invalid", "unauthorized", "preview"}

// actionResult is what became of an action, as counted.
type actionResult uint8

const (
	counted  actionResult = iota
	repeated              // the same action on the same impression again, as far as this server can tell
	malformed
	forged
	expired
	refused // by the journal
	full    // no memory for the user
	late    // a release that came too long after serving
	limited // too many from its client; not looked at, so their kind is not known
	numActionResults
)

var actionResultNames = [numActionResults]string{
	"counted", "repeated", "malformed", "forged", "expired", "refused", "full", "late", "limited",
}

// eventResult is what became of an event of the site, as counted.
type eventResult uint8

const (
	eventRecorded     eventResult = iota
	eventRepeated                 // it has been recorded for the same exposures
	eventUnmatched                // no popup's goal, or of a user who was not exposed to one in time
	eventMalformed                // a body that cannot be read is one
	eventUnauthorized             // its sig is wrong or missing
	eventRefused                  // by the journal, or the user could not be looked up in time
	eventLimited                  // too many from its client
	numEventResults
)

var eventResultNames = [numEventResults]string{"recorded", "repeated", "unmatched", "malformed", "unauthorized", "refused", "limited"}

// signature is what the sig of a poll or an event is worth, as counted.
type signature uint8

const (
	signatureValid signature = iota
	signatureWrong
	signatureMissing
	numSignatures
)

var signatureNames = [numSignatures]string{"valid", "wrong", "missing"}

// metrics are the counters of the data plane. Children are resolved here, so
// that no request looks one up or brings a label of its own.
type metrics struct {
	pollSeconds   prometheus.Observer
	decisions     [numOutcomes]prometheus.Counter
	rejections    [popup.NumReasons]prometheus.Counter
	actions       [popup.Release + 1][numActionResults]prometheus.Counter // 0: unknown
	events        [numEventResults]prometheus.Counter
	errors        [numProblems]prometheus.Counter
	identity      [numSignatures]prometheus.Counter
	limited       prometheus.Counter
	acceptRetries prometheus.Counter
	wait          prometheus.Gauge
}

// newMetrics registers the metrics. connections returns how many are open.
func newMetrics(r prometheus.Registerer, connections func() float64) (*metrics, error) {
	m := new(metrics)
	poll := prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "popupd_poll_duration_seconds", Help: "Time to answer a poll, without reading and writing it.",
		Buckets: []float64{10e-6, 25e-6, 50e-6, 100e-6, 250e-6, 500e-6, 1e-3, 2.5e-3, 5e-3, 10e-3, 25e-3, 50e-3, 100e-3},
	})
	decisions := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "popupd_decisions_total", Help: "Polls by outcome.",
	}, []string{"outcome"})
	rejections := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "popupd_rejections_total", Help: "Polls with nothing to show, by the gate that stopped the best candidate.",
	}, []string{"reason"})
	actions := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "popupd_actions_total", Help: "Reported actions by kind and result.",
	}, []string{"action", "result"})
	events := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "popupd_events_total", Help: "Reported events of the site by result.",
	}, []string{"result"})
	errors := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "popupd_http_errors_total", Help: "Error answers of the data plane by problem code.",
	}, []string{"code"})
	identity := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "popupd_identity_total", Help: "Polls and events by what their sig is worth, with -identity monitor or enforce.",
	}, []string{"signature"})
	limited := prometheus.NewCounter(prometheus.CounterOpts{
		Name: "popupd_new_ids_limited_total", Help: "Polls answered with nothing because their client brings too many new user ids.",
	})
	retries := prometheus.NewCounter(prometheus.CounterOpts{
		Name: "popupd_accept_retries_total", Help: "Times the listener waited because the system was out of descriptors or buffers.",
	})
	wait := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "popupd_queue_wait_seconds", Help: "How long a request, one in 10 ms, waited until it was read; 0: none came.",
	})
	open := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "popupd_connections", Help: "Open connections of the data plane.",
	}, connections)
	limit := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "popupd_connections_max", Help: "Connections of the data plane above which more are rejected.",
	})
	limit.Set(float64(maxConnections()))
	for _, c := range []prometheus.Collector{poll, decisions, rejections, actions, events, errors, identity, limited, retries, wait, open, limit} {
		if r == nil {
			break
		}
		if err := r.Register(c); err != nil {
			return nil, fmt.Errorf("register metrics: %w", err)
		}
	}

	m.pollSeconds, m.limited, m.acceptRetries, m.wait = poll, limited, retries, wait
	for o, name := range outcomeNames {
		m.decisions[o] = decisions.WithLabelValues(name)
	}
	for r := popup.Eligible + 1; r < popup.NumReasons; r++ {
		m.rejections[r] = rejections.WithLabelValues(r.String())
	}
	// With no popup at all there is no gate that stopped one.
	m.rejections[popup.Eligible] = m.rejections[popup.NotActive]
	for _, a := range []popup.Action{0, popup.Click, popup.Dismiss, popup.Convert, popup.View, popup.Release} {
		for result, name := range actionResultNames {
			m.actions[a][result] = actions.WithLabelValues(a.String(), name)
		}
	}
	for result, name := range eventResultNames {
		m.events[result] = events.WithLabelValues(name)
	}
	for p := noProblem + 1; p < numProblems; p++ {
		m.errors[p] = errors.WithLabelValues(p.code())
	}
	for s, name := range signatureNames {
		m.identity[s] = identity.WithLabelValues(name)
	}
	return m, nil
}
