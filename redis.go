package main

import (
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/redis/rueidis"

	"github.com/popupd/popupd/internal/embedded"
)

// redisOption reads -redis: a redis:// or rediss:// URL, one host:port, or
// several of them, which are a cluster. Its errors show nothing of it, since
// any part of what was mistyped may be the password.
func redisOption(s string) (option rueidis.ClientOption, err error) {
	if strings.HasPrefix(s, "redis://") || strings.HasPrefix(s, "rediss://") {
		option, err = rueidis.ParseURL(s)
	} else {
		option.InitAddress = strings.Split(s, ",")
	}
	bad := err != nil
	for _, address := range option.InitAddress {
		// A password belongs in a URL: as part of an address it would be logged.
		_, port, unreadable := net.SplitHostPort(address)
		_, noPort := strconv.ParseUint(port, 10, 16)
		bad = bad || unreadable != nil || noPort != nil || strings.Contains(address, "@")
	}
	if bad {
		return option, fmt.Errorf("-redis: want redis://[user:pass@]host:port/db, rediss://… or host:port,host:port; %w", errUsage)
	}
	return option, nil
}

// openRedis connects to the Redis of the URL or, if that is empty, to one in
// this process. A Redis that is down is no error: the client connects when it
// comes up, and until then events wait in the journal.
func openRedis(url string, log *slog.Logger) (client rueidis.Client, closeAll func(), err error) {
	var option rueidis.ClientOption
	var inside *embedded.Redis
	if url == "" {
		inside = embedded.NewRedis()
		option = inside.Option()
	} else if option, err = redisOption(url); err != nil {
		return nil, nil, err
	}
	option.ForceSingleClient = len(option.InitAddress) == 1
	// Writes are repeated by the shipper, which knows what was counted, and
	// nothing is cached.
	option.DisableCache, option.DisableRetry = true, true
	option.PipelineMultiplex = -1 // one connection: what is written in order arrives in order
	option.BlockingPoolSize = 8
	option.ReadBufferEachConn, option.WriteBufferEachConn = 64<<10, 64<<10
	option.ConnWriteTimeout = 3 * time.Second
	option.Dialer.Timeout = time.Second
	client, err = rueidis.NewClient(option)
	if client == nil {
		return nil, nil, fmt.Errorf("connect to redis: %w", err)
	}
	if err != nil {
		log.Warn("redis is away, events wait in the journal", "err", err)
	}
	return client, func() {
		client.Close()
		if inside != nil {
			inside.Close()
		}
	}, nil
}
