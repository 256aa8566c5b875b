// Package deploy holds what popupd is run with: files for systemd, packages and containers, load
// balancers, Prometheus and Grafana. Its tests hold the files to the programs that read them, and
// to the popupd of this tree.
package deploy
