package standalone

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/gatehouse/gatehouse/libs/contract/tenant"
	"github.com/gatehouse/gatehouse/libs/schema"
	"github.com/gatehouse/gatehouse/services/install"
	tenantmanager "github.com/gatehouse/gatehouse/services/tenant-manager"
)

// recoverCommand returns the command that lets an owner in whom nothing else does.
func recoverCommand() *cobra.Command {
	var o Options
	var r tenantmanager.Recovery
	c := &cobra.Command{
		Use:   "recover",
		Short: "Make a one-time sign-in for an owner whom nothing else lets in",
		Long: "Writes a one-time sign-in for an owner into the data folder and prints its link, once. Gatehouse may run meanwhile.\n" +
			"The owner becomes a break-glass account; that and the sign-in are in the audit trail.",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			done, err := Recover(c.Context(), o, r)
			if err == nil {
				done.Print(c.OutOrStdout())
			}
			return err
		},
	}
	f := c.Flags()
	f.StringVar(&o.Data, "data", "gatehouse-data", "folder in which everything is kept")
	f.StringVar(&o.Listen, "listen", "127.0.0.1:8080", "host and port of the consoles, for the link")
	f.StringToStringVar(&o.Databases, "database", nil, "SERVICE=DSN, as it was started with")
	f.StringVar(&r.Organization, "organization", "", "short name of the organization; the first one by default")
	f.StringVar(&r.Email, "user", "", "e-mail address of the owner; a break-glass account, or else any owner, by default")
	return c
}

// Recover makes a one-time sign-in for an owner in the data folder of a suite that
// was run before.
func Recover(ctx context.Context, o Options, r tenantmanager.Recovery) (tenantmanager.Recovered, error) {
	cfg := tenantmanager.DefaultConfig()
	dsn := "sqlite:" + filepath.Join(o.Data, tenant.Service+".db")
	if named := o.Databases[tenant.Service]; named != "" {
		dsn = named
		if file, ok := strings.CutPrefix(dsn, "file:"); ok {
			b, err := os.ReadFile(file)
			if err != nil {
				return tenantmanager.Recovered{}, fmt.Errorf("--database: %w", err)
			}
			dsn = strings.TrimSpace(string(b))
		}
	}
	secrets := install.Dir{Path: filepath.Join(o.Data, "secrets"), Owner: -1}
	keyring, err := secrets.Secret("keyring-"+tenant.Service, func() (string, error) {
		return "", errors.New("nothing was run in this data folder yet: name the right one with --data")
	})
	if err != nil {
		return tenantmanager.Recovered{}, err
	}
	cfg.Database.DSN, cfg.Secrets.Keyring = schema.NewSecret(dsn), schema.NewSecret(keyring)
	s := &suite{Options: o}
	cfg.FirstRun.ConsoleURL = s.host("apim-admin")
	return tenantmanager.Recover(ctx, cfg, r)
}
