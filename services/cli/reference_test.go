package cli_test

import (
	"os"
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/services/cli"
	"github.com/gatehouse/gatehouse/services/install"
	"github.com/gatehouse/gatehouse/services/sample"
	"github.com/gatehouse/gatehouse/services/standalone"
)

func TestTheReferenceIsThatOfTheCommand(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/reference/cli.md")
	require.NoError(t, err)
	require.Equal(t, cli.Reference(cli.New(cli.Options{
		Extra: []*cobra.Command{standalone.Command(), standalone.BackupCommand(), install.Command(standalone.Services()), sample.Command()},
	})), string(page), "make generate writes it anew")
}
