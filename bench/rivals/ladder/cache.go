package main

import (
	"log"
	"sync/atomic"
	"time"
)

// cache has the popups in memory; what users have seen is still read from
// MySQL, by primary key.
type cache struct {
	db     *database
	popups atomic.Pointer[[]popup]
}

func newCache(db *database) (*cache, error) {
	c := &cache{db: db}
	return c, c.load()
}

func (c *cache) load() error {
	all, err := c.db.popups()
	if err == nil {
		c.popups.Store(&all)
	}
	return err
}

// refresh reads the popups anew after every interval, for as long as the process
// lives.
func (c *cache) refresh(interval time.Duration) {
	for range time.Tick(interval) {
		if err := c.load(); err != nil {
			log.Println("read popups:", err)
		}
	}
}

// dueTo is as database.dueTo.
func (c *cache) dueTo(dst []popup, r *request, nowMS int64) (due []popup, soonest int64, err error) {
	all := *c.popups.Load()
	start := len(dst)
	for n := range all {
		if all[n].fits(r) {
			dst = append(dst, all[n])
		}
	}
	if len(dst) == start {
		return dst, 0, nil
	}
	rows, err := c.db.waits.Query(r.user)
	if err != nil {
		return nil, 0, err
	}
	defer rows.Close()
	for rows.Next() {
		var id uint32
		var next int64
		if err := rows.Scan(&id, &next); err != nil {
			return nil, 0, err
		}
		if next <= nowMS {
			continue
		}
		for n := start; n < len(dst); n++ {
			if dst[n].id == id {
				soonest = earlier(soonest, next)
				dst = append(dst[:n], dst[n+1:]...)
				break
			}
		}
	}
	return dst, soonest, rows.Err()
}
