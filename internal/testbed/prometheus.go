package testbed

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
)

// prometheusConf scrapes popupds, and evaluates the rules of some files.
const prometheusConf = `global:
  scrape_interval: 500ms
  evaluation_interval: 500ms
rule_files: %s
scrape_configs:
- job_name: popupd
  static_configs:
  - targets: %s
`

// Prometheus is a private Prometheus.
type Prometheus struct {
	*Process
	Addr string // host:port
}

// Prometheus starts a Prometheus that scrapes /metrics of addresses, the control planes
// of popupds, as job popupd, and evaluates the rules of some files. The error is a
// [*MissingError] where there is none.
func (b *Testbed) Prometheus(targets []string, rules ...string) (*Prometheus, error) {
	if err := Need("prometheus", "prometheus"); err != nil {
		return nil, err
	}
	dir := b.newDir("prometheus")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	files := []string{}
	for _, file := range rules {
		path, err := filepath.Abs(file)
		if err != nil {
			return nil, err
		}
		files = append(files, path)
	}
	ruleFiles, _ := json.Marshal(files) // lists of strings are YAML too, and can be written
	addresses, _ := json.Marshal(targets)
	conf := filepath.Join(dir, "prometheus.yml")
	if err := os.WriteFile(conf, fmt.Appendf(nil, prometheusConf, ruleFiles, addresses), 0o600); err != nil {
		return nil, err
	}
	s := new(Prometheus)
	var err error
	s.Process, s.Addr, err = b.startOnFreePort(func(addr string, _ int) Program {
		return Program{
			Name: "prometheus", Dir: dir,
			Args:  []string{"prometheus", "--config.file=" + conf, "--storage.tsdb.path=" + filepath.Join(dir, "data"), "--web.listen-address=" + addr},
			Probe: func() error { return answersOK("http://" + addr + "/-/ready") },
		}
	})
	if err != nil {
		return nil, err
	}
	return s, nil
}

// answersOK reports whether a URL is answered with 200.
func answersOK(url string) error {
	resp, err := http.Get(url)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %d", url, resp.StatusCode)
	}
	return nil
}
