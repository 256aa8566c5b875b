package persist

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/popupd/popupd/internal/retry"
)

// nodes are the servers of one database that a DSN lists: nodes of a Galera cluster.
// All pools of a DB use the same node, since Galera certifies writes between nodes:
// one writer is faster and deadlocks less.
type nodes struct {
	log       *slog.Logger
	addresses []string
	current   atomic.Int32 // index of the node in use
	outage    retry.Outage // from the first node that is left to one that takes writes
}

func (n *nodes) init(log *slog.Logger) {
	n.log = log
	n.outage = retry.Outage{Log: log, Begins: "the node of the database does not work: trying the next"}
}

// move makes another node the current one, unless somebody else already has.
func (n *nodes) move(from, to int, why error) {
	if from != to && n.current.CompareAndSwap(int32(from), int32(to)) {
		n.outage.Report(why)
	}
}

// works notes that the current node takes writes. All others may have refused before.
func (n *nodes) works() {
	if n.outage.Report(nil) {
		n.log.Info("using another node of the database", "node", n.addresses[n.current.Load()])
	}
}

// leave is for a node that refuses statements: the next one is used.
func (n *nodes) leave(node int, why error) {
	n.move(node, (node+1)%len(n.addresses), fmt.Errorf("%s: %w", n.addresses[node], why))
}

// failover connects to the current node, or else to the first of the others that
// lets it.
type failover struct {
	*nodes
	connectors []driver.Connector // by node; of *guardedConn
	timeout    time.Duration      // for all nodes together
}

// Driver returns the driver, which is the same for each node.
func (f failover) Driver() driver.Driver { return f.connectors[0].Driver() }

// Connect gives each node an equal share of the time that is left, and with it the
// handshake and what a new session is asked: a node that is frozen takes connections.
func (f failover) Connect(ctx context.Context) (driver.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, f.timeout)
	defer cancel()
	deadline, _ := ctx.Deadline()
	first := int(f.current.Load())
	var failed error
	for i := range f.connectors {
		node := (first + i) % len(f.connectors)
		share := time.Until(deadline) / time.Duration(len(f.connectors)-i)
		conn, err := f.connect(ctx, node, share)
		if err == nil {
			f.move(first, node, failed)
			return conn, nil
		}
		err = fmt.Errorf("%s: %w", f.addresses[node], err)
		if failed == nil {
			failed = err
		} else {
			failed = fmt.Errorf("%w; %w", failed, err)
		}
	}
	return nil, failed
}

func (f failover) connect(ctx context.Context, node int, timeout time.Duration) (driver.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	conn, err := f.connectors[node].Connect(ctx)
	if err != nil {
		return nil, err
	}
	c := conn.(*guardedConn)
	c.nodes, c.node = f.nodes, node
	return c, nil
}

// isRefusal reports whether a server takes no statements, or none that write: a Galera
// node outside of the primary component, a server that is read-only. A transaction
// that is read-only (1792) says nothing of its server.
func isRefusal(err error) bool {
	my, ok := errors.AsType[*mysql.MySQLError](err)
	if !ok {
		return false
	}
	switch my.Number {
	case 1047, 1290, 1836, 1874:
		return true
	}
	return false
}

// noteRefusal leaves the node of a connection whose server refuses statements, and
// keeps the connection from being used again.
func (c *guardedConn) noteRefusal(err error) {
	if !isRefusal(err) {
		return
	}
	c.refused = true
	if c.nodes != nil {
		c.nodes.leave(c.node, err)
	}
}

// isCurrent reports whether the connection's node is the one in use.
func (c *guardedConn) isCurrent() bool {
	return c.nodes == nil || c.node == int(c.nodes.current.Load())
}

// nodesForm is what a DSN with several addresses looks like.
const nodesForm = "user:password@tcp(host:3306,host:3306)/database"

var (
	errNodesNet     = errors.New("the MySQL DSN lists several addresses that are not of tcp; it looks like " + nodesForm)
	errNodesAddress = errors.New("the MySQL DSN lists an address that is not host:port; it looks like " + nodesForm)
)

// Nodes returns a DSN for each address that a DSN lists. It finds them as the driver
// finds its one address. Its error shows nothing of the DSN.
func Nodes(dsn string) ([]string, error) {
	slash := strings.LastIndexByte(dsn, '/')
	if slash <= 0 || dsn[slash-1] != ')' {
		return []string{dsn}, nil
	}
	start := strings.LastIndexByte(dsn[:slash], '@') + 1
	network, list, _ := strings.Cut(dsn[start:slash-1], "(")
	if !strings.Contains(list, ",") {
		return []string{dsn}, nil
	}
	if network != "tcp" && network != "" {
		return nil, errNodesNet
	}
	before, after := dsn[:start]+network+"(", dsn[slash-1:]
	var dsns []string
	for address := range strings.SplitSeq(list, ",") {
		if !isAddress(address) {
			return nil, errNodesAddress
		}
		dsns = append(dsns, before+address+after)
	}
	return dsns, nil
}

// isAddress reports whether an address of a list is host, host:port or [IPv6]:port.
func isAddress(s string) bool {
	if !strings.Contains(s, ":") {
		s += ":3306"
	}
	host, port, err := net.SplitHostPort(s)
	if err != nil || host == "" || strings.ContainsAny(host, "@()/?[] \t\r\n") {
		return false
	}
	n, err := strconv.ParseUint(port, 10, 16)
	return err == nil && n > 0
}
