package main

import (
	"errors"
	"strings"
	"testing"
)

// What is refused of -redis may hold a password.
func TestRedisOptionHidesPassword(t *testing.T) {
	for _, url := range []string{
		"user:hunter2@host:6379", "hunter2@host:6379", ":hunter2@host:6379,b:6379", "redis://:hunter2@host:port", "rediss://u:hunter2@[::1", "http://u:hunter2@host", "http://hunter2",
		"redis://host:6379/hunter2", "hunter2", "user:hunter2@redis://host:6379",
	} {
		option, err := redisOption(url)
		if !errors.Is(err, errUsage) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v, %v; want a usage error without the password", url, option.InitAddress, err)
		}
	}
}
