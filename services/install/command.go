package install

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/gatehouse/gatehouse/gateway"
	"github.com/gatehouse/gatehouse/libs/bus"
)

// Command returns the command that makes an installation's files. Services may
// do on the bus what access says.
func Command(access []bus.Access) *cobra.Command {
	c := &cobra.Command{Use: "install", Short: "Make the credentials and configurations of an installation"}
	var dir string
	compose := &cobra.Command{
		Use:   "compose",
		Short: "Make those of docker-compose.yml, at each start; what is there is kept",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			gateways := []string{"gateway-1", "gateway-2"}
			all := append([]bus.Access{}, access...)
			for _, g := range gateways {
				all = append(all, gateway.Access(g, "default", "default", g))
			}
			a := Addresses{
				Console: setting("GATEHOUSE_CONSOLE_URL", "http://apim-admin.localhost:8080"),
				Tenant:  setting("GATEHOUSE_TENANT_URL", "http://tenant-admin.localhost:8080"),
				Auth:    setting("GATEHOUSE_AUTH_URL", "http://auth-admin.localhost:8080"),
				Portal:  setting("GATEHOUSE_PORTAL_URL", "http://developers.localhost:8080"),
				Traffic: setting("GATEHOUSE_TRAFFIC_URL", "http://localhost:8000"),
			}
			if err := Compose(dir, a, all, gateways); err != nil {
				return err
			}
			fmt.Fprintf(c.OutOrStdout(), "Credentials and configurations are in place.\nThe admin console is at %s; the log of tenant-manager says how to sign in:\n\n  docker compose logs tenant-manager\n", a.Console)
			return nil
		},
	}
	compose.Flags().StringVar(&dir, "dir", "install", "folder with one folder for each container")
	c.AddCommand(compose)
	return c
}

// setting returns an environment variable, or its default.
func setting(name, otherwise string) string {
	if v := os.Getenv(name); v != "" {
		return v
	}
	return otherwise
}
