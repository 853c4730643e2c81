// Command gendoc writes the reference of the gatehouse command. It is run from
// the folder of the package cli.
package main

import (
	"log/slog"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/gatehouse/gatehouse/services/cli"
	"github.com/gatehouse/gatehouse/services/install"
	"github.com/gatehouse/gatehouse/services/sample"
	"github.com/gatehouse/gatehouse/services/standalone"
)

func main() {
	page := cli.Reference(cli.New(cli.Options{
		Extra: []*cobra.Command{standalone.Command(), standalone.BackupCommand(), install.Command(standalone.Services()), sample.Command()},
	}))
	if err := os.WriteFile(filepath.Join("..", "..", "docs", "reference", "cli.md"), []byte(page), 0o600); err != nil {
		slog.New(slog.NewTextHandler(os.Stderr, nil)).Error("the reference could not be written", "err", err)
		os.Exit(1)
	}
}
