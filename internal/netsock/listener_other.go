//go:build !linux

package netsock

import (
	"context"
	"net"
)

// Listen listens on a TCP address as [ListenPortable] does.
func Listen(ctx context.Context, address string) (net.Listener, error) {
	return ListenPortable(ctx, address)
}
