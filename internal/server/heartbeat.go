package server

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"time"

	"github.com/popupd/popupd/internal/cli"
	"github.com/popupd/popupd/internal/retry"
	"github.com/popupd/popupd/popup"
)

const (
	beatTimeout   = 2 * time.Second
	removeTimeout = time.Second
)

// serverID names a server among those that share a database. It stays the same over
// restarts, and two copies of a data directory on two hosts have two.
func serverID(stateKey [16]byte, host string) string {
	mac := hmac.New(sha256.New, stateKey[:])
	mac.Write([]byte("server " + host))
	return hex.EncodeToString(mac.Sum(nil)[:16])
}

// heartbeat tells the database of this server until ctx ends, and then that it is gone. Until
// the users' state is restored there may be no schema to tell, and what is wrong with the
// database is told by the restore.
//
// Two processes on one data directory are one server to the database. The one that ends leaves
// it to the other to tell.
func (s *server) heartbeat(ctx context.Context) error {
	outage := retry.Outage{
		Log: s.log, Begins: "the database can't be told of this server: the console's page System shows it as away", Ends: "the database is told of this server again",
	}
	told := false
	for {
		if !s.draining.Load() || !s.addresses.Others() {
			err := s.beat()
			if err == nil || s.users.Ready() {
				outage.Report(err)
			}
			told = told || err == nil
		}
		s.beaten.Store(int64(time.Since(s.started)))
		if retry.Wait(ctx, popup.ServerBeat, s.beatNow) != nil {
			break
		}
	}
	if others := s.addresses.Leave(); others || !told {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), removeTimeout)
	defer cancel()
	if err := s.db.RemoveServer(ctx, s.id); err != nil {
		s.log.Warn("the console's page System shows this server as away for a day", "err", err)
	}
	return nil
}

// beat does not end with the server: the database may do what a statement says after its
// context has ended, and so after the server was removed.
func (s *server) beat() error {
	ctx, cancel := context.WithTimeout(context.Background(), beatTimeout)
	defer cancel()
	return s.db.Beat(ctx, s.self(read(s.registry)))
}

// self is what this server tells of itself.
func (s *server) self(r readings) popup.Server {
	return popup.Server{
		ID: s.id, Name: s.host, Address: s.data.Addr().String(), Version: cli.Version(),
		State: s.state(), Revision: s.popups.Current().Revision,
		WaitingEvents: uint64(r.count("popupd_queue_depth_events")), OldestEventMS: s.shipper.Oldest().Milliseconds(),
		JournalBytes: r.count("popupd_journal_bytes"), JournalMaxBytes: s.config.JournalMax,
		UptimeMS: time.Since(s.started).Milliseconds(),
	}
}

func (s *server) state() popup.ServerState {
	switch {
	case s.draining.Load():
		return popup.ServerDraining
	case s.taking.Load():
		return popup.ServerReady
	}
	return popup.ServerStarting
}
