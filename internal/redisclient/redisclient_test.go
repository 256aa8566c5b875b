package redisclient

import (
	"errors"
	"net"
	"strings"
	"testing"
)

// What is refused of -redis may hold a password.
func TestParseOptionHidesPassword(t *testing.T) {
	for _, url := range []string{
		"user:hunter2@host:6379", "hunter2@host:6379", ":hunter2@host:6379,b:6379", "redis://:hunter2@host:port", "rediss://u:hunter2@[::1", "http://u:hunter2@host", "http://hunter2",
		"redis://host:6379/hunter2", "hunter2", "user:hunter2@redis://host:6379",
	} {
		option, err := ParseOption(url)
		if !errors.Is(err, errOption) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v, %v; want an error without the password", url, option.InitAddress, err)
		}
	}
}

// FuzzParseOption: what is refused shows nothing of it, what is taken has addresses
// that can be dialled, without a password in them.
func FuzzParseOption(f *testing.F) {
	f.Add("redis://user:pass@host:6379/1")
	f.Add("a:1,b:2")
	f.Add("user:pass@host:6379")
	f.Add("rediss://[::1]:6380?db=2")
	f.Fuzz(func(t *testing.T, url string) {
		if strings.HasPrefix(url, "unix") {
			return
		}
		option, err := ParseOption(url)
		if err != nil {
			if !errors.Is(err, errOption) || strings.Contains(err.Error(), url) && len(url) > 20 {
				t.Fatalf("%q: %v", url, err)
			}
			return
		}
		if len(option.InitAddress) == 0 {
			t.Fatalf("%q: no address", url)
		}
		for _, address := range option.InitAddress {
			if _, _, err := net.SplitHostPort(address); err != nil || !strings.Contains(url, "://") && strings.Contains(address, "@") {
				t.Fatalf("%q: address %q, %v", url, address, err)
			}
		}
	})
}
