//go:build linux

package main

import (
	"fmt"
	"strings"
)

// findings says in words what the rows show, with their figures; what a row was
// too short to show is not said.
func findings(results []result) (lines []string) {
	base, ok := find(results, clientFirst, defaults)
	if !ok {
		return []string{"The row of the defaults, with which the others are compared, was not run."}
	}
	lines = append(lines, fmt.Sprintf("**TIME_WAIT stays for 60 s with the side that closes first, and limits only who opens connections.** A client that closes"+
		" first has %s ports, so at best %s requests/s to one address, a sixtieth; it got %s over a minute, after %s in the first second.",
		count(base.ports), count(float64(base.ports)/minute), count(base.sustained()), count(base.first().PerSecond)))
	if base.slowed() {
		text := fmt.Sprintf("**It is slow long before it fails.** connect() takes every second port first. Once those are in TIME_WAIT it tries all of them, each"+
			" time, before it finds one of the others: the client's CPU a request went from %s to %s us", count(base.first().CPU), count(base.later().CPU))
		if len(base.Errors) > 0 {
			text += fmt.Sprintf(". Only when the others were taken too came errors (%s)", base.errors())
		}
		lines = append(lines, text+".")
	}
	lines = append(lines, clientFindings(results, base)...)
	lines = append(lines, serverFindings(results, base)...)
	lines = append(lines, doctorFindings(results, base)...)
	if r, ok := find(results, nobody, defaults); ok {
		lines = append(lines, keepAliveFinding(results, r, base))
	}
	return lines
}

// gain is what a row gets out of a minute, and what of that is its merit.
func gain(r, base result) string {
	return fmt.Sprintf("%s requests/s, %.1f times the defaults", count(r.sustained()), r.sustained()/base.sustained())
}

// clientFindings is about the rows where the client closes first.
func clientFindings(results []result, base result) (lines []string) {
	say := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)+".") }
	if r, ok := find(results, clientFirst, clientPorts); ok {
		text := ""
		if r.slowed() {
			text = fmt.Sprintf(". There are %.1f times as many ports, but past half of them the search takes %s us of CPU a connection", float64(r.ports)/float64(base.ports), count(r.later().CPU))
		}
		say("ip_local_port_range on the client: %s%s", gain(r, base), text)
	}
	if r, ok := find(results, clientFirst, clientReuse); ok {
		say("**tcp_tw_reuse=1 on the client: %s.** A connection takes a port whose TIME_WAIT is older than a second (tcp_tw_reuse_delay; TCP's time stamps make"+
			" that safe, RFC 6191), %s times here. The half of the ports that is found at once allows %s a second", gain(r, base), count(r.Counters.Reused), count(r.ports/2))
	}
	if r, ok := find(results, clientFirst, together); ok {
		say("**Both on the client: %s**; the half that is found at once allows %s a second. That is for clients, proxies and load generators which cannot keep"+
			" their connections", gain(r, base), count(r.ports/2))
	}
	if r, ok := find(results, clientFirst, serverReuse); ok {
		say("tcp_tw_reuse=1 on the server: %s. It is about connections that a host opens, not about those it accepts: here it does nothing", gain(r, base))
	}
	if r, ok := find(results, clientFirst, clientBuckets); ok {
		say("tcp_max_tw_buckets=1000 on the client: %s, because %s connections were closed without TIME_WAIT. That is without its protection, too: a late segment"+
			" of an old connection can be taken for one of a new one, and a server whose last FIN was lost gets a reset. It bounds memory under attack; it is no"+
			" way to get ports", gain(r, base), count(r.Counters.Overflow))
	}
	if r, ok := find(results, clientFirst, bothFin); ok {
		text := ""
		if len(r.Seconds) >= 10+recent {
			text = fmt.Sprintf("; %s in the last three of %d seconds, when thousands of connections had been closed for more than 10 s", count(r.last().PerSecond), len(r.Seconds))
		}
		say("tcp_fin_timeout=10, the myth: %s%s. It is about FIN-WAIT-2. No setting shortens TIME_WAIT", gain(r, base), text)
	}
	return lines
}

// serverFindings is about the rows where the server closes first. Their rates are
// compared with their own first second, which the machine's noise spoils least.
func serverFindings(results []result, client result) (lines []string) {
	base, ok := find(results, serverFirst, defaults)
	if !ok {
		return nil
	}
	kept := func(r result) float64 { return r.later().PerSecond / max(1, r.first().PerSecond) }
	low, high := kept(base), kept(base)
	for _, r := range results {
		if r.Closes == serverFirst && r.failure == "" {
			low, high = min(low, kept(r)), max(high, kept(r))
		}
	}
	text := fmt.Sprintf("**On the server TIME_WAIT takes memory, not connections: it needs no setting.** With the server closing first no row falls as TIME_WAIT"+
		" sockets gather: whatever is set, the last seconds have %.2f to %.2f times the requests of the first (%.2f with the client closing first). The client's port"+
		" is free at once, and the server gives its TIME_WAIT up to a SYN from there. There is at most one for each port of each client: %s at defaults",
		low, high, kept(client), count(base.server.TimeWait))
	if r, ok := find(results, serverFirst, clientPorts); ok {
		text += fmt.Sprintf(", %s with the client's wider port range", count(r.server.TimeWait))
	}
	if r, ok := find(results, serverFirst, serverBuckets); ok {
		text += fmt.Sprintf(", %s with tcp_max_tw_buckets=1000 on the server, which closed %s connections without", count(r.server.TimeWait), count(r.server.Overflow))
	}
	return append(lines, text+".")
}

// doctorFindings is about the rows with what popupd doctor says, or a file.
func doctorFindings(results []result, base result) (lines []string) {
	for _, r := range results {
		if r.Doctor == "" || r.failure != "" {
			continue
		}
		text := fmt.Sprintf("What `popupd doctor -sysctl` prints on the %s", r.Doctor)
		if r.File != "" {
			text = fmt.Sprintf("`%s` on the %s", r.File, r.Doctor)
		}
		if text += ": nothing to set"; len(r.applied) > 0 {
			text = strings.TrimSuffix(text, "nothing to set") + "`" + strings.Join(r.applied, "`, `") + "`"
		}
		if len(r.skipped) > 0 {
			text += fmt.Sprintf(" (left out, the namespace has none of its own: `%s`)", strings.Join(r.skipped, "`, `"))
		}
		compared, ok := base, true
		if r.Closes != clientFirst {
			compared, ok = find(results, r.Closes, defaults)
		}
		if ok {
			text += fmt.Sprintf(". With the %s closing first: %s", r.Closes, gain(r, compared))
		}
		lines = append(lines, text+".")
	}
	return lines
}

func keepAliveFinding(results []result, r, base result) string {
	text := fmt.Sprintf("**Keep-alive, with nothing set: %s**", gain(r, base))
	var best result
	for _, other := range results {
		if other.failure == "" && other.Closes != nobody && (best.Name == "" || other.sustained() > best.sustained()) {
			best = other
		}
	}
	if r.sustained() > best.sustained() {
		text = fmt.Sprintf("**Keep-alive beats them all, with nothing set: %s**", gain(r, base))
	}
	return fmt.Sprintf("%s, %.1f times the best row with a connection per request (%s), at %.0f against %.0f us of popupd's CPU a request.",
		text, r.sustained()/best.sustained(), best, r.serverCPU(), best.serverCPU())
}
