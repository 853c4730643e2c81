package standalone

import (
	"fmt"
	"log/slog"
	"os"
	"strings"

	"github.com/spf13/cobra"
)

// Command returns the command that runs the suite in this process.
func Command() *cobra.Command {
	var o Options
	var level, form string
	c := &cobra.Command{
		Use:   "standalone",
		Short: "Run the whole suite in this process, with nothing else installed",
		Long: "Runs every service and a gateway in this process. All data is in one folder. Nothing but the two addresses listens.\n" +
			"At the first start it prints how to sign in once.",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			var l slog.Level
			if err := l.UnmarshalText([]byte(level)); err != nil {
				return fmt.Errorf("--log-level: want debug, info, warn or error, not %q", level)
			}
			opt := &slog.HandlerOptions{Level: l}
			switch form {
			case "text":
				o.Log = slog.New(slog.NewTextHandler(os.Stderr, opt))
			case "json":
				o.Log = slog.New(slog.NewJSONHandler(os.Stderr, opt))
			default:
				return fmt.Errorf("--log-format: want text or json, not %q", form)
			}
			for name, dsn := range o.Databases {
				if file, ok := strings.CutPrefix(dsn, "file:"); ok {
					b, err := os.ReadFile(file)
					if err != nil {
						return fmt.Errorf("--database %s: %w", name, err)
					}
					o.Databases[name] = strings.TrimSpace(string(b))
				}
			}
			o.Out = c.OutOrStdout()
			return Run(c.Context(), o)
		},
	}
	f := c.Flags()
	f.StringVar(&o.Data, "data", "gatehouse-data", "folder in which everything is kept")
	f.StringVar(&o.Listen, "listen", "127.0.0.1:8080", "host and port of the consoles, the developer portal and the API for automation")
	f.StringVar(&o.Traffic, "traffic", "127.0.0.1:8000", "host and port of API traffic")
	f.StringVar(&o.ReadyFile, "ready-file", "", "file that gets the addresses and the one-time sign-in, as JSON, once all serves")
	f.StringToStringVar(&o.Databases, "database", nil, "SERVICE=DSN: keep the data of a service in that PostgreSQL or MariaDB database instead of a file; SERVICE=file:PATH reads the address, which holds a password, from a file")
	f.StringVar(&o.Secrets, "secrets", "", "file with vault and references: where HashiCorp Vault is, and which references to secrets people may name")
	f.BoolVar(&o.Sample, "sample", true, "also serve the Petstore, an API to try things with, on a port of loopback")
	f.StringVar(&level, "log-level", "warn", "debug, info, warn or error")
	f.StringVar(&form, "log-format", "text", "text or json")
	c.AddCommand(recoverCommand(), passwordsCommand())
	return c
}
