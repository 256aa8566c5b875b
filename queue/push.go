package queue

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"time"

	"github.com/redis/rueidis"

	"github.com/popupd/popupd/internal/failpoint"

	"github.com/popupd/popupd/queue/journal"
)

// push sends the next elements, at most so many, in one round trip, and tells
// the other servers. It reports whether there may be more.
func (p *shipment) push(ctx context.Context, most int) (more bool, err error) {
	elements, err := p.read(most)
	if err != nil || len(elements) == 0 {
		return false, err
	}
	c := &p.shipper.c
	commands := make(rueidis.Commands, 0, 2*len(elements)+1)
	from := 0
	for _, e := range elements {
		// Aliased until the reply is there, see below.
		bytes := rueidis.BinaryString(p.buf[from : from+e.bytes])
		commands = append(commands, c.Redis.B().Rpush().Key(p.key).Element(bytes).Build())
		from += e.bytes
	}
	commands = append(commands, c.Redis.B().Expire().Key(p.key).Seconds(int64(keyTTL/time.Second)).Build())
	from = 0
	for _, e := range elements {
		if e.last > p.published { // once: who misses it learns it from MySQL
			bytes := rueidis.BinaryString(p.buf[from : from+e.bytes])
			commands = append(commands, c.Redis.B().Publish().Channel(p.channel).Message(bytes).Build())
		}
		from += e.bytes
	}
	before := p.sent
	failpoint.Reach(failpoint.ShipPushBefore)
	replies := c.Redis.DoMulti(ctx, commands...)
	failpoint.Reach(failpoint.ShipPushDone)
	for i, e := range elements {
		if err = replies[i].Error(); err != nil {
			// Those behind it may have arrived. They come again: what is in the
			// list twice or out of order is sorted out by the consumer.
			break
		}
		p.sent = e.last
		p.published = max(p.published, e.last)
		p.inFlight = append(p.inFlight, e)
		p.inFlightBytes += int64(e.bytes)
	}
	p.shipper.metrics.shipped.Add(float64(p.sent - before))
	p.refused.Store(err != nil)
	if soon := time.Now().Add(p.shipper.pace.check); p.checkAt.After(soon) {
		p.checkAt = soon
	}
	if err == nil {
		return len(elements) == most, nil
	}
	p.reader = nil // it stands behind what was not taken
	if isWrongType(err) {
		return false, p.resend(ctx, "the key is not a list")
	}
	if !isReply(err) {
		p.buf = nil // the client may still be about to write it
	}
	return false, fmt.Errorf("push to list: %w", err)
}

// read reads the next elements, at most so many, one behind the other into buf.
func (p *shipment) read(most int) (elements []listElement, err error) {
	p.buf = p.buf[:0]
	at := p.sent
	// What MySQL has not committed and the journal no longer has is declared lost.
	for first := p.stream.First(); at+1 < first && len(elements) < most; {
		count := uint32(min(first-at-1, math.MaxUint32))
		start := len(p.buf)
		p.buf = journal.AppendGap(p.buf, p.id, at+1, count)
		at += uint64(count)
		elements = append(elements, listElement{last: at, bytes: len(p.buf) - start})
		p.reader = nil
	}
	if p.reader == nil {
		p.reader = p.stream.Reader(at)
	}
	for len(elements) < most {
		start := len(p.buf)
		var last uint64
		p.buf, last, err = p.reader.Next(p.buf, elementBytes)
		if errors.Is(err, io.EOF) {
			return elements, nil
		}
		if err != nil {
			p.reader = nil
			if len(elements) > 0 {
				return elements, nil // the error comes again
			}
			return nil, fmt.Errorf("read journal: %w", err)
		}
		elements = append(elements, listElement{last: last, bytes: len(p.buf) - start})
	}
	return elements, nil
}
