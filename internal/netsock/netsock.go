// Package netsock is the data plane's TCP listener and its connections, raw
// system calls where that pays.
//
// What belongs here knows sockets and nothing else: options of a listener,
// accepting, reading and writing, deadlines, kernel time stamps. What a request
// is, how long it may take and how many connections there may be is the
// handler's business.
package netsock
