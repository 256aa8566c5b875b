package testbed

import (
	"fmt"
	"net"
)

// StoreOptions of a private database, Redis or nginx.
type StoreOptions struct {
	Dir   string   // of its files, made if it is not there; "" is a fresh one of the testbed
	Cores string   // as of a Program
	Args  []string // further arguments, for example "--wait-timeout=5"
}

// freeAddr returns a loopback address nobody listens on.
func freeAddr() (addr string, port int, err error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", 0, fmt.Errorf("find a free port: %w", err)
	}
	defer ln.Close()
	return ln.Addr().String(), ln.Addr().(*net.TCPAddr).Port, nil
}

// startOnFreePort starts what describe says. A port found free may be taken by
// the time the program binds it, so it tries a few.
func (b *Testbed) startOnFreePort(describe func(addr string, port int) Program) (p *Process, addr string, err error) {
	for range 3 {
		var port int
		if addr, port, err = freeAddr(); err != nil {
			return nil, "", err
		}
		if p, err = b.Start(describe(addr, port)); err == nil || b.ctx.Err() != nil {
			return p, addr, err
		}
	}
	return nil, "", err
}
