//go:build linux

package main

import (
	"fmt"
	"strings"
	"time"
)

// row is one measurement: who closes first, and what was set where.
type row struct {
	Closes         string
	Name           string // of the settings
	Client, Server []setting
	// Doctor is the side, client or server, that gets what `popupd doctor
	// -sysctl` prints there or, if there is one, a File.
	Doctor   string
	File     string
	Duration time.Duration
}

const (
	// full is long enough to use up the half of 28,232 ports that connect
	// finds quickly.
	full = 10 * time.Second
	// short is for rows that ports do not limit.
	short = 7 * time.Second
	// lasting is beyond the minute after which the first ports are free again.
	lasting = 66 * time.Second
	// late is beyond the 10 s of tcp_fin_timeout, had it to do with TIME_WAIT.
	late = 16 * time.Second
)

var (
	ports   = setting{"net.ipv4.ip_local_port_range", "1024 65000"}
	reuse   = setting{"net.ipv4.tcp_tw_reuse", "1"}
	buckets = setting{"net.ipv4.tcp_max_tw_buckets", "1000"}
	fin     = setting{"net.ipv4.tcp_fin_timeout", "10"}
)

// Names of settings, by which the report finds their rows.
const (
	defaults      = "kernel defaults"
	clientPorts   = "client: ip_local_port_range=1024 65000"
	clientReuse   = "client: tcp_tw_reuse=1"
	serverReuse   = "server: tcp_tw_reuse=1"
	clientBuckets = "client: tcp_max_tw_buckets=1000"
	serverBuckets = "server: tcp_max_tw_buckets=1000"
	bothFin       = "both: tcp_fin_timeout=10"
	together      = "client: ip_local_port_range=1024 65000, tcp_tw_reuse=1"
	clientDoctor  = "client: what popupd doctor says" // or the name of the file
	serverDoctor  = "server: what popupd doctor says"
)

// rows are those of the lab, each in new namespaces. file is the sysctl.d file
// to use instead of popupd doctor's, "" is none.
func rows(file string) []row {
	all := []row{
		{Closes: clientFirst, Name: defaults, Duration: lasting},
		{Closes: clientFirst, Name: clientPorts, Client: []setting{ports}, Duration: full},
		{Closes: clientFirst, Name: clientReuse, Client: []setting{reuse}, Duration: full},
		{Closes: clientFirst, Name: serverReuse, Server: []setting{reuse}, Duration: full},
		{Closes: clientFirst, Name: clientBuckets, Client: []setting{buckets}, Duration: full},
		{Closes: clientFirst, Name: bothFin, Client: []setting{fin}, Server: []setting{fin}, Duration: late},
		{Closes: clientFirst, Name: together, Client: []setting{ports, reuse}, Duration: full},
		{Closes: clientFirst, Name: clientDoctor, Doctor: clientFirst, Duration: full},
		{Closes: serverFirst, Name: defaults, Duration: short},
		{Closes: serverFirst, Name: clientPorts, Client: []setting{ports}, Duration: short},
		{Closes: serverFirst, Name: clientReuse, Client: []setting{reuse}, Duration: short},
		{Closes: serverFirst, Name: serverReuse, Server: []setting{reuse}, Duration: short},
		{Closes: serverFirst, Name: serverBuckets, Server: []setting{buckets}, Duration: short},
		{Closes: serverFirst, Name: bothFin, Client: []setting{fin}, Server: []setting{fin}, Duration: short},
		{Closes: serverFirst, Name: serverDoctor, Doctor: serverFirst, Duration: short},
		{Closes: nobody, Name: defaults, Duration: short},
	}
	for n := range all {
		if r := &all[n]; r.Doctor != "" && file != "" {
			r.File, r.Name = file, r.Doctor+": "+file
		}
	}
	return all
}

func (r row) String() string {
	if r.Closes == nobody {
		return "keep-alive, " + r.Name
	}
	return fmt.Sprintf("%s closes first, %s", r.Closes, r.Name)
}

// label is the row in a chart, where there is little room.
func (r row) label() string {
	return strings.NewReplacer(" closes first,", " closes;", "kernel ", "", "ip_local_port_range=1024 65000, tcp_tw_reuse=1", "port range and tw_reuse",
		"ip_local_port_range=1024 65000", "port range", "tcp_", "", "what popupd doctor says", "popupd doctor").Replace(r.String())
}
