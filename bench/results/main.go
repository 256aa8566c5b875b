package results

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// Main runs a command that prints a page, and ends the process with 1 if that fails. ctx ends
// with the first SIGINT or SIGTERM. The page is NAME.md in the directory out, too, unless
// that is "".
func Main(name, out string, run func(ctx context.Context) (page string, err error)) {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	page, err := run(ctx)
	stop()
	if err == nil && out != "" {
		err = Write(out, name+".md", page)
	}
	fmt.Print(page)
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		os.Exit(1)
	}
}
