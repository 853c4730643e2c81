package bff_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/config"
	"github.com/gatehouse/gatehouse/libs/schema"
	"github.com/gatehouse/gatehouse/libs/secret"
	"github.com/gatehouse/gatehouse/services/bff"
)

func TestConfigurationsAreRead(t *testing.T) {
	t.Parallel()
	c := bff.DefaultConfig()
	_, fields := config.Decode("bff.yaml", []byte(`
apps: {admin: "", portal: developers.example.org}
sessions: {lifetime: 8h, redis: {addresses: ["redis:6379"], password: env:REDIS}}
trustedProxies: [10.0.0.0/8]
`), &c)
	require.Empty(t, fields)
	require.Equal(t, bff.Apps{Tenant: "tenant-admin.*", Auth: "auth-admin.*", Portal: "developers.example.org"}, c.Apps)
	require.Equal(t, "env:REDIS", c.Sessions.Redis.Password.Reference())
	for _, bad := range []string{
		`apps: {admin: "a b"}`, `apps: {admin: "*"}`, `sessions: {lifetime: 1s}`, `sessions: {redis: {}}`, `trustedProxies: [everybody]`, `bodyLimit: 10B`,
	} {
		c := bff.DefaultConfig()
		_, fields := config.Decode("bff.yaml", []byte(bad), &c)
		require.Len(t, fields, 1, bad)
	}
	for host, slug := range map[string]string{"Acme.example:80": "acme", "acme.example": "No slug"} {
		c := bff.DefaultConfig()
		c.Secrets.Keyring = schema.NewSecret(secret.NewKey("k1"))
		require.Empty(t, c.Validate())
		c.Organizations = map[string]string{host: slug}
		require.Len(t, c.Validate(), 1, host)
	}
	s, err := schema.Of(bff.DefaultConfig(), schema.WithDocs(bff.Docs))
	require.NoError(t, err)
	require.Contains(t, string(s.JSON()), "Apps are the host names of the browser apps.")
}
