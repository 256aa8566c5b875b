// Package redisclient opens the Redis that -redis names, or the embedded one,
// with the settings that popupd's uses of it need. What is said to Redis lives
// in the packages that say it.
package redisclient

import (
	"log/slog"
	"time"

	"github.com/redis/rueidis"

	"github.com/popupd/popupd/internal/embedded"
)

// Open connects to the Redis that [ParseOption] can read or, if url is empty, to
// one in this process. A Redis that is down or refuses the password is no error,
// whatever its kind: the client connects when it can. closeAll closes the client,
// and the embedded Redis.
func Open(url string, log *slog.Logger) (client rueidis.Client, closeAll func(), err error) {
	var option rueidis.ClientOption
	closeServer := func() {}
	if url == "" {
		server := embedded.NewRedis()
		option, closeServer = server.Option(), server.Close
	} else if option, err = ParseOption(url); err != nil {
		return nil, nil, err
	}
	client = open(option, log)
	return client, func() { client.Close(); closeServer() }, nil
}

// open returns a client, connected or not. One line says why it is not.
func open(option rueidis.ClientOption, log *slog.Logger) rueidis.Client {
	option = tune(option)
	client, err := rueidis.NewClient(option)
	if _, refused := rueidis.IsRedisErr(err); refused {
		log.Warn("redis refuses this server, events wait in the journal", "err", err)
	} else if err != nil {
		log.Warn("redis is away, events wait in the journal", "err", err)
	}
	if client == nil {
		client = newPending(option, err)
	}
	return client
}

// tune sets how popupd uses its connections.
func tune(option rueidis.ClientOption) rueidis.ClientOption {
	const dialTimeout = time.Second
	option.ForceSingleClient = len(option.InitAddress) == 1
	// Writes are repeated by the shipper, which knows what was committed, and
	// nothing is cached.
	option.DisableCache, option.DisableRetry = true, true
	option.PipelineMultiplex = -1 // one connection: what is written in order arrives in order
	option.BlockingPoolSize = 8
	option.ReadBufferEachConn, option.WriteBufferEachConn = 64<<10, 64<<10
	option.ConnWriteTimeout = 3 * time.Second
	option.Dialer.Timeout = dialTimeout
	if IsSentinel(option) {
		option.Sentinel.Dialer.Timeout = dialTimeout
		option.Sentinel.TopologyRefreshInterval = 5 * time.Second // a missed message about a new master is made good
	}
	return option
}
