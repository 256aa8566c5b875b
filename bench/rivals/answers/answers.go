// Package answers is what a rival of popupd is told to answer: the very bytes
// that popupd sends, by path.
package answers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"time"
)

// Time limits of a connection, those of popupd.
const (
	ReadTimeout  = 5 * time.Second
	WriteTimeout = 5 * time.Second
	IdleTimeout  = 60 * time.Second
	MaxHeader    = 8 << 10 // bytes
)

// Answer is what requests of a path get.
type Answer struct {
	Path    string      `json:"path"`
	Status  int         `json:"status"`
	Headers [][2]string `json:"headers"` // names in canonical form
	Body    string      `json:"body"`
}

// Parse reads the answers, a JSON array, from the only argument of the command.
func Parse() ([]Answer, error) {
	if len(os.Args) != 2 {
		return nil, errors.New("want one argument, a JSON array of answers")
	}
	var all []Answer
	if err := json.Unmarshal([]byte(os.Args[1]), &all); err != nil {
		return nil, fmt.Errorf("answers: %w", err)
	}
	if len(all) == 0 {
		return nil, errors.New("no answers")
	}
	return all, nil
}

// Listen listens on a free port of loopback and prints the address. Like
// popupd's, connections have no keep-alive probes, which cost four system calls
// each to set up.
func Listen() (net.Listener, error) {
	config := net.ListenConfig{KeepAlive: -1}
	ln, err := config.Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err == nil {
		fmt.Println(ln.Addr())
	}
	return ln, err
}
