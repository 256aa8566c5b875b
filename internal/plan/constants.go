package plan

// What was measured, each on a core of an AMD EPYC virtual machine. docs/capacity.md has the same in a
// table, with where it comes from; a test holds the two equal.
const (
	pollNothingUS = 10.8 // of CPU
	pollServedUS  = 15.1
	actionUS      = 17.6
	wakeFactor    = 1.31 // at a steady rate popupd sleeps and wakes between requests
	busyShare     = 0.6  // of a server's cores, at the peak

	baseBytes       = 256 << 20 // of a process
	connectionBytes = 18_000
	entryBytes      = 36
	memoryShare     = 0.8 // of a server's memory; the kernel has the rest
	hashSkew        = 1.1 // the fullest of the servers that users are hashed to
	heldBytes       = 28  // of a user, with -state-scope hashed
	heldSec         = 1800
	pollSec         = 60

	journalBytes   = 93 // of an event, and its user id
	journalKeepSec = 1200
	redisBytes     = 128 << 20 // of each server

	flushUS          = 70.0 // of MySQL's CPU, an event
	flushPerSec      = 40_000
	deletePerSec     = 60_000
	walkPerSec       = 40_000
	connectionsMySQL = 18 // of each server

	eventRow          = 87
	impressionRow     = 94
	userPopupRow      = 144
	experimentUserRow = 129
	statsRow          = 148
	whyNotRow         = 100
	impressionDays    = 9
	whyNotDays        = 90
	whyNotReasons     = 2.5

	startRowUS   = 0.3
	startEntryUS = 1.2
	dumpEntryUS  = 0.6
	dumpEventUS  = 10.0
)

// constant is a row of the table in docs/capacity.md.
type constant struct {
	value   float64
	meaning string
	source  string // file of bench/results, or else where it is from; empty: a choice
	seen    string // what the file says
}

// constants are all that formulas use.
func constants() []constant {
	return []constant{
		{pollNothingUS, "us of CPU for a poll with nothing to show, at full load over kept connections", "wrk.md", "| popupd | 92110 | 0.54 | 4.14 | 10.8 |"},
		{pollServedUS, "us of CPU for a poll that is served", "wrk.md", "| popupd | 75039 | 0.73 | 6.55 | 15.1 |"},
		{actionUS, "us of CPU for an action", "wrk.md", "| popupd | 62286 | 0.93 | 5.00 | 17.6 |"},
		{wakeFactor, "times as much at a steady rate, where popupd sleeps and wakes between requests: 14.8 us of the mix at 50,000/s, 11.3 at full load", "envelope.md", "| CPU of popupd | 74.1 % of one core |"},
		{busyShare, "share of a server's cores that the peak may take", "", ""},
		{baseBytes >> 20, "MiB of a process, beside what follows", "envelope.md", "| memory of popupd | 98 MB |"},
		{connectionBytes, "bytes of a connection", "connections.md", "18,089"},
		{entryBytes, "bytes of an entry of the users' state, with room to grow", "runtime.md", "| 40.3 | 30.6 |"},
		{memoryShare, "share of a server's memory for popupd", "", ""},
		{hashSkew, "times the average that the fullest of the servers holds", "", ""},
		{heldBytes, "bytes of a user who is held, with `-state-scope hashed`", "as built", ""},
		{heldSec, "seconds that such a user is held after the last poll", "as built", ""},
		{pollSec, "seconds from one poll of a user to the next", "as built", ""},
		{journalBytes, "bytes of an event in the journal, without its user id", "as built", ""},
		{journalKeepSec, "seconds of events that the journal has room for at least: it keeps ten minutes while it is half full", "", ""},
		{redisBytes >> 20, "MiB of Redis for each server", "envelope.md", "| most memory of Redis | 3.8 MB |"},
		{flushUS, "us of MySQL's CPU for an event with a long history, on a busy machine; 52 on an idle one, 14 there with an empty table", "growth.md", "70 us an event"},
		{flushPerSec, "events a second that one server flushes at most", "README.md", "40,386"},
		{deletePerSec, "rows of `event` a second that one server deletes", "growth.md", "60,000 events/s"},
		{walkPerSec, "rows of `impression` a second that one server looks at to delete the old ones", "growth.md", "45,000 to 80,000 rows a second"},
		{connectionsMySQL, "connections of each server to MySQL: 16 of the pool, one to flush, one to restore", "as built", ""},
		{eventRow, "bytes of a row of `event` with a user id of 16 bytes", "growth.md", "87 bytes of a row of `event`"},
		{impressionRow, "bytes of a row of `impression`, also with such an id", "growth.md", "94 of one of `impression`"},
		{userPopupRow, "bytes of a row of `user_popup`", "growth.md", "| `user_popup` | 7500000 | 0.71 | 94 | 144 |"},
		{experimentUserRow, "bytes of a row of `experiment_user`", "growth.md", "| `experiment_user` | 3750000 | 0.32 | 84 | 129 |"},
		{statsRow, "bytes of a row of `popup_stats`", "growth.md", "| `popup_stats` | 480000 | 0.07 | 148 |"},
		{whyNotRow, "bytes of a row of `popup_why_not`", "reckoned", ""},
		{impressionDays, "days that a row of `impression` stays: eight, and one until the next walk", "as built", ""},
		{whyNotDays, "days that a row of `popup_why_not` stays", "as built", ""},
		{whyNotReasons, "reasons an hour that a popup is not shown for", "", ""},
		{startRowUS, "us of a start without a dump for a row of `user_popup` that MySQL has in memory", "start.md", "0.2 to 0.3"},
		{startEntryUS, "us more for one that matters", "start.md", "1.2"},
		{dumpEntryUS, "us of a start with a dump for an entry", "start.md", "0.6"},
		{dumpEventUS, "us more for an event of other servers since the dump", "start.md", "8 to 10"},
	}
}
