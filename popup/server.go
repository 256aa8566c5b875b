package popup

import "time"

// ServerState says whether a server gets polls.
type ServerState string

const (
	ServerStarting ServerState = "starting" // it restores its users' state
	ServerReady    ServerState = "ready"
	ServerDraining ServerState = "draining" // it was told to end
	ServerAway     ServerState = "away"     // nothing was heard of it for ServerAwayAfter
)

const (
	// ServerBeat is how often a server tells of itself.
	ServerBeat = 5 * time.Second
	// ServerAwayAfter is how long nothing may be heard of a server until it counts as away.
	ServerAwayAfter = 3 * ServerBeat
)

// Server is what a popupd tells of itself to all that share its database.
type Server struct {
	ID      string `json:"id"`      // 32 hex digits: of one data directory on one host
	Name    string `json:"name"`    // of the host
	Address string `json:"address"` // of the data plane
	Version string `json:"version"`

	State           ServerState `json:"state"`
	Revision        int64       `json:"revision"`       // of the popups in force there
	WaitingEvents   uint64      `json:"waiting_events"` // in its journal, not known to be in the database
	OldestEventMS   int64       `json:"oldest_event_ms"`
	JournalBytes    int64       `json:"journal_bytes"`
	JournalMaxBytes int64       `json:"journal_max_bytes"`

	UptimeMS  int64 `json:"uptime_ms"`
	SeenMSAgo int64 `json:"seen_ms_ago"` // by the clock of the database
}
