//go:build linux

package e2e

import (
	"os"
	"path/filepath"
	"time"
)

// smallDisk has the data on a disk of its own that can be filled, and a journal of
// small segments, so that the load comes to the end of one in seconds.
var smallJournalDisk = &layout{name: "small disk", prepare: func(sys *system) {
	sys.data = filepath.Join(mount(sys.t, "tmpfs", "size=32m"), "data")
	sys.flags = append(sys.flags, "-journal-max", "1MiB")
}}

// plainJournal has the data where no room can be reserved: each frame is a write.
var plainJournal = &layout{name: "plain journal", prepare: func(sys *system) {
	sys.data = filepath.Join(mount(sys.t, "ramfs", ""), "data")
}}

// injected is a fault of system calls, for a while or until a kill.
func injected(name string, on *layout, bites string, calls ...string) []fault {
	return []fault{
		{
			name: name, layout: on, answers: someRefused, evidence: bites,
			run: func(sys *system) {
				sys.note("inject %q", calls)
				heal := inject(sys.t, sys.server, calls...)
				sys.pause(500*time.Millisecond, 4*time.Second)
				heal()
				sys.waitRecording()
			},
		},
		{
			name: name + ", and a kill", layout: on, answers: someUnanswered,
			run: func(sys *system) {
				sys.note("inject %q", calls)
				heal := inject(sys.t, sys.server, calls...)
				sys.pause(100*time.Millisecond, 2*time.Second)
				sys.note("kill popupd")
				sys.server.Kill()
				heal()
				sys.server.restart()
				sys.waitRecording()
			},
		},
	}
}

// untilRecording waits until the journal takes events again.
func (sys *system) waitRecording() {
	sys.t.Helper()
	sys.server.waitShown(sys.history, sys.load.name+"-recording", 20*time.Second)
}

// Faults of the disk and of what is on it.
var diskFaults = append([]fault{
	{
		name: "disk full", layout: smallJournalDisk, answers: someRefused, evidence: `journal refuses events`,
		run: func(sys *system) {
			sys.note("fill the disk")
			full := ballast(sys.t, filepath.Dir(sys.data))
			sys.pause(3*time.Second, 7*time.Second)
			sys.note("free it")
			if err := os.Remove(full); err != nil {
				sys.t.Fatal(err)
			}
			sys.waitRecording()
		},
	},
	{
		name: "disk full, and a kill", layout: smallJournalDisk, answers: someUnanswered, evidence: `journal refuses events`,
		run: func(sys *system) {
			sys.note("fill the disk")
			full := ballast(sys.t, filepath.Dir(sys.data))
			sys.pause(time.Second, 5*time.Second)
			sys.note("kill popupd")
			sys.server.Kill()
			sys.server.restart()
			sys.pause(0, time.Second)
			sys.note("free it")
			if err := os.Remove(full); err != nil {
				sys.t.Fatal(err)
			}
			sys.waitRecording()
		},
	},
	{
		name: "start while mariadb is down", answers: someUnanswered, long: true, evidence: `serving from the data directory`,
		run: func(sys *system) {
			sys.note("stop popupd, kill mariadb")
			sys.server.stop()
			sys.mysql.Kill()
			sys.server.restart()
			sys.pause(500*time.Millisecond, 3*time.Second)
			sys.mysql.Restart(sys.t)
		},
	},
	{
		name: "start on a damaged dump, mariadb down", answers: someUnanswered, long: true, evidence: `the dump is damaged`,
		run: func(sys *system) {
			sys.note("stop popupd twice, damage its last dump")
			sys.server.stop()
			sys.server.restart()
			sys.pause(100*time.Millisecond, time.Second)
			sys.server.stop()
			damage(sys, filepath.Join(sys.data, "state"))
			sys.mysql.Kill()
			sys.server.restart()
			sys.pause(500*time.Millisecond, 2*time.Second)
			sys.mysql.Restart(sys.t)
		},
	},
	{
		name: "mariadb restored to the past", freshSystem: true, long: true, evidence: `sending the stream again`, within: time.Minute,
		run: func(sys *system) {
			sys.note("back mariadb up")
			restore := backUp(sys.t, sys.mysql)
			sys.pause(4*time.Second, 8*time.Second) // counting goes on after some seconds
			sys.note("restore it")
			restore()
			sys.pause(time.Second, 2*time.Second)
		},
	},
},
	append(append(injected("allocation fails", smallJournalDisk, "", "fallocate:error=EIO"),
		injected("sync fails", plainLayout, `journal ends its stream`, "fdatasync:error=EIO")...),
		append(injected("write fails", plainJournal, `journal ends its stream`, "pwrite64:error=EIO"),
			injected("write is short", plainJournal, `journal ends its stream`, "pwrite64:retval=7")...)...)...)

// damage changes a byte of a file, at a place that it takes from w.rand.
func damage(sys *system, path string) {
	sys.t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		sys.t.Fatal(err)
	}
	at := sys.rand.IntN(len(b))
	sys.note("byte %d of %d", at, len(b))
	b[at] ^= 0x10
	if err := os.WriteFile(path, b, 0o600); err != nil {
		sys.t.Fatal(err)
	}
}
