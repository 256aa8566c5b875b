package persist

import (
	"bytes"
	"context"
	"net"

	"github.com/popupd/popupd/internal/failpoint"
)

// dialToCommit connects the flusher in builds with failpoints: the moment at
// which a COMMIT has left and its reply has not come is inside the driver.
func dialToCommit(ctx context.Context, network, addr string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	return commitConn{conn}, nil
}

type commitConn struct{ net.Conn }

// comQuery begins a packet that carries SQL, after its length and number.
// https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_query.html
const comQuery = 0x03

func (c commitConn) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	if bytes.HasSuffix(b, []byte{comQuery, 'C', 'O', 'M', 'M', 'I', 'T'}) {
		failpoint.Reach(failpoint.FlushCommitSent)
	}
	return n, err
}
