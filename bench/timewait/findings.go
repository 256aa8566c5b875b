package main

import (
	"fmt"
	"strings"
)

// findings says in words what the rows show, with their figures: nothing of
// rows that were not run.
func findings(results []result) (lines []string) {
	say := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	base, ok := find(results, clientFirst, defaults)
	if !ok {
		return append(lines, "The row of the defaults, with which the others are compared, was not run.")
	}
	perMinute := func(r result) string { return count(r.sustained()) + "/s" }

	say("**TIME_WAIT stays for 60 s with the side that closes first, and limits only who opens connections.** A client that closes first has %s ports, so"+
		" %d/60 = %d requests/s to one address at best; it got %s, after a first second of %s.",
		count(base.ports), base.ports, base.ports/minute, perMinute(base), count(base.first().PerSecond))
	say("**It is slow long before it fails.** connect() takes every second port first. Once those are in TIME_WAIT it tries all of them, each time, before"+
		" it finds one of the others: the client's CPU a request went from %s to %s us. Errors (%s) came when the others were taken too.",
		count(base.first().CPU), count(base.later().CPU), base.errors())
	if r, ok := find(results, clientFirst, clientPorts); ok {
		say("ip_local_port_range on the client: %s, %s as many as at defaults, though there are %.1f times as many ports: past half of them the search costs"+
			" %s us a connection. It moves the wall and makes it thicker.", perMinute(r), ratio(r, base), float64(r.ports)/float64(base.ports), count(r.later().CPU))
	}
	if r, ok := find(results, clientFirst, clientReuse); ok {
		say("tcp_tw_reuse=1 on the client: %s, %s as many. A connection takes a port whose TIME_WAIT is older than a second (tcp_tw_reuse_delay; TCP's time stamps"+
			" make that safe, RFC 6191), %s times here. The quick half of the ports allows %s of that a second.",
			perMinute(r), ratio(r, base), count(r.Counters.Reused), count(r.ports/2))
	}
	if r, ok := find(results, clientFirst, together); ok {
		say("Both on the client: %s, %s as many; %s a second before the quick half runs out. This is what helps clients, proxies and load generators"+
			" that cannot keep connections.", perMinute(r), ratio(r, base), count(r.ports/2))
	}
	if r, ok := find(results, clientFirst, serverReuse); ok {
		say("tcp_tw_reuse=1 on the server: %s, %s as many: nothing. It is about connections that a host opens, not those it accepts.", perMinute(r), ratio(r, base))
	}
	if r, ok := find(results, clientFirst, clientBuckets); ok {
		say("tcp_max_tw_buckets=1000 on the client: %s, %s as many, because %s connections were closed without TIME_WAIT. That takes away what TIME_WAIT is for:"+
			" a late segment of an old connection can be taken for one of the new, and a server whose last FIN was lost gets a reset. It is a limit of memory"+
			" for when there is an attack, not a way to get ports.", perMinute(r), ratio(r, base), count(r.Counters.Overflow))
	}
	if r, ok := find(results, clientFirst, bothFin); ok {
		say("tcp_fin_timeout=10, the myth: %s, %s as many, and %s requests/s in the last three of %d seconds, when the first connections were closed for longer"+
			" than 10 s. It is about FIN-WAIT-2; no setting shortens TIME_WAIT.", perMinute(r), ratio(r, base), count(r.last().PerSecond), len(r.Seconds))
	}
	lines = append(lines, serverFindings(results)...)
	lines = append(lines, doctorFindings(results, base)...)
	if r, ok := find(results, nobody, defaults); ok {
		best := result{}
		for _, other := range results {
			if other.failure == "" && other.Closes != nobody && (best.Name == "" || other.sustained() > best.sustained()) {
				best = other
			}
		}
		say("**Keep-alive beats them all**: %s, %s the defaults and %s the best row with a connection per request (%s), with %s TIME_WAIT sockets and nothing set.",
			perMinute(r), ratio(r, base), ratio(r, best), best, count(r.Counters.TimeWait+r.server.TimeWait))
	}
	return lines
}

func ratio(a, b result) string { return fmt.Sprintf("%.1f times", a.sustained()/b.sustained()) }

// serverFindings is about the rows where the server closes first.
func serverFindings(results []result) (lines []string) {
	base, ok := find(results, serverFirst, defaults)
	if !ok {
		return nil
	}
	low, high := base.sustained(), base.sustained()
	for _, r := range results {
		if r.Closes == serverFirst && r.failure == "" {
			low, high = min(low, r.sustained()), max(high, r.sustained())
		}
	}
	text := fmt.Sprintf("**On the server TIME_WAIT costs memory, not connections.** With the server closing first every row is between %s and %s requests/s, which"+
		" is the noise of the machine: the client's port is free at once, and the server gives up a TIME_WAIT to a SYN from the same port. There is at most one"+
		" for each port of each client: %s at defaults", count(low), count(high), count(base.server.TimeWait))
	if r, ok := find(results, serverFirst, clientPorts); ok {
		text += fmt.Sprintf(", %s with the client's wider port range", count(r.server.TimeWait))
	}
	if r, ok := find(results, serverFirst, serverBuckets); ok {
		text += fmt.Sprintf(", %s with tcp_max_tw_buckets=1000 on the server, which closed %s connections without", count(r.server.TimeWait), count(r.server.Overflow))
	}
	return append(lines, text+". The server needs no setting.")
}

// doctorFindings is about the rows with what popupd doctor says.
func doctorFindings(results []result, base result) (lines []string) {
	for _, r := range results {
		if r.Doctor == "" || r.failure != "" {
			continue
		}
		applied := "nothing"
		if len(r.applied) > 0 {
			applied = "`" + strings.Join(r.applied, "`, `") + "`"
		}
		text := fmt.Sprintf("%s, `popupd doctor -sysctl` run there: sets %s", r.row, applied)
		if len(r.skipped) > 0 {
			text += fmt.Sprintf("; not tried here, because a namespace has none of its own: `%s`", strings.Join(r.skipped, "`, `"))
		}
		compared := base
		if r.Closes != clientFirst {
			compared, _ = find(results, r.Closes, defaults)
		}
		if compared.Name != "" {
			text += fmt.Sprintf(". %s requests/s, %s as many as at defaults", count(r.sustained()), ratio(r, compared))
		}
		lines = append(lines, text+".")
	}
	return lines
}
