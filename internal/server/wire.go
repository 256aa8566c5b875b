package server

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/popupd/popupd/console"
	"github.com/popupd/popupd/console/api"
	"github.com/popupd/popupd/console/oidc"
	"github.com/popupd/popupd/console/sessions"
	"github.com/popupd/popupd/console/tokens"
	"github.com/popupd/popupd/console/web"
	"github.com/popupd/popupd/decision"
	"github.com/popupd/popupd/docs"
	"github.com/popupd/popupd/frequency"
	"github.com/popupd/popupd/handler"
	"github.com/popupd/popupd/internal/cli"
	"github.com/popupd/popupd/internal/notice"
	"github.com/popupd/popupd/internal/redisclient"
	"github.com/popupd/popupd/internal/sample"
	"github.com/popupd/popupd/internal/systemd"
	"github.com/popupd/popupd/internal/userstate"
	"github.com/popupd/popupd/persist"
	"github.com/popupd/popupd/popup"
	"github.com/popupd/popupd/queue"
	"github.com/popupd/popupd/queue/journal"
	"github.com/popupd/popupd/snapshot"
	"github.com/popupd/popupd/snapshot/follow"
	"github.com/popupd/popupd/tuning"
)

// open opens the data directory, the stores and the listeners. Stores that are
// down are no errors.
func (s *server) open(ctx context.Context) (err error) {
	s.warn()
	if s.manager, err = systemd.NewNotifier(s.environ, os.Getpid()); err != nil {
		return err
	}
	limitMemory(tuning.NewHost(os.DirFS("/")), s.config.StateMax, s.log)
	if s.dir, s.keys, err = openData(s.config); err != nil {
		return err
	}
	s.host, _ = os.Hostname() // only a note in the database and in notices
	s.id = serverID(s.keys.state, s.host)
	if err := s.openTracer(ctx); err != nil {
		return err
	}
	var ofChange func(popup.PopupChange) (popup.Notice, bool)
	if s.config.Webhook != "" {
		ofChange = notice.OfChange
	}
	s.db, err = persist.Open(persist.Config{
		DSN: s.config.MySQL, SQLite: s.dir.Path("popupd.db"), Host: s.host, Retention: s.config.Retention,
		ReportZone: s.config.ReportTimezone.Location, PseudonymiseAudit: s.config.AuditErasure == "pseudonymise", Notice: ofChange,
		Now: s.now, Log: s.log, Registerer: s.registry, Tracer: s.tracer,
	})
	if err != nil {
		return fmt.Errorf("-mysql: %w; %w", err, cli.ErrUsage)
	}
	s.onClose(func() { s.db.Close() })
	var closeRedis func()
	if s.redis, closeRedis, err = redisclient.Open(s.config.Redis, s.log); err != nil {
		return err
	}
	s.onClose(closeRedis)
	return s.openListeners(ctx)
}

// warn logs what is unsafe about the configuration, or has no effect.
func (s *server) warn() {
	if len(s.config.Exposed) > 0 {
		s.log.Warn("secrets are in files that others can read or write: chmod 600, unless only this container sees them", "files", strings.Join(s.config.Exposed, ", "))
	}
	if short := s.config.ShortKeys(); len(short) > 0 {
		s.log.Warn("keys this short can be found by trying: make them with openssl rand -hex 32", "flags", strings.Join(short, ", "))
	}
	if s.config.Identity == "off" && s.config.IdentitySecret != "" {
		s.log.Warn("-identity-secret has no effect while -identity is off: user ids are not checked")
	}
	if strings.HasPrefix(strings.ToLower(s.config.Webhook), "http:") {
		s.log.Warn("-webhook has no TLS: who is on the way to the receiver can read what it is told")
	}
	if strings.HasPrefix(strings.ToLower(s.config.OIDCIssuer), "http:") {
		s.log.Warn("-oidc-issuer has no TLS: who is on the way to the issuer can be anybody here")
	}
	if s.config.Webhook == "" && s.config.WebhookSecret != "" {
		s.log.Warn("-webhook-secret has no effect without -webhook")
	}
	if s.config.MySQL != "" && s.config.Redis == "" {
		s.log.Warn("without -redis this must be the only server: others would not hear of what it serves")
	}
}

// wireEvents wires users' state -> journal -> shipper -> Redis -> consumer -> database.
func (s *server) wireEvents(context.Context) (err error) {
	s.popups = snapshot.NewStore()
	s.sample = sample.NewReservoir(sample.Config{
		PerSecond: s.config.Sample, File: s.dir.Path("sample"), MinGap: s.config.MinGap, Snapshots: s.popups, Now: s.now, Log: s.log,
	})
	s.table = frequency.New(frequency.Config{
		Key: s.keys.state, MaxBytes: s.config.StateMax, MinGap: s.config.MinGap, HeldOnly: s.config.HeldOnly(), OnReset: s.sample.Forget, Registerer: s.registry,
	})
	s.sample.Load(s.table)
	s.users = userstate.New(userstate.Config{
		Database: s.db, Table: s.table, Dump: s.dir.Path("state"), DiskRoom: s.sample.DiskRoom, Seed: s.seed(), Shipped: s.shipped(), Now: s.now, Log: s.log, Registerer: s.registry,
	})
	s.journal, err = journal.Open(journal.Config{
		Dir: s.dir.Path("journal"), MaxBytes: s.config.JournalMax, Sync: s.config.JournalSync, OnAdopt: s.users.Merge,
		Now: s.now, Log: s.log, Registerer: s.registry,
	})
	if err != nil {
		return err
	}
	s.onClose(func() { s.journal.Release() })
	s.shipper = queue.NewShipper(queue.ShipperConfig{
		Journal: s.journal, Redis: s.redis, Prefix: s.config.RedisPrefix, Ledger: s.db, PeerDelay: s.config.PeerDelay, Log: s.log, Registerer: s.registry,
	})
	s.consumer = queue.NewConsumer(queue.ConsumerConfig{
		Redis: s.redis, Prefix: s.config.RedisPrefix, Ledger: s.db, Sink: s.db, Own: s.ownStreams, OnFlush: s.shipper.Acked,
		Log: s.log, Registerer: s.registry,
	})
	return nil
}

// ownStreams returns the streams that this server ships.
func (s *server) ownStreams() (ids []popup.StreamID) {
	for _, stream := range s.journal.Streams() {
		ids = append(ids, stream.ID())
	}
	return ids
}

// owns reports whether this server ships a stream.
func (s *server) owns(id popup.StreamID) bool { return slices.Contains(s.ownStreams(), id) }

// wirePolls wires database -> watcher -> snapshot -> data plane.
func (s *server) wirePolls(context.Context) (err error) {
	s.watcher = follow.New(s.popups, follow.Config{
		Source: s.db, Redis: s.redis, Prefix: s.config.RedisPrefix, File: s.dir.Path("popups"), OnSwap: s.swapped,
		Now: s.now, Log: s.log, Registerer: s.registry, Tracer: s.tracer,
	})
	s.users.Connect(s.journal, s.watcher)
	s.whyNot = sample.NewWhyNot(sample.WhyNotConfig{
		Store: s.db, Snapshots: s.popups, Zone: s.config.ReportTimezone.Location, Log: s.log,
	})
	s.polls, err = handler.New(handler.Config{
		Snapshots: s.popups, Users: s.table, LookUps: s.users, Journal: s.journal,
		Secrets: s.keys.tokens, AllowOrigins: s.config.AllowOrigins, Identity: handler.Identity(s.config.Identity), IdentitySecrets: s.keys.identity,
		NewIDsPerClient: s.config.NewIDsPerClient, ActionsPerClient: s.config.ActionsPerClient, TrustedProxies: s.config.TrustedProxies,
		ShedAfter: s.config.ShedAfter, IdleTimeout: s.config.IdleTimeout, PopupMetrics: s.config.PopupMetrics, Sample: s.sample, WhyNot: s.whyNot, Demo: s.config.Demo, Ready: s.users.Ready, Now: s.now, Log: s.log, Registerer: s.registry, Tracer: s.tracer,
	})
	return err
}

// swapped tells of popups that are in force now.
func (s *server) swapped(next *snapshot.Snapshot) {
	s.users.SetPopups(next)
	s.live.Changed()
}

var (
	errDraining  = errors.New("shutting down")
	errNotTaking = errors.New("the data plane does not listen yet")
)

// knownUsers is what operators see and do of users.
type knownUsers struct {
	*frequency.Table
	*userstate.State
}

// wireConsole wires the control plane to everything it shows and changes.
func (s *server) wireConsole(context.Context) (err error) {
	ready := func() error {
		if s.draining.Load() {
			return errDraining
		}
		if err := s.users.Readiness(); err != nil {
			return err
		}
		if !s.taking.Load() {
			return errNotTaking
		}
		return nil
	}
	registerReady(s.registry, ready)
	s.tokens, s.sessions = tokens.New(s.db, s.now, s.log), sessions.New(s.db, s.now, s.log)
	rest, err := api.New(api.Config{
		Catalog: s.db, Trail: s.db, Statistics: s.db, WhyNot: s.whyNot, History: s.db, Exporter: s.db, Configurations: s.db, Watcher: s.watcher, Users: knownUsers{s.table, s.users}, Events: s.polls, Previews: s.polls, Simulator: s.sample, Explainer: decision.Explainer{Snapshots: s.popups, Users: s.table}, Tokens: s.tokens, Audiences: s.db, Snapshots: s.popups,
		ReportZone: s.config.ReportTimezone.Location, Ready: ready, Now: s.now, Log: s.log, LogLevel: s.level,
	})
	if err != nil {
		return err
	}
	pages, err := web.New(web.Config{Version: cli.Version()})
	if err != nil {
		return err
	}
	var signOn console.SingleSignOn
	if s.config.OIDCIssuer != "" {
		s.issuer = oidc.New(oidc.Config{
			Issuer: s.config.OIDCIssuer, ClientID: s.config.OIDCClientID, ClientSecret: s.config.OIDCClientSecret, RoleClaim: s.config.OIDCRoleClaim, Now: s.now, Log: s.log,
		})
		signOn = s.issuer
	}
	s.console, err = console.New(console.Config{
		Routes: slices.Concat(rest.Routes(), pages.Routes(), s.live.Routes()), Token: s.keys.admin, Tokens: s.tokens, Sessions: s.sessions, Pages: pages, SignOn: signOn, Ready: ready, OpenAPI: docs.OpenAPI, Version: cli.Version(),
		Now: s.now, Log: s.log, Registerer: s.registry, Gatherer: s.registry, Tracer: s.tracer,
	})
	return err
}
