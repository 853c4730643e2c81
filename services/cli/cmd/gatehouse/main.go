// Command gatehouse runs the suite in one process, installs it, and uses a
// running one.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/gatehouse/gatehouse/services/cli"
	"github.com/gatehouse/gatehouse/services/install"
	"github.com/gatehouse/gatehouse/services/sample"
	"github.com/gatehouse/gatehouse/services/standalone"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	root := cli.New(cli.Options{Extra: []*cobra.Command{standalone.Command(), install.Command(standalone.Services()), sample.Command()}})
	if err := root.ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "gatehouse:", err)
		os.Exit(1) //nolint:gocritic // nothing is left to stop
	}
}
