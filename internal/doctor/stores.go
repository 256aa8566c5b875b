package doctor

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/redis/rueidis"

	"github.com/popupd/popupd/internal/cli"
	"github.com/popupd/popupd/internal/redisclient"
	"github.com/popupd/popupd/persist"
	"github.com/popupd/popupd/tuning"
)

// askTimeout is how long a store may take to answer.
const askTimeout = 10 * time.Second

// askMySQL asks each server of a DSN for its settings; nil without a DSN. Only a DSN
// that cannot be read is an error: a server that does not answer is a finding.
func askMySQL(ctx context.Context, dsn string) ([]tuning.MySQL, error) {
	if dsn == "" {
		return nil, nil
	}
	db, err := persist.Open(persist.Config{DSN: dsn})
	if err != nil {
		return nil, fmt.Errorf("-mysql: %w; %w", err, cli.ErrUsage)
	}
	defer db.Close()
	dsns, err := persist.Nodes(dsn)
	if err != nil {
		return nil, fmt.Errorf("-mysql: %w; %w", err, cli.ErrUsage)
	}
	nodes := make([]tuning.MySQL, len(dsns))
	for i, dsn := range dsns {
		nodes[i] = askServer(ctx, dsn)
	}
	return nodes, nil
}

func askServer(ctx context.Context, dsn string) tuning.MySQL {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	m := tuning.MySQL{Connections: persist.Connections}
	if config, err := mysql.ParseDSN(dsn); err == nil {
		m.Address = config.Addr
	}
	if m.Global, m.Session, m.Err = persist.Variables(ctx, dsn); m.Err == nil {
		m.Privileges, m.Err = askPrivileges(ctx, dsn)
	}
	return m
}

// askRedis asks each node that takes writes for its settings. Only a URL that
// cannot be read is an error.
func askRedis(ctx context.Context, url string) ([]tuning.Redis, error) {
	if url == "" {
		return nil, nil
	}
	option, err := redisclient.ParseOption(url)
	if err != nil {
		return nil, err
	}
	cluster := redisclient.IsCluster(option)
	client, closeAll, err := redisclient.Open(url, slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, err
	}
	defer closeAll()
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	var nodes []tuning.Redis
	known := client.Nodes()
	for _, address := range slices.Sorted(maps.Keys(known)) {
		node := askNode(ctx, known[address])
		if cluster && node.Info["role"] == "slave" {
			continue
		}
		node.Address, node.Cluster = address, cluster
		nodes = append(nodes, node)
	}
	return nodes, nil
}

func askNode(ctx context.Context, client rueidis.Client) (node tuning.Redis) {
	info, err := client.Do(ctx, client.B().Info().Build()).ToString()
	if err != nil {
		node.Err = err
		return node
	}
	node.Info = tuning.ParseInfo(info)
	// Providers may refuse it; then the report says what is not known.
	node.Config, _ = client.Do(ctx, client.B().ConfigGet().Parameter("save").Build()).AsStrMap()
	return node
}
