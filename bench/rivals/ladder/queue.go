package main

import (
	"context"
	"encoding/json"
	"log"
	"sync"
	"time"

	"github.com/redis/rueidis"
)

const (
	list      = "ladder:impressions"
	batchRows = 1000
	idle      = 10 * time.Millisecond // of the worker, when the list is empty
	remember  = time.Second           // longer than a poll takes from its reading to its record
)

// impression is a popup shown to a user: what is written of it.
type impression struct {
	user    string
	popup   uint32
	variant string
	atMS    int64
	nextMS  int64
}

// queue writes to a Redis list, which one worker moves to MySQL. Redis answers
// before the poll is answered.
type queue struct {
	redis rueidis.Client
	db    *database

	// mu guards what polls do not find in MySQL yet, so that the next poll of a
	// user is not shown the same again.
	mu      sync.Mutex
	recent  map[recentKey]struct{}
	waiting int // of these, how many are not in MySQL

	written []written // the worker's
}

// written is a batch that is in MySQL, still remembered for polls that read
// MySQL before it was.
type written struct {
	batch []impression
	at    time.Time
}

type recentKey struct {
	user  string
	popup uint32
}

func newQueue(redis rueidis.Client, db *database) *queue {
	return &queue{redis: redis, db: db, recent: map[recentKey]struct{}{}}
}

// record appends an impression to the list. It returns false if the popup has
// just been shown.
func (q *queue) record(i impression) (bool, error) {
	key := recentKey{i.user, i.popup}
	q.mu.Lock()
	_, known := q.recent[key]
	if !known {
		q.recent[key] = struct{}{}
		q.waiting++
	}
	q.mu.Unlock()
	if known {
		return false, nil
	}
	element, err := json.Marshal([]any{i.user, i.popup, i.variant, i.atMS, i.nextMS})
	if err == nil {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		err = q.redis.Do(ctx, q.redis.B().Rpush().Key(list).Element(string(element)).Build()).Error()
	}
	if err != nil {
		q.forget([]impression{i})
		q.count(-1)
		return false, err
	}
	return true, nil
}

func (q *queue) forget(batch []impression) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, i := range batch {
		delete(q.recent, recentKey{i.user, i.popup})
	}
}

func (q *queue) count(n int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.waiting += n
}

// pending returns how many impressions are not in MySQL yet.
func (q *queue) pending() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.waiting
}

// work moves the list to MySQL for as long as the process lives.
func (q *queue) work() {
	for {
		for len(q.written) > 0 && time.Since(q.written[0].at) > remember {
			q.forget(q.written[0].batch)
			q.written = q.written[1:]
		}
		n, err := q.move()
		if err != nil {
			log.Println("move impressions:", err)
			time.Sleep(time.Second)
		} else if n == 0 {
			time.Sleep(idle)
		}
	}
}

// move writes a batch and then takes it off the list: if it fails in between,
// the batch is written twice rather than not at all.
func (q *queue) move() (int, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	elements, err := q.redis.Do(ctx, q.redis.B().Lrange().Key(list).Start(0).Stop(batchRows-1).Build()).AsStrSlice()
	if err != nil || len(elements) == 0 {
		return 0, err
	}
	batch := make([]impression, len(elements))
	for n, s := range elements {
		i := &batch[n]
		if err := json.Unmarshal([]byte(s), &[]any{&i.user, &i.popup, &i.variant, &i.atMS, &i.nextMS}); err != nil {
			return 0, err
		}
	}
	if err := q.db.recordAll(batch); err != nil {
		return 0, err
	}
	q.written = append(q.written, written{batch, time.Now()})
	q.count(-len(batch))
	return len(batch), q.redis.Do(ctx, q.redis.B().Ltrim().Key(list).Start(int64(len(elements))).Stop(-1).Build()).Error()
}
