// Package redisclient opens the Redis that -redis names, or the embedded one,
// with the settings that popupd's uses of it need. What is said to Redis lives
// in the packages that say it.
package redisclient

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/redis/rueidis"

	"github.com/popupd/popupd/internal/embedded"
)

var errOption = errors.New("want redis://[user:pass@]host:port/db, rediss://… or host:port,host:port")

// ParseOption reads a redis:// or rediss:// URL, one host:port, or several of
// them, which are a cluster. Its errors show nothing of it, since any part of
// what was mistyped may be the password.
func ParseOption(s string) (option rueidis.ClientOption, err error) {
	if strings.HasPrefix(s, "redis://") || strings.HasPrefix(s, "rediss://") {
		option, err = rueidis.ParseURL(s)
	} else {
		option.InitAddress = strings.Split(s, ",")
	}
	if err != nil {
		return option, errOption
	}
	for _, address := range option.InitAddress {
		if !isAddress(address) {
			return option, errOption
		}
	}
	return option, nil
}

// isAddress reports whether s is host:port. A password belongs in a URL: as part
// of an address it would be logged.
func isAddress(s string) bool {
	_, port, err := net.SplitHostPort(s)
	if err != nil || strings.Contains(s, "@") {
		return false
	}
	_, err = strconv.ParseUint(port, 10, 16)
	return err == nil
}

// Open connects to the Redis that [ParseOption] can read or, if url is empty, to
// one in this process. A Redis that is down is no error: the client connects when
// it comes up. closeAll closes the client, and the embedded Redis.
func Open(url string, log *slog.Logger) (client rueidis.Client, closeAll func(), err error) {
	var option rueidis.ClientOption
	closeServer := func() {}
	if url == "" {
		server := embedded.NewRedis()
		option, closeServer = server.Option(), server.Close
	} else if option, err = ParseOption(url); err != nil {
		return nil, nil, err
	}
	option.ForceSingleClient = len(option.InitAddress) == 1
	// Writes are repeated by the shipper, which knows what was committed, and
	// nothing is cached.
	option.DisableCache, option.DisableRetry = true, true
	option.PipelineMultiplex = -1 // one connection: what is written in order arrives in order
	option.BlockingPoolSize = 8
	option.ReadBufferEachConn, option.WriteBufferEachConn = 64<<10, 64<<10
	option.ConnWriteTimeout = 3 * time.Second
	option.Dialer.Timeout = time.Second
	client, err = rueidis.NewClient(option)
	if client == nil {
		closeServer()
		return nil, nil, fmt.Errorf("connect to redis: %w", err)
	}
	if err != nil {
		log.Warn("redis is away, events wait in the journal", "err", err)
	}
	return client, func() { client.Close(); closeServer() }, nil
}
