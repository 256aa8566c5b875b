package server

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"time"

	"github.com/popupd/popupd/internal/retry"
	"github.com/popupd/popupd/internal/systemd"
	"github.com/popupd/popupd/popup"
)

// tell tells the service manager how this server is. That it cannot be told is logged: it
// would wait for that, and end the server at last.
func (s *server) tell(lines ...string) {
	if err := s.manager.Tell(lines...); err != nil {
		s.log.Warn("the service manager does not know how this server is", "err", err)
	}
}

// watchdog tells the service manager for as long as it is true that the server works, well
// within the time after which it would start it again. It ends when the server drains, from
// when on the manager waits for the end.
func (s *server) watchdog(ctx context.Context) error {
	within := s.manager.Watchdog()
	if within == 0 {
		return nil
	}
	outage := retry.Outage{
		Log: s.log, Begins: "this server does not work: the service manager is not told that it does, and will start it again", Ends: "this server works again",
	}
	v := vitals{server: s}
	for {
		pause := within / 2
		err := v.look(ctx, within/4)
		if ctx.Err() != nil || s.draining.Load() {
			return nil
		}
		outage.Report(err)
		if err == nil {
			s.tell(systemd.Alive)
		} else {
			pause = within / 8
		}
		if retry.Pause(ctx, pause) != nil {
			return nil
		}
	}
}

// vitals are what shows that a server works.
type vitals struct {
	server    *server
	decisions int64 // when last looked at
}

// beatsWithin is how old the latest heartbeat is at most, of which there is one in
// popup.ServerBeat, or somewhat later while the database does not answer.
const beatsWithin = 6 * popup.ServerBeat

// look returns what does not work. Polls that are answered are enough of the data plane:
// under overload a request of ours might wait for too long among theirs. Where mates share
// its address, one of them may answer.
func (v *vitals) look(ctx context.Context, patience time.Duration) error {
	s := v.server
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	decisions := read(s.registry).count("popupd_decisions_total")
	polled := decisions > v.decisions
	v.decisions = decisions
	if !polled && s.taking.Load() {
		if err := answers(ctx, s.data.Addr(), "/readyz"); err != nil {
			return fmt.Errorf("the data plane: %w", err)
		}
	}
	if err := answers(ctx, s.admin.Addr(), "/livez"); err != nil {
		return fmt.Errorf("the control plane: %w", err)
	}
	if age := time.Since(s.started) - time.Duration(s.beaten.Load()); age > beatsWithin {
		return fmt.Errorf("no heartbeat for %v", age.Round(time.Second))
	}
	return nil
}

// answers returns why a plane of this server does not answer, whatever it answers.
func answers(ctx context.Context, addr net.Addr, path string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://popupd"+path, nil)
	if err != nil {
		return err
	}
	transport := &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (conn net.Conn, err error) {
		for _, address := range reachable(addr.String()) {
			if conn, err = new(net.Dialer).DialContext(ctx, "tcp", address); err == nil {
				break
			}
		}
		return conn, err
	}}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return err
	}
	return resp.Body.Close()
}

// reachable returns the addresses of this host at which a listener may be reached. One on all
// addresses of IPv6 mostly listens on those of IPv4, too, and a host may have only these.
func reachable(address string) []string {
	a, err := netip.ParseAddrPort(address)
	if err != nil || !a.Addr().IsUnspecified() {
		return []string{address}
	}
	loopback := []string{netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), a.Port()).String()}
	if a.Addr().Is6() {
		loopback = append(loopback, netip.AddrPortFrom(netip.IPv6Loopback(), a.Port()).String())
	}
	return loopback
}
