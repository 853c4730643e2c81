package standalone

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"
)

// BackupCommand returns the commands that back a data folder up, and restore it.
func BackupCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "backup", Short: "Back up and restore the data of gatehouse standalone",
		Long: "Back up and restore the data of gatehouse standalone: one archive with a consistent copy of every database, and its\n" +
			"checksums. The suite may run meanwhile; what its streams and its gateway keep is then made anew from the databases.\n" +
			"Databases that are elsewhere (--database) are backed up by their own means.",
	}
	c.AddCommand(createBackup(), verifyBackup(), restoreBackup())
	return c
}

func createBackup() *cobra.Command {
	var o BackupOptions
	c := &cobra.Command{
		Use: "create FILE", Short: "Write a backup into a new archive", Args: cobra.ExactArgs(1),
		Long: "Writes a backup into a new archive. The keys that secrets are encrypted with are not in it: --keys writes them into\n" +
			"an archive of their own, to be kept somewhere else. Without the keys a backup cannot be used.",
		Example: "  gatehouse backup create /backup/gatehouse-monday.tar.gz --keys /safe/gatehouse-keys.tar.gz",
		RunE: func(c *cobra.Command, args []string) error {
			o.File = args[0]
			m, err := Backup(c.Context(), o)
			if err != nil {
				return err
			}
			out := c.OutOrStdout()
			fmt.Fprintf(out, "%s holds %d files.\n", o.File, len(m.Files))
			if m.Running {
				fmt.Fprintln(out, "The suite runs: its streams were left out, and are made anew from the databases when it is restored.")
			}
			if o.Keys == "" {
				fmt.Fprintln(out, "The keys are not in it: keep the folder secrets of the data folder somewhere else, or use --keys.")
			}
			return nil
		},
	}
	f := c.Flags()
	f.StringVar(&o.Data, "data", "gatehouse-data", "folder in which everything is kept")
	f.StringVar(&o.Keys, "keys", "", "a second new archive, for the keys")
	f.StringToStringVar(&o.Databases, "database", nil, "SERVICE=DSN, as it was started with")
	return c
}

func verifyBackup() *cobra.Command {
	return &cobra.Command{
		Use: "verify FILE", Short: "Read a backup to its end, and check every file of it", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			m, err := Verify(c.Context(), args[0])
			if err != nil {
				return err
			}
			fmt.Fprintf(c.OutOrStdout(), "%s of %s is whole: %d files, made by Gatehouse %s.\n", m.Kind, m.At.Format(time.RFC3339), len(m.Files), m.Version)
			return nil
		},
	}
}

func restoreBackup() *cobra.Command {
	var o RestoreOptions
	c := &cobra.Command{
		Use: "restore FILE", Short: "Restore a backup into an empty data folder", Args: cobra.ExactArgs(1),
		Example: "  gatehouse backup restore /backup/gatehouse-monday.tar.gz --keys /safe/gatehouse-keys.tar.gz --data new-data\n  gatehouse standalone --data new-data",
		RunE: func(c *cobra.Command, args []string) error {
			o.File = args[0]
			m, err := Restore(c.Context(), o)
			if err != nil {
				return err
			}
			fmt.Fprintf(c.OutOrStdout(), "Restored %d files of %s into %s.\n", len(m.Files), m.At.Format(time.RFC3339), o.Data)
			if o.Keys == "" {
				fmt.Fprintf(c.OutOrStdout(), "Put the folder secrets there before you start it: without the keys its secrets cannot be read.\n")
			}
			return nil
		},
	}
	c.Flags().StringVar(&o.Data, "data", "", "folder to restore into: a new or an empty one")
	c.Flags().StringVar(&o.Keys, "keys", "", "the archive of the keys")
	_ = c.MarkFlagRequired("data") // there is such a flag
	return c
}
