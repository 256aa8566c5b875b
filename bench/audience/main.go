// Command audience measures what a list of millions of user ids costs on two servers that
// share a MariaDB: the upload, memory, and the time of a start. Run it from the root of the
// repository.
//
//	go run ./bench/audience [-members 5000000]
//
// What other representations of a list would cost is measured by bench/rivals/audience. It
// talks to loopback only.
package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/popupd/popupd/internal/testbed"
)

func main() {
	members := flag.Int("members", 5_000_000, "ids in the list")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *members); err != nil {
		fmt.Fprintln(os.Stderr, "audience:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, members int) error {
	bed, err := testbed.New(ctx)
	if err != nil {
		return err
	}
	defer bed.Close()
	binary, err := bed.Build(".", ".")
	if err != nil {
		return err
	}
	mysql, err := bed.MySQL(testbed.StoreOptions{})
	if err != nil {
		return err
	}
	dsn, err := mysql.CreateDatabase("popupd")
	if err != nil {
		return err
	}
	redis, err := bed.Redis(testbed.StoreOptions{})
	if err != nil {
		return err
	}
	var servers [2]*testbed.Popupd
	for i := range servers {
		if servers[i], err = bed.Popupd(testbed.PopupdOptions{Binary: binary, MySQL: dsn, Redis: redis.URL()}); err != nil {
			return err
		}
	}
	fmt.Printf("%s\n| | s | MB of this server | most | the other server | most |\n|---|---:|---:|---:|---:|---:|\n",
		testbed.Environment("go run ./bench/audience -members "+strconv.Itoa(members), testbed.Version("mariadbd", "--version")))
	row := func(what string, from time.Time) error {
		fmt.Printf("| %s | %.1f |", what, time.Since(from).Seconds())
		for _, s := range servers {
			now, most, err := memory(s.Pid())
			if err != nil {
				return err
			}
			fmt.Printf(" %.0f | %.0f |", now, most)
		}
		fmt.Println()
		return nil
	}
	if err := row("without lists", time.Now()); err != nil {
		return err
	}
	for i, what := range []string{"uploaded", "replaced"} {
		members := members + i // what is in force tells the two apart
		start := time.Now()
		if err := upload(ctx, servers[0], members); err != nil {
			return err
		}
		if err := row(what+", when the call answers", start); err != nil {
			return err
		}
		for _, s := range servers {
			if err := inForce(ctx, s, members); err != nil {
				return err
			}
		}
		if err := row(what+", when both servers have it", start); err != nil {
			return err
		}
	}
	for _, s := range servers {
		start, members := time.Now(), members+1
		if err := s.Restart(); err != nil {
			return err
		}
		if err := row("a restart, until it is ready", start); err != nil {
			return err
		}
		if err := inForce(ctx, s, members); err != nil {
			return err
		}
		if err := row("a restart, until it has the list", start); err != nil {
			return err
		}
	}
	return nil
}

// upload sends a list as it is made.
func upload(ctx context.Context, s *testbed.Popupd, members int) error {
	r, w := io.Pipe()
	go func() {
		out := bufio.NewWriterSize(w, 1<<20)
		for i := range members {
			fmt.Fprintf(out, "user-%09d\n", i)
		}
		w.CloseWithError(out.Flush())
	}()
	defer r.Close()
	request, err := http.NewRequestWithContext(ctx, "PUT", "http://"+s.Admin+"/v1/admin/audiences/all", r)
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+s.Token)
	request.Header.Set("Content-Type", "text/plain")
	if old, err := http.NewRequestWithContext(ctx, "GET", request.URL.String(), nil); err != nil {
		return err
	} else {
		old.Header.Set("Authorization", "Bearer "+s.Token)
		answer, err := http.DefaultClient.Do(old)
		if err != nil {
			return err
		}
		answer.Body.Close()
		if answer.StatusCode == http.StatusOK {
			request.Header.Set("If-Match", answer.Header.Get("ETag"))
		}
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode/100 != 2 || answer.Header.Get("Popupd-In-Force") != "" {
		text, _ := io.ReadAll(answer.Body)
		return fmt.Errorf("upload: status %d, in force %q: %s", answer.StatusCode, answer.Header.Get("Popupd-In-Force"), text)
	}
	return nil
}

// inForce waits until a server has the list.
func inForce(ctx context.Context, s *testbed.Popupd, members int) error {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		if got, err := s.Metric(ctx, "popupd_audience_members"); err != nil || got == float64(members) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// memory returns the resident memory of a process, now and at most, in MB.
func memory(pid int) (now, most float64, err error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, 0, err
	}
	for line := range strings.Lines(string(status)) {
		fields := strings.Fields(line)
		kb := 0.0
		if len(fields) > 1 {
			kb, _ = strconv.ParseFloat(fields[1], 64) // the lines that matter have numbers
		}
		switch fields[0] {
		case "VmRSS:":
			now = kb * 1024 / 1e6
		case "VmHWM:":
			most = kb * 1024 / 1e6
		}
	}
	return now, most, nil
}
