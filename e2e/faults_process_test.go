package e2e

import "time"

// Faults of the processes: popupd, Redis and MariaDB end, stand still, come
// twice, or answer with errors.
var processFaults = []fault{
	{
		name: "server killed", answers: orNone, bites: `journal adopts a stream`,
		run: func(w *world) {
			w.note("kill popupd")
			w.server.kill()
			w.pause(0, 200*time.Millisecond)
			w.server.again()
		},
	},
	{
		name: "redis killed, starts empty", bites: `shipping is interrupted|sending the stream again`,
		run: func(w *world) {
			w.note("kill redis")
			w.redis.Kill()
			w.pause(0, 500*time.Millisecond)
			w.redis.Restart(w.t)
		},
	},
	{
		name: "mariadb killed", bites: `counting is interrupted`,
		run: func(w *world) {
			w.note("kill mariadb")
			w.mysql.Kill()
			w.pause(0, 500*time.Millisecond)
			w.mysql.Restart(w.t)
		},
	},
}
