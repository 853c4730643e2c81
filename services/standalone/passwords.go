package standalone

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	tenantmanager "github.com/gatehouse/gatehouse/services/tenant-manager"
)

// leakedPasswords is where a data folder keeps the list of leaked passwords.
func leakedPasswords(data string) string { return filepath.Join(data, "leaked-passwords") }

// passwordsCommand returns the command that imports leaked passwords.
func passwordsCommand() *cobra.Command {
	var data string
	list := &cobra.Command{
		Use:   "import LIST",
		Short: "Import a list of leaked passwords, which are refused then",
		Long: "Imports a list of leaked passwords into the data folder: people cannot choose them any more. Gatehouse may run meanwhile.\n" +
			"The list has the form of Have I Been Pwned, a SHA-1, a colon and a number a line, in any order. - reads standard input.",
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if _, err := os.Stat(data); err != nil {
				return fmt.Errorf("there is no data folder: name the right one with --data (%w)", err)
			}
			return tenantmanager.ImportPasswords(c.Context(), c.InOrStdin(), c.OutOrStdout(), args[0], leakedPasswords(data))
		},
	}
	list.Flags().StringVar(&data, "data", "gatehouse-data", "folder in which everything is kept")
	c := &cobra.Command{Use: "passwords", Short: "Passwords that people cannot choose"}
	c.AddCommand(list)
	return c
}
