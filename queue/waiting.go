package queue

import (
	"context"
	"fmt"

	"github.com/redis/rueidis"

	"github.com/popupd/popupd/popup"
)

// Waiting returns how many elements, of one event or many, the lists of these streams have
// in Redis.
func Waiting(ctx context.Context, client rueidis.Client, prefix string, streams []popup.StreamID) (elements int64, err error) {
	commands := make(rueidis.Commands, 0, len(streams))
	for _, stream := range streams {
		commands = append(commands, client.B().Llen().Key(listKey(prefix, stream.String())).Build())
	}
	for i, result := range client.DoMulti(ctx, commands...) {
		n, err := result.AsInt64()
		if isWrongType(err) {
			continue // the shipper deletes it
		}
		if err != nil {
			return 0, fmt.Errorf("ask for the length of the list of stream %s: %w", streams[i], err)
		}
		elements += n
	}
	return elements, nil
}
