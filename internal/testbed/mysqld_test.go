//go:build unix

package testbed

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestMysqldWithoutData(t *testing.T) {
	mysqld := filepath.Join(t.TempDir(), "mysqld")
	t.Setenv(MysqldVariable, mysqld)
	if _, err := newTestbed(t).MySQL(StoreOptions{}); err == nil || !strings.Contains(err.Error(), mysqld+": no data directory in ") {
		t.Errorf("got %v", err)
	}
}
