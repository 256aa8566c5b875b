package live

import (
	"github.com/popupd/popupd/popup"
	"github.com/popupd/popupd/tuning"
)

// System is how a server and those beside it are. What is nil is not known now. Numbers
// that a metric has are those of /metrics, so that the page and an alert agree.
type System struct {
	AtMS     int64  `json:"at_ms"`    // ms since the epoch, UTC
	ServerID string `json:"server"`   // which of the servers tells this
	Revision int64  `json:"revision"` // of the popups in force here

	Journal  Journal  `json:"journal"`
	Redis    Redis    `json:"redis"`
	Database Database `json:"database"`
	Users    Users    `json:"users"`

	Servers []popup.Server `json:"servers"` // nil: the database does not say
}

// Journal is what this server has on its disk.
type Journal struct {
	Bytes         int64    `json:"bytes"`
	MaxBytes      int64    `json:"max_bytes"`
	WaitingEvents int64    `json:"waiting_events"` // that the database is not known to have
	OldestMS      int64    `json:"oldest_ms"`      // for how long the oldest of them has waited
	PerSecond     *float64 `json:"per_second"`     // events that were appended, lately
	Errors        int64    `json:"errors"`         // since this process began
}

// Redis is what carries events between servers.
type Redis struct {
	Embedded  bool     `json:"embedded"` // it is in this process
	Up        bool     `json:"up"`       // it takes writes
	Batches   *int64   `json:"batches"`  // in the lists of all servers
	UsedBytes *int64   `json:"used_bytes"`
	MaxBytes  *int64   `json:"max_bytes"`  // 0: no limit
	PerSecond *float64 `json:"per_second"` // events that this server has pushed, lately
}

// Database is where events end.
type Database struct {
	SQLite      bool     `json:"sqlite"`
	Up          bool     `json:"up"`           // it takes writes
	Flushes     bool     `json:"flush"`        // this server moves events there (-flush)
	PerSecond   *float64 `json:"per_second"`   // events that this server has committed, lately
	LagMS       *float64 `json:"lag_ms"`       // their age when they were committed, on average
	Dead        int64    `json:"dead_events"`  // that it refused, since this process began
	Errors      int64    `json:"errors"`       // of flushes, since this process began
	NewerSchema bool     `json:"newer_schema"` // so nothing is written
}

// Users is what this server remembers of users.
type Users struct {
	Entries  int64 `json:"entries"` // pairs of user and popup
	Bytes    int64 `json:"bytes"`
	MaxBytes int64 `json:"max_bytes"`
	Refused  int64 `json:"refused"` // states that found no room, since this process began
}

// Findings is what the host and the stores lack, as popupd doctor finds it.
type Findings struct {
	AtMS  int64  `json:"at_ms"`
	Error string `json:"error,omitempty"` // why there is no report
	tuning.Report
}
