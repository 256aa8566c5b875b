// Package embedded is the Redis of a popupd that was given none: a Redis in the
// same process, spoken to over in-memory pipes by the client that speaks to a
// real one, so that there is one queue and no port that others could reach.
//
// It forgets everything when the process ends. That is harmless: the queue
// carries copies of what the journal holds until the database has committed it.
// Nothing here knows what popupd says to Redis.
package embedded

import (
	"context"
	"crypto/tls"
	"net"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/rueidis"
)

// Redis is an in-process Redis. The zero value is not usable; see [NewRedis].
type Redis struct{ server *miniredis.Miniredis }

// NewRedis returns a Redis that starts with its first connection.
func NewRedis() *Redis { return &Redis{server: miniredis.NewMiniRedis()} }

// Option returns the client options that reach it.
func (r *Redis) Option() rueidis.ClientOption {
	return rueidis.ClientOption{
		InitAddress: []string{"embedded"},
		DialCtxFn: func(context.Context, string, *net.Dialer, *tls.Config) (net.Conn, error) {
			return r.server.Dial()
		},
	}
}

// Close ends the server and its connections.
func (r *Redis) Close() { r.server.Close() }
