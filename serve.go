package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/popupd/popupd/console"
	"github.com/popupd/popupd/console/api"
	"github.com/popupd/popupd/docs"
	"github.com/popupd/popupd/frequency"
	"github.com/popupd/popupd/handler"
	"github.com/popupd/popupd/internal/netsock"
	"github.com/popupd/popupd/persist"
	"github.com/popupd/popupd/popup"
	"github.com/popupd/popupd/queue"
	"github.com/popupd/popupd/queue/journal"
	"github.com/popupd/popupd/snapshot"
	"github.com/popupd/popupd/snapshot/follow"
	"github.com/popupd/popupd/tuning"
)

var errDraining = errors.New("shutting down")

// serve builds the server in the order of its flows, runs it until ctx ends
// and takes it down in reverse.
func serve(ctx context.Context, c config, stdout io.Writer, log *slog.Logger) error {
	host, _ := os.Hostname() // only a note in the database
	now := func() int64 { return time.Now().UnixMilli() }
	tuning.NewHost(os.DirFS("/")).LimitMemory(c.stateMax, log)
	if c.exposed != "" {
		log.Warn("secrets are in files that others can read or write: chmod 600, unless only this container sees them", "files", c.exposed)
	}
	if short := c.short(); len(short) > 0 {
		log.Warn("keys this short can be found by trying: make them with openssl rand -hex 32", "flags", strings.Join(short, ", "))
	}
	registry := prometheus.NewRegistry()

	// What can be wrong with the call is found before anything is served.
	dir, keys, err := openData(c)
	if err != nil {
		return err
	}
	db, err := persist.Open(persist.Config{
		DSN: c.mysql, SQLite: dir.Path("popupd.db"), Host: host, Retention: c.retention, Now: now, Log: log, Registerer: registry,
	})
	if err != nil {
		return fmt.Errorf("-mysql: %w; %w", err, errUsage)
	}
	defer db.Close()
	if c.mysql != "" && c.redis == "" {
		log.Warn("without -redis this must be the only server: others would not hear of what it serves")
	}
	redis, closeRedis, err := openRedis(c.redis, log)
	if err != nil {
		return err
	}
	defer closeRedis()
	data, err := netsock.Listen(ctx, c.listen)
	if err != nil {
		return err
	}
	defer data.Close()
	admin, err := net.Listen("tcp", c.adminListen)
	if err != nil {
		return err
	}
	defer admin.Close()

	// Events: journal -> shipper -> Redis -> consumer -> database.
	var users *state
	journal, err := journal.Open(journal.Config{
		Dir: dir.Path("journal"), MaxBytes: c.journalMax, Sync: c.journalSync,
		OnAdopt: func(ev *popup.Event) { users.merge(ev) },
		Now:     now, Log: log, Registerer: registry,
	})
	if err != nil {
		return err
	}
	defer journal.Release()
	shipper := queue.NewShipper(queue.ShipperConfig{
		Journal: journal, Redis: redis, Prefix: c.redisPrefix, Ledger: db, Log: log, Registerer: registry,
	})
	own := ownStreams(journal)
	consumer := queue.NewConsumer(queue.ConsumerConfig{
		Redis: redis, Prefix: c.redisPrefix, Ledger: db, Sink: db, Own: own, OnFlush: shipper.Acked, Log: log, Registerer: registry,
	})

	// Polls: snapshot and users' state -> handler.
	table := frequency.New(frequency.Config{Key: keys.state, MaxBytes: c.stateMax, MinGap: c.minGap, Registerer: registry})
	popups := snapshot.NewStore()
	users = &state{
		db: db, journal: journal, table: table, missed: make(chan struct{}, 1),
		archived: make(map[uint32]bool), resets: make(map[string]int64),
		dump: dir.Path("state"), demo: c.demo, now: now, log: log,
	}
	watcher := follow.New(popups, follow.Config{
		Source: db, Redis: redis, Prefix: c.redisPrefix, File: dir.Path("popups"), OnSwap: users.swapped,
		Now: now, Log: log, Registerer: registry,
	})
	users.watcher = watcher
	proxies, err := handler.ParseProxies(c.trustedProxies)
	if err != nil {
		return err
	}
	server, err := handler.New(handler.Config{
		Snapshots: popups, Users: table, Journal: journal, Secrets: keys.tokens, AllowOrigins: c.origins(),
		Identity: handler.Identity(c.identity), IdentitySecrets: keys.identity,
		NewIDsPerClient: c.newIDsPerClient, ActionsPerClient: c.actionsPerClient, TrustedProxies: proxies, ShedAfter: c.shedAfter,
		Ready: users.ready.Load, Now: now, Log: log, Registerer: registry,
	})
	if err != nil {
		return err
	}
	var draining atomic.Bool
	ready := func() error {
		if draining.Load() {
			return errDraining
		}
		return users.readiness()
	}
	rest, err := api.New(api.Config{
		Catalog: db, Trail: db, Statistics: db, Watcher: watcher, Users: knownUsers{table, server, users, now}, Snapshots: popups,
		Ready: ready, Now: now, Log: log,
	})
	if err != nil {
		return err
	}
	operators, err := console.New(console.Config{
		Routes: rest.Routes(), Token: keys.admin, Ready: ready, OpenAPI: docs.OpenAPI, Version: version(),
		Now: now, Log: log, Registerer: registry, Gatherer: registry,
	})
	if err != nil {
		return err
	}

	// Serve. Until the users' state is restored polls are answered 503.
	served := make(chan error, 2)
	go func() { served <- server.Serve(data) }()
	go func() { served <- operators.Serve(admin) }()
	log.Info("listening", "plane", "data", "address", data.Addr().String())
	log.Info("listening", "plane", "control", "address", admin.Addr().String())

	caughtUp, err := users.restore(ctx)
	switch {
	case ctx.Err() != nil: // told to end while still starting
		return nil
	case err != nil:
		return err
	}
	parts := newParts(log)
	defer parts.stop()
	parts.run("journal", journal.Run)
	parts.run("database", db.Run)
	parts.run("popups", watcher.Run)
	parts.run("users", users.run)
	parts.run("shipper", shipper.Run)
	if c.flush {
		parts.run("flusher", consumer.Run)
	}
	if !caughtUp {
		users.behind()
	}
	parts.run("catch up", users.catchUp)
	if c.redis != "" { // other servers tell what they serve
		parts.run("listen", func(ctx context.Context) error {
			return queue.Listen(ctx, queue.ListenConfig{
				Redis: redis, Prefix: c.redisPrefix, Own: func(id popup.StreamID) bool { return slices.Contains(own(), id) },
				OnEvent: users.merge, OnMissed: users.behind, Log: log,
			})
		})
	}
	if c.demo {
		greet(stdout, data.Addr().String(), admin.Addr().String(), keys.admin)
	}

	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}

	draining.Store(true)
	if errors.Is(context.Cause(ctx), errTerminated) {
		time.Sleep(c.drain) // load balancers notice
	}
	return stop(server, journal, shipper, parts, operators, log)
}

// knownUsers is what operators see and do of users.
type knownUsers struct {
	*frequency.Table
	server *handler.Server
	state  *state
	now    func() int64
}

func (k knownUsers) Reset(user []byte) error {
	at := k.now() // before anything that the user may be shown after it
	if err := k.server.Reset(user); err != nil {
		return err
	}
	k.state.forgot(&popup.Event{Action: popup.Reset, AtMS: at, User: user})
	return nil
}

// ownStreams returns the streams that this server ships.
func ownStreams(j *journal.Journal) func() []popup.StreamID {
	return func() []popup.StreamID {
		var ids []popup.StreamID
		for _, s := range j.Streams() {
			ids = append(ids, s.ID())
		}
		return ids
	}
}
