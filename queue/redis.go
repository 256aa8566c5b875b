package queue

import (
	"strings"

	"github.com/redis/rueidis"
)

// probeKey names a list that never is.
func probeKey(prefix string) string { return prefix + ":probe" }

// listKey returns the name of the stream's list in Redis. The braces make the
// stream a Redis Cluster hash tag.
func listKey(prefix, stream string) string { return prefix + ":q:{" + stream + "}" }

// eventsChannel returns the name of the channel on which frames are published.
func eventsChannel(prefix string) string { return prefix + ":events" }

// isWrongType reports whether Redis says that the key is not a list. The first
// word of an error reply is its code (https://redis.io/docs/latest/develop/reference/protocol-spec/#simple-errors).
func isWrongType(err error) bool {
	reply, ok := rueidis.IsRedisErr(err)
	return ok && strings.HasPrefix(reply.Error(), "WRONGTYPE ")
}

// isReply reports whether err is an answer of Redis, so that the command is
// known not to have been executed. After any other error it may still be.
func isReply(err error) bool {
	_, ok := rueidis.IsRedisErr(err)
	return ok
}
