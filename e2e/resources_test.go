//go:build linux

package e2e

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"
)

// resources are what a process must give back when all is quiet.
type resources struct {
	memory      int // bytes: anonymous, which leaves out the mapped journal
	descriptors int
	goroutines  int
	starts      int // of the server
}

// resources measures the server, which must be up.
func (sys *system) resources() resources {
	sys.t.Helper()
	v, err := sys.server.resources()
	if err != nil {
		sys.t.Fatal(err)
	}
	return v
}

func (s *server) resources() (resources, error) {
	v := resources{starts: s.Starts()}
	proc := fmt.Sprintf("/proc/%d/", s.Pid())
	status, err := os.ReadFile(proc + "status")
	if err != nil {
		return v, err
	}
	for line := range strings.Lines(string(status)) {
		if _, err := fmt.Sscanf(line, "RssAnon: %d kB", &v.memory); err == nil {
			v.memory <<= 10
		}
	}
	files, err := os.ReadDir(proc + "fd")
	if err != nil {
		return v, err
	}
	v.descriptors = len(files)
	req, err := http.NewRequest("GET", s.adminURL+"/debug/pprof/goroutine?debug=1", nil)
	if err != nil {
		return v, err
	}
	req.Header.Set("Authorization", "Bearer "+adminToken)
	resp, err := client.Do(req)
	if err != nil {
		return v, err
	}
	defer resp.Body.Close()
	line, err := bufio.NewReader(resp.Body).ReadString('\n')
	if err != nil {
		return v, err
	}
	if _, err := fmt.Sscanf(line, "goroutine profile: total %d", &v.goroutines); err != nil {
		return v, fmt.Errorf("unexpected profile %q: %w", line, err)
	}
	return v, nil
}

// exceeds returns an error if v is not near what it was when all was well.
func (v resources) exceeds(healthy resources) error {
	// A stream of an earlier start keeps its lock until the grace is over.
	files := healthy.descriptors + 16 + 2*(v.starts-healthy.starts)
	memory := healthy.memory + 96<<20
	if raceDetector {
		memory += 512 << 20
	}
	if v.memory > memory || v.descriptors > files || v.goroutines > healthy.goroutines+24 {
		return fmt.Errorf("the server holds %+v, and held %+v when all was well", v, healthy)
	}
	return nil
}

// metric returns the sum of the samples of a metric.
func (s *server) metric(name string) (float64, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return s.Metric(ctx, name)
}
