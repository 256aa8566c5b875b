//go:build !linux

package netsock

import (
	"net"
	"testing"
)

func listenNow(t testing.TB) net.Listener { return listenPortable(t) }
