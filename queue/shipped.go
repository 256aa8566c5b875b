package queue

import (
	"context"
	"fmt"

	"github.com/redis/rueidis"

	"github.com/popupd/popupd/popup"
)

// shippedPage is how many elements of a list are read at once: about 1 MiB.
const shippedPage = 16

// Shipped calls fn with the events that are in the lists of these streams, what was
// shipped and is not known to be committed, and onFrame after those of each frame. An event that was shipped before the call
// and is not told of is in MySQL when it returns. Elements that cannot be read are
// passed over: they are shipped again. An event may come more than once; it and its
// bytes are valid during the call of fn.
func Shipped(ctx context.Context, client rueidis.Client, prefix string, streams []popup.StreamID, fn func(*popup.Event),
	onFrame func(stream popup.StreamID, first, last uint64),
) error {
	notOwn := func(popup.StreamID) bool { return false }
	var events []popup.Event
	for _, stream := range streams {
		key := listKey(prefix, stream.String())
		// From the end, since flushers take from the front: counted from there, what
		// they take would shift pages that are yet to be read, and some would be missed.
		for last := int64(-1); ; last -= shippedPage {
			page, err := client.Do(ctx, client.B().Lrange().Key(key).Start(last-shippedPage+1).Stop(last).Build()).AsStrSlice()
			if isWrongType(err) {
				break // the shipper deletes it and ships again
			}
			if err != nil {
				return fmt.Errorf("read list of stream %s: %w", stream, err)
			}
			for _, element := range page {
				events, _ = decode([]byte(element), notOwn, fn, onFrame, events)
			}
			if len(page) < shippedPage {
				break
			}
		}
	}
	return nil
}
