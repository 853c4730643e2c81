// Command gatehouse runs the suite in one process, installs it, and uses a
// running one.
package main

import (
	"context"
	"os"

	"github.com/spf13/cobra"

	"github.com/gatehouse/gatehouse/services/cli"
	"github.com/gatehouse/gatehouse/services/install"
	"github.com/gatehouse/gatehouse/services/sample"
	"github.com/gatehouse/gatehouse/services/standalone"
)

func main() {
	os.Exit(cli.Main(context.Background(), cli.Options{
		Extra: []*cobra.Command{standalone.Command(), standalone.BackupCommand(), install.Command(standalone.Services()), sample.Command()},
	}, os.Args[1:]))
}
