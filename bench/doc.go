// Package bench measures popupd: alone, and beside what teams have in its place.
//
// Each command answers one question and prints a table. All are run from the
// root of the repository, start what they need privately, and leave nothing
// behind. The committed answers are in bench/results, each with its machine,
// kernel, versions, command and date; what the targets print is from your machine.
//
//	make bench      has a decision become slower or faster? BenchmarkDecision, in
//	                process, against bench/results/bench.txt; RENEW=1 renews that file
//	make wrk        how near is popupd to servers that only answer (bare fasthttp,
//	                net/http, nginx), on one core, for each kind of request
//	make load       is 50,000 requests/s of the mix held, and with what latency,
//	                counted from when a request was due (open loop, ten seconds)
//	make envelope   the same for a minute beside MariaDB and Redis, every event
//	                counted, and one connection per request
//	make outage     what polls notice of MariaDB and Redis being down for a minute,
//	                and is every event counted when they are back
//	make start      how long a start takes with 50 million rows of users' state in
//	                MariaDB, with and without a dump
//	make changes    what a change of one popup among 10,000 costs two servers, and
//	                what polls notice of one a second
//	make console-bench
//	                how long the lists and statistics of the operators' console take with
//	                10,000 popups and 100 million events
//	make growth     what 100 million events in MariaDB cost: a flush, alone and while old
//	                events are deleted, what the control plane asks for, bytes of a row
//	make overload   what becomes of those who are answered, and of popupd, when ten
//	                times more is asked for than can be
//	make ladder     what each step from a common server to popupd brings: every request
//	                in MySQL, writes through Redis, configs in memory, popupd
//	make experiments
//	                how often what popupd says of experiments is wrong although someone
//	                looks every day, by simulation
//	make timewait   what connections that are not kept alive cost, and which
//	                setting of Linux helps whom; needs root
//	make microbench the benchmarks beside the code
//
// The pipeline of events, from the journal to MariaDB, is measured here too:
//
//	go test -run '^$' -bench Pipeline ./bench
//
// internal/testbed starts and stops the processes, plot draws, openloop generates the
// load of make load, results writes the pages; rivals is a module of its own, so that what it needs never
// enters popupd's go.mod.
package bench
