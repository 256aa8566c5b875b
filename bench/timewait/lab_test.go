//go:build linux

package main

import (
	"os"
	"testing"
	"time"

	"github.com/popupd/popupd/internal/testbed"
)

// TestMeasure runs a second of each kind of row.
func TestMeasure(t *testing.T) {
	binary := popupd(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	r, err := testbed.New(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	few := setting{ports.Key, "40000 49999"} // a row takes as long as half of them last
	l := &lab{bed: r, binary: binary, self: self, concurrency: 8, advice: []setting{few, {"vm.swappiness", "1"}}}
	for _, row := range []row{
		{Closes: clientFirst, Name: clientPorts, Client: []setting{few}, Duration: time.Second},
		{Closes: clientFirst, Name: clientDoctor, Doctor: clientFirst, File: "given", Duration: time.Second},
		{Closes: serverFirst, Name: serverBuckets, Server: []setting{{buckets.Key, "5"}}, Duration: time.Second},
		{Closes: nobody, Name: defaults, Duration: time.Second},
	} {
		t.Run(row.String(), func(t *testing.T) {
			got, err := l.measure(t.Context(), row)
			if err != nil || got.failure != "" {
				t.Fatal(err, got.failure)
			}
			requests := got.total()
			if requests >= got.ports { // a fast machine may come to the last of the few
				delete(got.Errors, "EADDRNOTAVAIL")
			}
			if requests < 100 || len(got.Errors) > 0 || got.first().CPU == 0 {
				t.Errorf("%d requests, errors %v, %.1f us of CPU each", requests, got.Errors, got.first().CPU)
			}
			client, server := got.Counters.TimeWait+got.Counters.Reused, got.server.TimeWait
			switch {
			case row.Closes == clientFirst && (client < requests/2 || server > requests/10):
				t.Errorf("%d requests leave TIME_WAIT %d on the client, %d on the server", requests, client, server)
			case row.Closes == serverFirst && (client > 0 || server != 5 || got.server.Overflow < requests/2):
				t.Errorf("%d requests leave TIME_WAIT %d on the client, %d and %d not kept on the server", requests, client, server, got.server.Overflow)
			case row.Closes == nobody && client+server > requests/10:
				t.Errorf("keep-alive leaves TIME_WAIT %d on the client, %d on the server", client, server)
			case row.Doctor != "" && (got.ports != 10000 || len(got.applied) != 1 || len(got.skipped) != 1):
				t.Errorf("%d ports, applied %v, skipped %v", got.ports, got.applied, got.skipped)
			}
			if left := of(t, os.Getpid()); len(left) > 0 {
				t.Errorf("left %v", left)
			}
		})
	}
	bad := row{Closes: clientFirst, Client: []setting{{reuse.Key, "nonsense"}}, Duration: time.Second}
	if got, err := l.measure(t.Context(), bad); err != nil || got.failure == "" {
		t.Errorf("a setting that the kernel refuses: %+v, %v; want a row that is not run", got, err)
	}
}

// TestOutOfPorts has fewer ports than connections.
func TestOutOfPorts(t *testing.T) {
	binary := popupd(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	r, err := testbed.New(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	l := &lab{bed: r, binary: binary, self: self, concurrency: 8}
	got, err := l.measure(t.Context(), row{
		Closes: clientFirst, Client: []setting{{ports.Key, "40000 40099"}}, Duration: 2 * time.Second,
	})
	if err != nil || got.failure != "" {
		t.Fatal(err, got.failure)
	}
	if got.total() != 100 || got.ports != 100 || got.Errors["EADDRNOTAVAIL"] == 0 || len(got.Errors) != 1 {
		t.Errorf("%d requests out of %d ports, errors %v; want one a port and EADDRNOTAVAIL", got.total(), got.ports, got.Errors)
	}
	if rate := got.sustained(); rate != 100.0/60 {
		t.Errorf("%.2f requests/s over a minute, want %.2f", rate, 100.0/60)
	}
}
