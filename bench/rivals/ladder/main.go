// Command ladder is one small popup server in the three shapes that a team
// gives it, one after the other, when the load grows:
//
//	-rung 1  every poll reads MySQL and, if a popup is shown, writes it
//	-rung 2  writes go through a Redis list, a worker moves them to MySQL
//	-rung 3  as 2, and the popups are kept in memory, read anew each second
//
// It does what a good team does: pooled connections, prepared statements, the
// narrowest query, answers prepared beforehand, rows written many at a time.
// Its rules are those of popupd as far as the load goes: the popup of the
// highest priority that fits, and not again until its wait is over. It knows no
// actions.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/redis/rueidis"
	"github.com/valyala/fasthttp"

	"github.com/popupd/popupd/bench/rivals/answers"
)

func main() {
	rung := flag.Int("rung", 1, "1, 2 or 3")
	dsn := flag.String("mysql", "", "DSN of a database, in which the tables are made anew")
	redis := flag.String("redis", "", "redis://host:port/db, for rungs 2 and 3")
	popups := flag.String("popups", "", "file with a JSON array of popups, as popupd's API takes them")
	flag.Parse()
	log.SetFlags(0)
	log.SetPrefix("ladder: ")
	if flag.NArg() > 0 || *rung < 1 || *rung > 3 || *dsn == "" || *popups == "" || *rung > 1 && *redis == "" {
		log.Println("needed: -rung, -mysql, -popups, and -redis above rung 1")
		os.Exit(2)
	}
	log.Fatal(serve(*rung, *dsn, *redis, *popups))
}

// serve builds what the rung has and answers until the process is killed.
func serve(rung int, dsn, redis, popupsFile string) error {
	specs, err := readSpecs(popupsFile)
	if err != nil {
		return err
	}
	db, err := openDatabase(dsn)
	if err != nil {
		return err
	}
	if err := db.fill(specs); err != nil {
		return err
	}
	s := &server{secret: []byte("ladder"), due: db, shown: db}
	if rung > 1 {
		option, err := rueidis.ParseURL(redis)
		if err != nil {
			return err
		}
		option.DisableCache = true
		client, err := rueidis.NewClient(option)
		if err != nil {
			return err
		}
		q := newQueue(client, db)
		go q.work()
		s.shown, s.pending = q, q.pending
	}
	if rung > 2 {
		c, err := newCache(db)
		if err != nil {
			return err
		}
		go c.refresh(time.Second)
		s.due = c
	}
	ln, err := answers.Listen()
	if err != nil {
		return err
	}
	http := fasthttp.Server{
		Handler:               s.handle,
		ReadTimeout:           answers.ReadTimeout,
		WriteTimeout:          answers.WriteTimeout,
		IdleTimeout:           answers.IdleTimeout,
		ReadBufferSize:        answers.MaxHeader,
		LazyRequestTime:       true,
		NoDefaultServerHeader: true,
		NoDefaultContentType:  true,
	}
	return http.Serve(ln)
}

func readSpecs(file string) ([]spec, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var specs []spec
	if err := json.Unmarshal(b, &specs); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return specs, nil
}
