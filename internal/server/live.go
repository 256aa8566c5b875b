package server

import (
	"context"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/redis/rueidis"

	"github.com/popupd/popupd/console/live"
	"github.com/popupd/popupd/internal/cli"
	"github.com/popupd/popupd/internal/doctor"
	"github.com/popupd/popupd/popup"
	"github.com/popupd/popupd/queue"
	"github.com/popupd/popupd/tuning"
)

// wireLive wires everything that pages are told as it changes.
func (s *server) wireLive(context.Context) (err error) {
	s.live, err = live.New(live.Config{
		Revision: func() int64 { return s.popups.Current().Revision },
		Counted:  s.db.Counted, System: (&systemView{server: s}).read, Examine: s.examine, Now: s.now, Log: s.log,
	})
	return err
}

// examine is popupd doctor from inside.
func (s *server) examine(ctx context.Context) (live.Findings, error) {
	c := cli.Doctor{
		MySQL: s.config.MySQL, Redis: s.config.Redis, Data: s.config.Data, JournalMax: s.config.JournalMax, StateMax: s.config.StateMax, Servers: 1,
	}
	if servers, err := s.db.Servers(ctx); err == nil {
		there := slices.DeleteFunc(servers, func(o popup.Server) bool { return o.State == popup.ServerAway })
		c.Servers = max(1, len(there))
	}
	report, err := doctor.Examine(ctx, c, os.Environ())
	return live.Findings{Report: report}, err
}

// systemView reads how this server and those beside it are. It is for one goroutine.
type systemView struct {
	server *server
	past   []reading // of the last rateOver, the oldest first
}

// reading is what the metrics were at a time.
type reading struct {
	at time.Time
	readings
}

const (
	rateOver    = 10 * time.Second // rates are those of so long
	rateLeast   = time.Second      // or of less, if the page has just been opened
	storesLimit = 2 * time.Second  // for what is asked of a store
)

func (v *systemView) read(ctx context.Context) live.System {
	s, now := v.server, reading{time.Now(), read(v.server.registry)}
	v.past = append(slices.DeleteFunc(v.past, func(p reading) bool { return now.at.Sub(p.at) > rateOver }), now)
	self := s.self(now.readings)
	system := live.System{
		AtMS: s.now(), ServerID: s.id, Revision: self.Revision,
		Journal: live.Journal{
			Bytes: self.JournalBytes, MaxBytes: self.JournalMaxBytes, WaitingEvents: int64(self.WaitingEvents), OldestMS: self.OldestEventMS,
			PerSecond: v.rate("popupd_journal_events_total"), Errors: now.count("popupd_journal_errors_total"),
		},
		Redis: live.Redis{
			Embedded: s.config.Redis == "", Up: now.count("popupd_redis_up") > 0, PerSecond: v.rate("popupd_shipped_events_total"),
		},
		Database: live.Database{
			SQLite: s.config.MySQL == "", Up: now.count("popupd_mysql_up") > 0, Flushes: s.config.Flush, PerSecond: v.rate("popupd_flushed_events_total"),
			LagMS: v.lagMS(), Dead: now.count("popupd_dead_frames_total"), Errors: now.count("popupd_flush_errors_total"),
			NewerSchema: now.count("popupd_schema_mismatch") > 0,
		},
		Users: live.Users{
			Entries: now.count("popupd_state_entries"), Bytes: now.count("popupd_state_bytes"), MaxBytes: s.config.StateMax,
			Refused: now.count("popupd_state_full_total"),
		},
	}
	if system.Database.Up {
		system.Servers = s.askServers(ctx, self)
	}
	if system.Redis.Up {
		s.askRedis(ctx, &system.Redis, system.Database.Up)
	}
	return system
}

// askServers returns the servers, this one as it is now; nil if the database does not say.
func (s *server) askServers(ctx context.Context, self popup.Server) []popup.Server {
	ctx, cancel := context.WithTimeout(ctx, storesLimit)
	defer cancel()
	servers, err := s.db.Servers(ctx)
	if err != nil {
		return nil
	}
	i := slices.IndexFunc(servers, func(o popup.Server) bool { return o.ID == s.id })
	if i < 0 { // it is about to tell the database
		servers = append(servers, self)
	} else {
		servers[i] = self
	}
	return servers
}

// askRedis fills in how much there is in Redis, as far as it says, and the database, which
// knows whose events there may be. Of the one in this process the memory is popupd's.
func (s *server) askRedis(ctx context.Context, r *live.Redis, databaseUp bool) {
	ctx, cancel := context.WithTimeout(ctx, storesLimit)
	defer cancel()
	if databaseUp {
		streams, err := s.db.Orphans(ctx, -clockSkew)
		if err != nil {
			return
		}
		n, err := queue.Waiting(ctx, s.redis, s.config.RedisPrefix, streams)
		if err != nil {
			return
		}
		r.Batches = &n
	}
	if r.Embedded {
		return
	}
	var used, limit int64
	isLimited := true
	for _, node := range s.redis.Nodes() {
		nodeUsed, nodeLimit, isReplica, err := memoryOf(ctx, node)
		if err != nil {
			return
		}
		if !isReplica {
			used, limit, isLimited = used+nodeUsed, limit+nodeLimit, isLimited && nodeLimit > 0
		}
	}
	if !isLimited {
		limit = 0
	}
	r.UsedBytes, r.MaxBytes = &used, &limit
}

// memoryOf asks a node of Redis for its memory; a limit of 0 is none.
func memoryOf(ctx context.Context, node rueidis.Client) (used, limit int64, isReplica bool, err error) {
	text, err := node.Do(ctx, node.B().Info().Build()).ToString()
	if err != nil {
		return 0, 0, false, err
	}
	info := tuning.ParseInfo(text)
	if used, err = strconv.ParseInt(info["used_memory"], 10, 64); err != nil {
		return 0, 0, false, err
	}
	if limit, err = strconv.ParseInt(info["maxmemory"], 10, 64); err != nil {
		return 0, 0, false, err
	}
	return used, limit, info["role"] == "slave", nil
}

// rate returns by how much a counter has grown lately, a second; nil if that is not known yet.
func (v *systemView) rate(name string) *float64 {
	first, last := v.past[0], v.past[len(v.past)-1]
	took := last.at.Sub(first.at)
	if took < rateLeast {
		return nil
	}
	rate := (last.readings[name] - first.readings[name]) / took.Seconds()
	return &rate
}

// lagMS returns how old events were, on average, when they were committed lately; nil if
// none were.
func (v *systemView) lagMS() *float64 {
	const name = "popupd_flush_lag_seconds"
	first, last := v.past[0], v.past[len(v.past)-1]
	flushes := last.readings[name+"_count"] - first.readings[name+"_count"]
	if flushes == 0 {
		return nil
	}
	lag := 1000 * (last.readings[name+"_sum"] - first.readings[name+"_sum"]) / flushes
	return &lag
}
