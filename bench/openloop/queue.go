//go:build linux

package openloop

// queue is first in, first out.
type queue[T comparable] struct {
	items []T
	first int
}

func (q *queue[T]) len() int { return len(q.items) - q.first }

func (q *queue[T]) push(item T) {
	// Room at the front is taken back only when it is half of all: each item
	// moves once on average.
	if q.first > 1024 && q.first > len(q.items)/2 {
		q.items = q.items[:copy(q.items, q.items[q.first:])]
		q.first = 0
	}
	q.items = append(q.items, item)
}

// pop must not be called on an empty queue.
func (q *queue[T]) pop() T {
	item := q.items[q.first]
	q.first++
	return item
}

func (q *queue[T]) remove(item T) {
	for i := q.first; i < len(q.items); i++ {
		if q.items[i] == item {
			q.items = append(q.items[:i], q.items[i+1:]...)
			return
		}
	}
}
