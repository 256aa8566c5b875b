package e2e

import (
	"os"
	"path/filepath"
	"time"
)

// smallDisk has the data on a disk of its own that can be filled, and a journal of
// small segments, so that the load comes to the end of one in seconds.
var smallDisk = &stage{name: "small disk", prepare: func(w *world) {
	w.data = filepath.Join(mount(w.t, "tmpfs", "size=32m"), "data")
	w.flags = append(w.flags, "-journal-max", "1MiB")
}}

// plainJournal has the data where no room can be reserved: each frame is a write.
var plainJournal = &stage{name: "plain journal", prepare: func(w *world) {
	w.data = filepath.Join(mount(w.t, "ramfs", ""), "data")
}}

// injected is a fault of system calls, for a while or until a kill.
func injected(name string, on *stage, bites string, calls ...string) []fault {
	return []fault{
		{
			name: name, stage: on, answers: orRefused, bites: bites,
			run: func(w *world) {
				w.note("inject %q", calls)
				heal := inject(w.t, w.server, calls...)
				w.pause(500*time.Millisecond, 4*time.Second)
				heal()
				w.untilRecording()
			},
		},
		{
			name: name + ", and a kill", stage: on, answers: orNone,
			run: func(w *world) {
				w.note("inject %q", calls)
				heal := inject(w.t, w.server, calls...)
				w.pause(100*time.Millisecond, 2*time.Second)
				w.note("kill popupd")
				w.server.Kill()
				heal()
				w.server.again()
				w.untilRecording()
			},
		},
	}
}

// untilRecording waits until the journal takes events again.
func (w *world) untilRecording() {
	w.t.Helper()
	w.server.shows(w.history, w.load.name+"-recording", 20*time.Second)
}

// Faults of the disk and of what is on it.
var diskFaults = append([]fault{
	{
		name: "disk full", stage: smallDisk, answers: orRefused, bites: `journal refuses events`,
		run: func(w *world) {
			w.note("fill the disk")
			full := ballast(w.t, filepath.Dir(w.data))
			w.pause(3*time.Second, 7*time.Second)
			w.note("free it")
			if err := os.Remove(full); err != nil {
				w.t.Fatal(err)
			}
			w.untilRecording()
		},
	},
	{
		name: "disk full, and a kill", stage: smallDisk, answers: orNone, bites: `journal refuses events`,
		run: func(w *world) {
			w.note("fill the disk")
			full := ballast(w.t, filepath.Dir(w.data))
			w.pause(time.Second, 5*time.Second)
			w.note("kill popupd")
			w.server.Kill()
			w.server.again()
			w.pause(0, time.Second)
			w.note("free it")
			if err := os.Remove(full); err != nil {
				w.t.Fatal(err)
			}
			w.untilRecording()
		},
	},
	{
		name: "start while mariadb is down", answers: orNone, long: true, bites: `serving from the data directory`,
		run: func(w *world) {
			w.note("stop popupd, kill mariadb")
			w.server.stop()
			w.mysql.Kill()
			w.server.again()
			w.pause(500*time.Millisecond, 3*time.Second)
			w.mysql.Restart(w.t)
		},
	},
	{
		name: "start on a damaged dump, mariadb down", answers: orNone, long: true, bites: `the dump is damaged`,
		run: func(w *world) {
			w.note("stop popupd twice, damage its last dump")
			w.server.stop()
			w.server.again()
			w.pause(100*time.Millisecond, time.Second)
			w.server.stop()
			damage(w, filepath.Join(w.data, "state"))
			w.mysql.Kill()
			w.server.again()
			w.pause(500*time.Millisecond, 2*time.Second)
			w.mysql.Restart(w.t)
		},
	},
	{
		name: "mariadb restored to the past", alone: true, long: true, bites: `sending the stream again`, within: time.Minute,
		run: func(w *world) {
			w.note("back mariadb up")
			restore := backUp(w.t, w.mysql)
			w.pause(4*time.Second, 8*time.Second) // counting goes on after some seconds
			w.note("restore it")
			restore()
			w.pause(time.Second, 2*time.Second)
		},
	},
},
	append(append(injected("allocation fails", smallDisk, "", "fallocate:error=EIO"),
		injected("sync fails", plain, `journal ends its stream`, "fdatasync:error=EIO")...),
		append(injected("write fails", plainJournal, `journal ends its stream`, "pwrite64:error=EIO"),
			injected("write is short", plainJournal, `journal ends its stream`, "pwrite64:retval=7")...)...)...)

// damage changes a byte of a file, at a place that it takes from w.rand.
func damage(w *world, path string) {
	w.t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		w.t.Fatal(err)
	}
	at := w.rand.IntN(len(b))
	w.note("byte %d of %d", at, len(b))
	b[at] ^= 0x10
	if err := os.WriteFile(path, b, 0o600); err != nil {
		w.t.Fatal(err)
	}
}
